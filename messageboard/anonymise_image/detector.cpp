#include "messageboard/anonymise_image/detector.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include "messageboard/anonymise_image/mtcnn.h"
#include "messageboard/anonymise_image/ultraface.h"

namespace anonymise_image {
namespace {

// A scale at which the proposing network looks at the whole picture: the length of the long side,
// and how sure it must be for the proposal to be judged.
struct Scale {
  int long_side;
  float score_min;
};
constexpr Scale kCoarse{640, 0.15f};
constexpr Scale kFine{1280, 0.20f};
// Enlarging a small photograph further finds no more faces and costs as the square.
constexpr float kEnlargedMax = 2.75f;
// The network's coarsest stride: a shorter row is padded.
constexpr int kStride = 64;
// A proposal this sure is a face without being judged; others need this much from MTCNN.
constexpr float kSure = 0.7f;
constexpr float kJudged = 0.3f;
constexpr float kSureObvious = 0.8f;
constexpr float kJudgedObvious = 0.5f;

// Photographs longer than this are searched in tiles too, at up to the pyramid's lengths.
constexpr int kTiledFrom = 1600;
constexpr int kTileLengths[] = {2560, 5120};
constexpr int kTileSide = 1280;
// Larger than the largest face that only tiles would find: whole in at least one of two tiles.
constexpr int kTileOverlap = 192;

// Turned copies are searched when a quick look at one shows a face that the upright one does not.
constexpr Scale kGlance{320, 0.5f};
constexpr float kGlanceJudged = 0.8f;
// From far away a blurred head passes for a face most easily.
constexpr Scale kFarAway{320, 0.15f};
constexpr cv::RotateFlags kTurns[] = {cv::ROTATE_90_CLOCKWISE, cv::ROTATE_180,
                                      cv::ROTATE_90_COUNTERCLOCKWISE};

float long_side(const cv::Mat& image) {
  return static_cast<float>(std::max(image.cols, image.rows));
}

// The image, not longer than `length`.
cv::Mat at_most(const cv::Mat& image, int length) {
  const float scale = static_cast<float>(length) / long_side(image);
  if (scale >= 1) return image;
  const auto side = [scale](int of) {
    return std::max(1, static_cast<int>(static_cast<float>(of) * scale));
  };
  cv::Mat smaller;
  cv::resize(image, smaller, cv::Size(side(image.cols), side(image.rows)), 0, 0, cv::INTER_AREA);
  return smaller;
}

// Where a box of the turned copy lies in the image that was turned.
Box turned_back(const Box& box, cv::RotateFlags turn, const cv::Size& upright) {
  const auto width = static_cast<float>(upright.width);
  const auto height = static_cast<float>(upright.height);
  switch (turn) {
    case cv::ROTATE_90_CLOCKWISE: return {box.y, height - box.x - box.width, box.height, box.width};
    case cv::ROTATE_180:
      return {width - box.x - box.width, height - box.y - box.height, box.width, box.height};
    case cv::ROTATE_90_COUNTERCLOCKWISE:
      return {width - box.y - box.height, box.x, box.height, box.width};
  }
  return box;
}

Box scaled(const Box& box, float by) {
  return {box.x * by, box.y * by, box.width * by, box.height * by};
}

bool meets(const Box& face, const Box& other) {
  const float x = other.x + other.width / 2;
  const float y = other.y + other.height / 2;
  return x >= face.x && x < face.x + face.width && y >= face.y && y < face.y + face.height;
}

void append(std::vector<Proposal>& to, const std::vector<Proposal>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Starts of tiles that cover `length`, overlapping.
std::vector<int> tile_starts(int length) {
  std::vector<int> starts{0};
  while (starts.back() + kTileSide < length) {
    starts.push_back(std::min(starts.back() + kTileSide - kTileOverlap, length - kTileSide));
  }
  return starts;
}

}  // namespace

struct Detector::Networks {
  explicit Networks(const std::filesystem::path& models)
      : ultraface(models / "ultraface.onnx"), mtcnn(models / "rnet.onnx", models / "onet.onnx") {}

  std::vector<Proposal> propose(const cv::Mat& rgb, Scale scale) {
    if (late()) return {};
    const int length = std::min(
        scale.long_side, static_cast<int>(long_side(rgb) * kEnlargedMax) / kStride * kStride);
    return ultraface.propose(rgb, std::max(length, kStride), scale.score_min);
  }

  std::vector<Proposal> propose_in_tiles(const cv::Mat& rgb, int length);
  std::vector<Face> judge(const cv::Mat& rgb, std::vector<Proposal> proposals);
  std::vector<Face> find_upright(const cv::Mat& rgb);
  bool glance(const cv::Mat& turned, cv::RotateFlags turn, const cv::Size& upright, float scale,
              const std::vector<Face>& known);
  std::vector<Face> find(const cv::Mat& rgb);
  std::vector<Face> look_again(const cv::Mat& rgb);
  bool late();

