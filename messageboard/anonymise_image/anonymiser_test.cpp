// Photographs with people, out of a pinned npm package; the faces in them as another detector (SSD
// MobileNet) reports them.
#include "messageboard/anonymise_image/anonymiser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "messageboard/anonymise_image/encode.h"
#include "messageboard/anonymise_image/picture_testing.h"

namespace anonymise_image {
namespace {

struct Sample {
  const char* file;
  std::vector<Box> faces;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {"sample1.jpg", {{414, 355, 178, 238}, {838, 421, 187, 227}, {1476, 200, 203, 241}}},
      {"sample4.jpg",
       {{664, 52, 187, 258}, {257, 184, 162, 246}, {988, 180, 169, 228}, {1277, 144, 145, 243}}},
      {"sample6.jpg",
       {{681, 321, 159, 306}, {1181, 305, 188, 280}, {1487, 263, 212, 294}, {250, 467, 210, 291}}},
  };
  return all;
}

std::string bytes_of(const Sample& sample) {
  std::ifstream file(std::string(SAMPLES_FOLDER "/") + sample.file, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Every `by` times `by` pixels made one.
Picture shrunk(const Picture& picture, int by) {
  Picture small{.width = picture.width / by, .height = picture.height / by};
  small.rgb.resize(small.pixels() * 3);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int i = 0; i < by * by; ++i) {
          const int from = (y * by + i / by) * picture.width + x * by + i % by;
          sum += picture.rgb[static_cast<std::size_t>(3 * from + c)];
        }
        small.rgb[static_cast<std::size_t>(3 * (y * small.width + x) + c)] =
            static_cast<std::uint8_t>(sum / (by * by));
      }
    }
  }
  return small;
}

Picture small_sample(const Sample& sample, int by) {
  return shrunk(decode(bytes_of(sample)).value(), by);
}

View view_of(const Picture& picture) { return {picture.width, picture.height, picture.rgb}; }

bool covers(const std::vector<Face>& found, float x, float y) {
  return std::ranges::any_of(found, [&](const Face& face) {
    const Box& box = face.box;
    return x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
  });
}

// The mean difference of horizontal neighbours in the middle of a box.
double roughness(const Picture& picture, const Box& box) {
  double sum = 0;
  int count = 0;
  for (int y = int(box.y + box.height / 4); y < int(box.y + box.height * 3 / 4); ++y) {
    for (int x = int(box.x + box.width / 4); x < int(box.x + box.width * 3 / 4); ++x, ++count) {
      const auto at = static_cast<std::size_t>(3 * (y * picture.width + x));
      sum += std::abs(picture.rgb[at + 1] - picture.rgb[at + 4]);
    }
  }
  return sum / count;
}

Detector open_detector() {
  auto detector = Detector::open(MODELS_FOLDER);
  EXPECT_TRUE(detector.has_value()) << base::describe(detector.error());
  return std::move(*detector);
}

TEST(FaceDetector, FindsEveryKnownFaceAtItsOwnSizeAndMuchSmaller) {
  Detector detector = open_detector();
  for (const Sample& sample : samples()) {
    for (const int by : {1, 5}) {
      const Picture picture = small_sample(sample, by);
      const auto found = detector.find(view_of(picture)).value();
      for (const Box& face : sample.faces) {
        EXPECT_TRUE(covers(found, (face.x + face.width / 2) / static_cast<float>(by),
                           (face.y + face.height / 2) / static_cast<float>(by)))
            << sample.file << " by " << by << " at " << face.x << "," << face.y;
      }
    }
  }
}

TEST(FaceDetector, FindsFacesOfPhotographsThatLieOnTheirSide) {
  Detector detector = open_detector();
  for (const Sample& sample : samples()) {
    const Picture picture = small_sample(sample, 4);
    const Picture turned = upright(picture, 6);
    const auto found = detector.find(view_of(turned)).value();
    for (const Box& face : sample.faces) {
      const float x = (face.x + face.width / 2) / 4;
      const float y = (face.y + face.height / 2) / 4;
      EXPECT_TRUE(covers(found, static_cast<float>(picture.height) - y, x))
          << sample.file << " at " << face.x << "," << face.y;
    }
  }
}

TEST(FaceDetector, FindsNoneWhereNobodyIs) {
  Detector detector = open_detector();
  EXPECT_TRUE(detector.find(view_of(testing::cornered(300, 200))).value().empty());
  EXPECT_TRUE(detector.find(view_of(testing::cornered(1, 1))).value().empty());
  EXPECT_TRUE(detector.find(view_of(testing::cornered(2000, 1))).value().empty());
}

TEST(FaceDetector, StopsWhenItsTimeIsUp) {
  Detector detector = open_detector();
  const auto found = detector.find(view_of(testing::cornered(300, 200)), [] { return true; });
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind, base::ErrorKind::Timeout);
}

TEST(FaceDetector, WithoutItsNetworksDoesNotOpen) {
  EXPECT_FALSE(Detector::open("/nonexistent").has_value());
}

class AnonymiserTest : public ::testing::Test {
 protected:
  Picture anonymised(const std::string& bytes, Style style = Style::Blurred) {
    Anonymiser anonymiser(open_detector(), style, random_);
    const auto result = anonymiser.anonymise(bytes);
    EXPECT_TRUE(result.has_value()) << base::describe(result.error());
    faces_ = result->faces;
    return decode(result->bytes).value();
  }
  base::SeededRandom random_{1};
  std::size_t faces_ = 0;
};

