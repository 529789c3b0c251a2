#include "messageboard/anonymise_image/mtcnn.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace anonymise_image {
namespace {

constexpr int kRnetSide = 24;
constexpr int kOnetSide = 48;
// The networks' memory grows with the batch.
constexpr std::size_t kBatchMax = 64;

Box square(const Box& box) {
  const float side = std::max({box.width, box.height, 2.0f});
  return {box.x + (box.width - side) / 2, box.y + (box.height - side) / 2, side, side};
}

// The box of the image, black where it reaches beyond, transposed: the networks were trained on
// images stored column by column.
cv::Mat crop(const cv::Mat& rgb, const Box& box, int side) {
  const cv::Rect wanted(static_cast<int>(std::lround(box.x)), static_cast<int>(std::lround(box.y)),
                        std::max(1, static_cast<int>(std::lround(box.width))),
                        std::max(1, static_cast<int>(std::lround(box.height))));
  const cv::Rect inside = wanted & cv::Rect(0, 0, rgb.cols, rgb.rows);
  cv::Mat whole = cv::Mat::zeros(side, side, CV_8UC3);
  if (inside.empty()) return whole;
  cv::Mat part = rgb(inside);
  if (inside != wanted) {
    cv::copyMakeBorder(part, part, inside.y - wanted.y, wanted.br().y - inside.br().y,
                       inside.x - wanted.x, wanted.br().x - inside.br().x,
                       cv::BORDER_CONSTANT | cv::BORDER_ISOLATED);
  }
  cv::resize(part, whole, cv::Size(side, side), 0, 0,
             wanted.width > side ? cv::INTER_AREA : cv::INTER_LINEAR);
  return whole.t();
}

float face_probability(const float* output) { return 1 / (1 + std::exp(output[0] - output[1])); }

Box refined(const Box& box, const float* output) {
  const float* shift = output + 2;
  const Box moved{box.x + shift[0] * box.width, box.y + shift[1] * box.height,
                  box.width * (1 + shift[2] - shift[0]), box.height * (1 + shift[3] - shift[1])};
  const bool sane = std::isfinite(moved.x + moved.y + moved.width + moved.height) &&
                    moved.width > 0 && moved.height > 0 && moved.width < 4 * box.width &&
                    moved.height < 4 * box.height;
  return square(sane ? moved : box);
}

}  // namespace

Mtcnn::Mtcnn(const std::filesystem::path& rnet, const std::filesystem::path& onet)
    : rnet_(cv::dnn::readNetFromONNX(rnet.string())),
      onet_(cv::dnn::readNetFromONNX(onet.string())) {}

cv::Mat Mtcnn::forward(cv::dnn::Net& network, const cv::Mat& rgb, std::span<const Box> boxes,
                       int side) {
  cv::Mat outputs;
  for (std::size_t first = 0; first < boxes.size(); first += kBatchMax) {
    std::vector<cv::Mat> crops;
    for (const Box& box : boxes.subspan(first, std::min(kBatchMax, boxes.size() - first))) {
      crops.push_back(crop(rgb, box, side));
    }
    network.setInput(
        cv::dnn::blobFromImages(crops, 1.0 / 128, cv::Size(), cv::Scalar(127.5, 127.5, 127.5)));
    outputs.push_back(network.forward());
  }
  return outputs;
}

std::vector<float> Mtcnn::judge(const cv::Mat& rgb, std::span<const Box> boxes, float enough) {
  std::vector<float> scores(boxes.size());
  if (boxes.empty()) return scores;
  std::vector<Box> squares;
  for (const Box& box : boxes) squares.push_back(square(box));
  const cv::Mat moves = forward(rnet_, rgb, squares, kRnetSide);
  std::vector<Box> better;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    better.push_back(refined(squares[i], moves.ptr<float>(static_cast<int>(i))));
  }
  const cv::Mat first = forward(onet_, rgb, better, kOnetSide);

  std::vector<Box> doubtful;
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    scores[i] = face_probability(first.ptr<float>(static_cast<int>(i)));
    if (scores[i] >= enough) continue;
    doubtful.push_back(squares[i]);
    which.push_back(i);
  }
  if (doubtful.empty()) return scores;
  const cv::Mat second = forward(onet_, rgb, doubtful, kOnetSide);
  for (std::size_t i = 0; i < which.size(); ++i) {
    const float score = face_probability(second.ptr<float>(static_cast<int>(i)));
    scores[which[i]] = std::max(scores[which[i]], score);
  }
  return scores;
}

}  // namespace anonymise_image