  // Of the search under way. Once late, nothing more is proposed or judged.
  OutOfTime out_of_time;
  bool is_late = false;
  Ultraface ultraface;
  Mtcnn mtcnn;
};

std::vector<Proposal> Detector::Networks::propose_in_tiles(const cv::Mat& rgb, int length) {
  const cv::Mat image = at_most(rgb, length);
  const float scale = long_side(rgb) / long_side(image);
  std::vector<Proposal> found;
  for (const int top : tile_starts(image.rows)) {
    for (const int left : tile_starts(image.cols)) {
      if (late()) return found;
      const cv::Rect tile =
          cv::Rect(left, top, kTileSide, kTileSide) & cv::Rect(0, 0, image.cols, image.rows);
      const int tile_length = std::max(tile.width, tile.height);
      for (Proposal& proposal : ultraface.propose(image(tile), tile_length, kFine.score_min)) {
        // Larger ones were found whole at a coarser scale; here they are pieces of a neighbour.
        if (std::max(proposal.box.width, proposal.box.height) > kTileOverlap) continue;
        proposal.box.x += static_cast<float>(left);
        proposal.box.y += static_cast<float>(top);
        proposal.box = scaled(proposal.box, scale);
        found.push_back(proposal);
      }
    }
  }
  return found;
}

bool Detector::Networks::late() {
  is_late = is_late || (out_of_time && out_of_time());
  return is_late;
}

std::vector<Face> Detector::Networks::judge(const cv::Mat& rgb, std::vector<Proposal> proposals) {
  std::vector<Face> faces;
  std::vector<Box> doubtful;
  for (const Proposal& proposal : strongest(std::move(proposals))) {
    if (proposal.score >= kSure) {
      faces.push_back({proposal.box, proposal.score >= kSureObvious});
    } else {
      doubtful.push_back(proposal.box);
    }
  }
  if (late()) return faces;
  const std::vector<float> scores = mtcnn.judge(rgb, doubtful, kJudged);
  for (std::size_t i = 0; i < doubtful.size(); ++i) {
    if (scores[i] >= kJudged) faces.push_back({doubtful[i], scores[i] >= kJudgedObvious});
  }
  return faces;
}

std::vector<Face> Detector::Networks::find_upright(const cv::Mat& rgb) {
  std::vector<Proposal> proposals = propose(rgb, kCoarse);
  append(proposals, propose(rgb, kFine));
  for (const int length : kTileLengths) {
    if (long_side(rgb) <= kTiledFrom) break;
    append(proposals, propose_in_tiles(rgb, length));
    if (long_side(rgb) <= static_cast<float>(length)) break;
  }
  return judge(rgb, std::move(proposals));
}

// Whether the turned copy shows a face where the upright picture shows none.
bool Detector::Networks::glance(const cv::Mat& turned, cv::RotateFlags turn,
                                const cv::Size& upright, float scale,
                                const std::vector<Face>& known) {
  std::vector<Box> unknown;
  for (const Proposal& proposal : propose(turned, kGlance)) {
    const Box box = scaled(turned_back(proposal.box, turn, upright), scale);
    const bool is_known =
        std::ranges::any_of(known, [&](const Face& face) { return meets(face.box, box); });
    if (!is_known) unknown.push_back(proposal.box);
  }
  const std::vector<float> scores = mtcnn.judge(turned, unknown, kGlanceJudged);
  return std::ranges::any_of(scores, [](float score) { return score >= kGlanceJudged; });
}

std::vector<Face> Detector::Networks::find(const cv::Mat& rgb) {
  std::vector<Face> faces = find_upright(rgb);
  const cv::Mat small = at_most(rgb, kGlance.long_side);
  const float scale = long_side(rgb) / long_side(small);
  const std::vector<Face> upright = faces;
  for (const cv::RotateFlags turn : kTurns) {
    cv::Mat turned;
    cv::rotate(small, turned, turn);
    if (!glance(turned, turn, small.size(), scale, upright)) continue;
    cv::rotate(rgb, turned, turn);
    for (const Face& face : find_upright(turned)) {
      faces.push_back({turned_back(face.box, turn, rgb.size()), face.obvious});
    }
  }
  return faces;
}

std::vector<Face> Detector::Networks::look_again(const cv::Mat& rgb) {
  std::vector<Proposal> proposals = propose(rgb, kCoarse);
  append(proposals, propose(rgb, kFarAway));
  return judge(rgb, std::move(proposals));
}

Detector::Detector(std::unique_ptr<Networks> networks) : networks_(std::move(networks)) {}
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;
Detector::~Detector() = default;

namespace {

// OpenCV throws; nothing beyond this file does.
template <class Function>
auto guarded(const char* doing, Function function) -> base::Result<decltype(function())> {
  try {
    return function();
  } catch (const std::exception& thrown) {
    auto failed = base::fail(base::ErrorKind::Internal, doing);
    failed.error().detail = thrown.what();
    return failed;
  }
}

// Read only: OpenCV has no constant matrix over foreign memory.
cv::Mat matrix(const View& view) {
  return {view.height, view.width, CV_8UC3, const_cast<std::uint8_t*>(view.rgb.data())};
}

}  // namespace

base::Result<Detector> Detector::open(const std::filesystem::path& models) {
  cv::setNumThreads(2);
  TRY(auto networks,
      guarded("load the face networks", [&] { return std::make_unique<Networks>(models); }));
  return Detector(std::move(networks));
}

template <class Search>
base::Result<std::vector<Face>> Detector::search(const View& view, const OutOfTime& out_of_time,
                                                 Search how) {
  networks_->out_of_time = out_of_time;
  networks_->is_late = false;
  TRY(auto faces, guarded("look for faces", [&] { return how(*networks_, matrix(view)); }));
  if (networks_->is_late) return base::fail(base::ErrorKind::Timeout, "no time left to find faces");
  return faces;
}

base::Result<std::vector<Face>> Detector::find(const View& view, const OutOfTime& out_of_time) {
  return search(view, out_of_time,
                [](Networks& networks, const cv::Mat& rgb) { return networks.find(rgb); });
}

base::Result<std::vector<Face>> Detector::look_again(const View& view,
                                                     const OutOfTime& out_of_time) {
  return search(view, out_of_time,
                [](Networks& networks, const cv::Mat& rgb) { return networks.look_again(rgb); });
}

}  // namespace anonymise_image