TEST_F(AnonymiserTest, LeavesNoFaceThatCouldBeFoundAgain) {
  Detector detector = open_detector();
  for (const Style style : {Style::Blurred, Style::Solid}) {
    for (const Sample& sample : samples()) {
      const Picture before = decode(bytes_of(sample)).value();
      const Picture after = anonymised(bytes_of(sample), style);
      EXPECT_GE(faces_, sample.faces.size());
      ASSERT_EQ(after.width, before.width);
      for (const Box& face : sample.faces) {
        EXPECT_LT(roughness(after, face), roughness(before, face) / 2) << sample.file;
      }
      const auto again = detector.look_again(view_of(after)).value();
      EXPECT_TRUE(std::ranges::none_of(again, &Face::obvious)) << sample.file;
    }
  }
}

TEST_F(AnonymiserTest, TurnsThePictureUprightBeforeItLooks) {
  const Sample& sample = samples()[0];
  const Picture picture = small_sample(sample, 4);
  // Stored turned counterclockwise, with the tag that says so.
  const std::string stored = testing::with_segment(testing::jpeg(upright(picture, 8)), '\xe1',
                                                   std::string("Exif\0\0", 6) + testing::exif(6));
  const Picture after = anonymised(stored);
  EXPECT_GE(faces_, sample.faces.size());
  EXPECT_EQ(after.width, picture.width);
  EXPECT_EQ(after.height, picture.height);
}

TEST_F(AnonymiserTest, LetsNothingSurviveUnderTransparentPixels) {
  const Picture hidden = small_sample(samples()[0], 5);
  std::string rgba;
  for (std::size_t i = 0; i < hidden.pixels(); ++i) {
    rgba.append(reinterpret_cast<const char*>(&hidden.rgb[3 * i]), 3);
    rgba += '\0';
  }
  const Picture after = anonymised(testing::png(
      {.width = hidden.width, .height = hidden.height, .colour = testing::kRgba, .samples = rgba}));
  EXPECT_TRUE(after.alpha.empty());
  // White, and where a face is hidden white with noise; the photograph itself is darker.
  EXPECT_TRUE(std::ranges::any_of(hidden.rgb, [](int sample) { return sample < 60; }));
  EXPECT_TRUE(std::ranges::all_of(after.rgb, [](int sample) { return sample > 100; }));
}

TEST_F(AnonymiserTest, ObscuresWhatShowsThroughFaintly) {
  const Picture hidden = small_sample(samples()[0], 5);
  std::string rgba;
  for (std::size_t i = 0; i < hidden.pixels(); ++i) {
    rgba.append(reinterpret_cast<const char*>(&hidden.rgb[3 * i]), 3);
    rgba += '\x14';
  }
  const std::string file = testing::png(
      {.width = hidden.width, .height = hidden.height, .colour = testing::kRgba, .samples = rgba});
  const Picture shown = flatten(decode(file).value());
  const Picture after = anonymised(file);
  for (const Box& face : samples()[0].faces) {
    const Box small{face.x / 5, face.y / 5, face.width / 5, face.height / 5};
    EXPECT_NE(roughness(after, small), roughness(shown, small));
  }
}

TEST_F(AnonymiserTest, PassesNoMetadataOn) {
  const Picture picture = testing::cornered(64, 64);
  const std::string secret = "SECRET GPS POSITION";
  Anonymiser anonymiser(open_detector(), Style::Blurred, random_);
  const std::string png =
      testing::png(picture, testing::chunk("tEXt", secret) + testing::chunk("eXIf", secret));
  const std::string jpeg = testing::with_segment(testing::jpeg(picture), '\xfe', secret) + secret;
  const std::string webp =
      testing::riff(testing::vp8x(0x0c, 64, 64) + testing::webp(picture).substr(12) +
                    testing::riff_chunk("EXIF", secret) + testing::riff_chunk("XMP ", secret));
  for (const std::string& bytes : {png, jpeg, webp}) {
    ASSERT_NE(bytes.find(secret), std::string::npos);
    const auto result = anonymiser.anonymise(bytes);
    ASSERT_TRUE(result.has_value()) << base::describe(result.error());
    EXPECT_EQ(result->bytes.find(secret), std::string::npos);
    EXPECT_EQ(result->bytes.find("Exif"), std::string::npos);
    EXPECT_TRUE(decode(result->bytes).has_value());
  }
}

TEST_F(AnonymiserTest, KeepsTheFormat) {
  const Picture picture = testing::cornered(64, 64);
  EXPECT_EQ(anonymised(testing::jpeg(picture)).format, Format::Jpeg);
  EXPECT_EQ(anonymised(testing::png(picture)).format, Format::Png);
  EXPECT_EQ(anonymised(testing::webp(picture)).format, Format::Webp);
}

TEST(Flattening, PutsColourOnWhitePaper) {
  Picture picture{
      .width = 3, .height = 1, .rgb = {0, 0, 0, 0, 0, 0, 10, 20, 30}, .alpha = {0, 128, 255}};
  EXPECT_EQ(flatten(picture).rgb,
            (std::vector<std::uint8_t>{255, 255, 255, 127, 127, 127, 10, 20, 30}));
  EXPECT_TRUE(flatten(picture).alpha.empty());
}

}  // namespace
}  // namespace anonymise_image
