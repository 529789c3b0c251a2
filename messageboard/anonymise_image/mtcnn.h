// The judging networks (RNet and ONet of MTCNN): how much does a proposal look like a face.
// One owner, one thread.
#pragma once

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include <filesystem>
#include <span>
#include <vector>

#include "messageboard/anonymise_image/picture.h"

namespace anonymise_image {

class Mtcnn {
 public:
  // Throws cv::Exception when the files are not the networks, as judge() does on broken ones.
  Mtcnn(const std::filesystem::path& rnet, const std::filesystem::path& onet);
  // For each box, the probability that it holds a face, seen as it is and as RNet refines it.
  // Boxes that pass `enough` one way are not looked at the other way.
  std::vector<float> judge(const cv::Mat& rgb, std::span<const Box> boxes, float enough);

 private:
  cv::Mat forward(cv::dnn::Net& network, const cv::Mat& rgb, std::span<const Box> boxes, int side);

  cv::dnn::Net rnet_;
  cv::dnn::Net onet_;
};

}  // namespace anonymise_image
