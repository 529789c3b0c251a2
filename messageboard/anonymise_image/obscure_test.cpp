#include "messageboard/anonymise_image/obscure.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

namespace anonymise_image {
namespace {

// Fine detail everywhere: every pixel differs from its neighbours.
Picture detailed(int width, int height) {
  Picture picture{.width = width, .height = height};
  picture.rgb.resize(picture.pixels() * 3);
  base::SeededRandom random(7);
  random.fill(std::as_writable_bytes(std::span(picture.rgb)));
  return picture;
}

int at(const Picture& picture, int x, int y) {
  return picture.rgb[static_cast<std::size_t>(3 * (y * picture.width + x))];
}

// The mean difference of neighbours in the middle half of the box.
double roughness(const Picture& picture, int left, int top, int side) {
  double sum = 0;
  int count = 0;
  for (int y = top + side / 4; y < top + side * 3 / 4; ++y) {
    for (int x = left + side / 4; x < left + side * 3 / 4; ++x, ++count) {
      sum += std::abs(at(picture, x, y) - at(picture, x + 1, y));
    }
  }
  return sum / count;
}

TEST(Obscuring, LeavesNoDetailInTheBoxAndEverythingOutsideIt) {
  const Picture before = detailed(200, 200);
  Picture after = before;
  base::SeededRandom random(1);
  obscure(after, std::vector<Box>{{50, 50, 80, 80}}, Style::Blurred, random);
  EXPECT_GT(roughness(before, 50, 50, 80), 60);
  EXPECT_LT(roughness(after, 50, 50, 80), 4);
  for (int y = 0; y < 200; ++y) {
    for (int x = 0; x < 200; ++x) {
      if (x >= 50 && x < 130 && y >= 50 && y < 130) continue;
      ASSERT_EQ(at(before, x, y), at(after, x, y)) << x << "," << y;
    }
  }
}

TEST(Obscuring, KeepsNoMoreThanSixteenAveragesOfALargeFace) {
  // Two pictures that have the same averages and nothing else in common come out the same.
  Picture checked{.width = 400, .height = 400};
  checked.rgb.resize(checked.pixels() * 3);
  Picture striped = checked;
  for (int y = 0; y < 400; ++y) {
    for (int x = 0; x < 400; ++x) {
      for (int c = 0; c < 3; ++c) {
        const auto sample = static_cast<std::size_t>(3 * (y * 400 + x) + c);
        checked.rgb[sample] = (x / 5 + y / 5) % 2 == 0 ? 255 : 0;
        striped.rgb[sample] = x / 5 % 2 == 0 ? 255 : 0;
      }
    }
  }
  base::SeededRandom one(3);
  base::SeededRandom two(3);
  const std::vector<Box> everything{{0, 0, 400, 400}};
  obscure(checked, everything, Style::Blurred, one);
  obscure(striped, everything, Style::Blurred, two);
  for (int y = 100; y < 300; ++y) {
    for (int x = 100; x < 300; ++x) {
      ASSERT_NEAR(at(checked, x, y), at(striped, x, y), 1) << x << "," << y;
    }
  }
}

TEST(Obscuring, AddsNoiseThatDiffersEachTime) {
  std::set<int> middles;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Picture picture{.width = 80, .height = 80};
    picture.rgb.assign(picture.pixels() * 3, 128);
    base::SeededRandom random(seed);
    obscure(picture, std::vector<Box>{{0, 0, 80, 80}}, Style::Blurred, random);
    middles.insert(at(picture, 40, 40));
  }
  EXPECT_GT(middles.size(), 4u);
}

TEST(Obscuring, CoversTheDetectorsBoxButForItsCorners) {
  Picture picture{.width = 100, .height = 100};
  picture.rgb.assign(picture.pixels() * 3, 255);
  base::SeededRandom random(1);
  obscure(picture, std::vector<Box>{grown({30, 30, 40, 40}, kFaceMargin)}, Style::Solid, random);
  for (int y = 30; y < 70; ++y) {
    for (int x = 30; x < 70; ++x) ASSERT_EQ(at(picture, x, y), 128) << x << "," << y;
  }
}

TEST(Obscuring, HoldsAtEdgesAndForBoxesThatAreNone) {
  base::SeededRandom random(1);
  Picture picture = detailed(40, 40);
  obscure(picture,
          std::vector<Box>{{-10, -10, 30, 30},
                           {30, 30, 50, 50},
                           {100, 100, 5, 5},
                           {-50, 0, 20, 20},
                           {5, 5, 0, 0},
                           {20, 20, 1, 1},
                           {-1e9f, -1e9f, 2e9f, 2e9f},
                           {NAN, 0, 5, 5},
                           {0, 0, -5, 5}},
          Style::Blurred, random);
  Picture point = detailed(1, 1);
  obscure(point, std::vector<Box>{{-3, -3, 9, 9}}, Style::Blurred, random);
}

}  // namespace
}  // namespace anonymise_image
