// The proposing network (UltraFace RFB, fully convolutional): fast, finds small faces, and is wrong
// often enough that doubtful proposals go through MTCNN (mtcnn.h). One owner, one thread.
#pragma once

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include <filesystem>
#include <map>
#include <vector>

#include "messageboard/anonymise_image/picture.h"

namespace anonymise_image {

struct Proposal {
  Box box;
  float score = 0;
};

// Of proposals that overlap by more than 0.45 the best one stays.
std::vector<Proposal> strongest(std::vector<Proposal> proposals);

class Ultraface {
 public:
  // Throws cv::Exception when the file is not the network, as propose() does on a broken one.
  explicit Ultraface(const std::filesystem::path& model);
  // Faces in an RGB image scaled so that its long side has `long_side` pixels.
  std::vector<Proposal> propose(const cv::Mat& rgb, int long_side, float score_min);

 private:
  // A network plans its memory for one input size: one each for the sizes that alternate.
  cv::dnn::Net& network_for(int long_side);

  std::vector<unsigned char> model_;
  std::map<int, cv::dnn::Net> networks_;
};

}  // namespace anonymise_image
