#include "messageboard/anonymise_image/ultraface.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <tuple>
#include <utility>

namespace anonymise_image {
namespace {

// Anchors of one level lie on every cell of a grid of `stride` pixels.
struct Level {
  int stride;
  std::array<float, 3> anchors;
  int anchor_count;
  const char* classes;  // names of the outputs that models/convert.py cut the graph at
  const char* boxes;
};
constexpr std::array<Level, 4> kLevels{{
    {8, {10, 16, 24}, 3, "319", "333"},
    {16, {32, 48, 0}, 2, "365", "379"},
    {32, {64, 96, 0}, 2, "405", "419"},
    {64, {128, 192, 256}, 3, "437", "449"},
}};
constexpr int kStrideMax = 64;
constexpr float kOverlapMax = 0.45f;
// More than any crowd has; keeps the pairwise comparisons of a hostile picture cheap.
constexpr std::size_t kProposalsMax = 3000;

int padded(int side) { return (side + kStrideMax - 1) / kStrideMax * kStrideMax; }

// The outputs of one level, channel by channel.
struct Maps {
  const Level& level;
  const float* classes;
  const float* boxes;
  int rows;
  int columns;

  float at(const float* maps, int channel, int cell) const {
    return maps[channel * rows * columns + cell];
  }
};

void decode_level(const Maps& maps, float score_min, std::vector<Proposal>& found) {
  // softmax(background, face) >= score_min, without an exponential for every cell.
  const float margin_min = std::log(score_min / (1 - score_min));
  for (int anchor = 0; anchor < maps.level.anchor_count; ++anchor) {
    const float size = maps.level.anchors[static_cast<std::size_t>(anchor)];
    for (int cell = 0; cell < maps.rows * maps.columns; ++cell) {
      const float margin =
          maps.at(maps.classes, 2 * anchor + 1, cell) - maps.at(maps.classes, 2 * anchor, cell);
      if (!(margin >= margin_min)) continue;
      const auto number = [&](int index) { return maps.at(maps.boxes, 4 * anchor + index, cell); };
      const auto column = static_cast<float>(cell % maps.columns);
      const auto row = static_cast<float>(cell / maps.columns);
      const auto stride = static_cast<float>(maps.level.stride);
      const float x = (column + 0.5f) * stride + 0.1f * number(0) * size;
      const float y = (row + 0.5f) * stride + 0.1f * number(1) * size;
      const float width = size * std::exp(0.2f * number(2));
      const float height = size * std::exp(0.2f * number(3));
      // Written so that what is not a number fails it.
      const float far = 4 * static_cast<float>(maps.rows + maps.columns) * stride;
      if (!(std::abs(x) + std::abs(y) + width + height < far)) continue;
      found.push_back(
          {{x - width / 2, y - height / 2, width, height}, 1 / (1 + std::exp(-margin))});
    }
  }
}

}  // namespace

std::vector<Proposal> strongest(std::vector<Proposal> proposals) {
  std::ranges::sort(proposals, std::greater{}, [](const Proposal& proposal) {
    return std::tuple(proposal.score, proposal.box.x, proposal.box.y);
  });
  if (proposals.size() > kProposalsMax) proposals.resize(kProposalsMax);
  std::vector<Proposal> kept;
  for (const Proposal& proposal : proposals) {
    const bool covered = std::ranges::any_of(kept, [&](const Proposal& stronger) {
      return overlap(stronger.box, proposal.box) > kOverlapMax;
    });
    if (!covered) kept.push_back(proposal);
  }
  return kept;
}

Ultraface::Ultraface(const std::filesystem::path& model) {
  std::ifstream file(model, std::ios::binary);
  model_.assign(std::istreambuf_iterator<char>(file), {});
  if (model_.empty()) CV_Error(cv::Error::StsBadArg, "cannot read " + model.string());
  network_for(0);
}

cv::dnn::Net& Ultraface::network_for(int long_side) {
  const auto found = networks_.find(long_side);
  if (found != networks_.end()) return found->second;
  return networks_[long_side] = cv::dnn::readNetFromONNX(model_);
}

std::vector<Proposal> Ultraface::propose(const cv::Mat& rgb, int long_side, float score_min) {
  const float scale =
      static_cast<float>(long_side) / static_cast<float>(std::max(rgb.cols, rgb.rows));
  const auto scaled_side = [scale](int side) {
    return std::max(1, static_cast<int>(std::lround(static_cast<float>(side) * scale)));
  };
  const cv::Size size(scaled_side(rgb.cols), scaled_side(rgb.rows));
  cv::Mat scaled;
  if (size == rgb.size()) {
    scaled = rgb;
  } else {
    cv::resize(rgb, scaled, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  }
  cv::Mat input;
  cv::copyMakeBorder(scaled, input, 0, padded(size.height) - size.height, 0,
                     padded(size.width) - size.width, cv::BORDER_CONSTANT,
                     cv::Scalar(127, 127, 127));
  cv::dnn::Net& network = network_for(long_side);
  network.setInput(cv::dnn::blobFromImage(input, 1.0 / 128, cv::Size(), cv::Scalar(127, 127, 127)));
  std::vector<cv::String> names;
  for (const Level& level : kLevels) {
    names.emplace_back(level.classes);
    names.emplace_back(level.boxes);
  }
  std::vector<cv::Mat> outputs;
  network.forward(outputs, names);

  std::vector<Proposal> found;
  for (std::size_t index = 0; index < kLevels.size(); ++index) {
    const cv::Mat& classes = outputs[2 * index];
    decode_level({kLevels[index], classes.ptr<float>(), outputs[2 * index + 1].ptr<float>(),
                  classes.size[2], classes.size[3]},
                 score_min, found);
  }
  found = strongest(std::move(found));
  for (Proposal& proposal : found) {
    Box& box = proposal.box;
    box = {box.x / scale, box.y / scale, box.width / scale, box.height / scale};
  }
  return found;
}

}  // namespace anonymise_image
