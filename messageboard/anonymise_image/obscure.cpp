#include "messageboard/anonymise_image/obscure.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace anonymise_image {
namespace {

constexpr int kCells = 4;
// Standard deviation of the noise on each average, of 255.
constexpr float kNoise = 30;
// The blur's standard deviation as a part of the box's width; the averages are already all that is
// known of the face, so this is for looks.
constexpr float kBlur = 0.16f;
// The patch is made at this size and stretched: nothing in it is finer than a cell.
constexpr int kPatch = 24;

using Colour = std::array<float, 3>;
using Cells = std::array<std::array<Colour, kCells>, kCells>;
using Patch = std::array<std::array<Colour, kPatch>, kPatch>;

// Pixels of the picture that a box covers.
struct Area {
  int left = 0;
  int top = 0;
  int right = 0;
  int bottom = 0;

  bool empty() const { return left >= right || top >= bottom; }
};

int clamped(float at, int limit) {
  return static_cast<int>(std::clamp(at, 0.0f, static_cast<float>(limit)));
}

Area area_of(const Box& box, const Picture& picture) {
  return {clamped(std::floor(box.x), picture.width), clamped(std::floor(box.y), picture.height),
          clamped(std::ceil(box.x + box.width), picture.width),
          clamped(std::ceil(box.y + box.height), picture.height)};
}

// Roughly normal with the deviation kNoise: the sum of twelve uniform numbers.
float noise(base::Random& random) {
  std::array<std::byte, 12> bytes;
  random.fill(bytes);
  float sum = 0;
  for (const std::byte byte : bytes) {
    sum += (static_cast<float>(std::to_integer<int>(byte)) + 0.5f) / 256;
  }
  return (sum - 6) * kNoise;
}

Colour average(const Picture& picture, const Area& area) {
  std::array<std::uint64_t, 3> sums{};
  for (int y = area.top; y < area.bottom; ++y) {
    const std::size_t row = static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width);
    for (int x = area.left; x < area.right; ++x) {
      const std::size_t at = 3 * (row + static_cast<std::size_t>(x));
      for (std::size_t channel = 0; channel < 3; ++channel) {
        sums[channel] += picture.rgb[at + channel];
      }
    }
  }
  const auto pixels =
      static_cast<float>(area.right - area.left) * static_cast<float>(area.bottom - area.top);
  Colour mean{};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    mean[channel] = static_cast<float>(sums[channel]) / pixels;
  }
  return mean;
}

int split(int from, int to, int cell, int cells) { return from + (to - from) * cell / cells; }

Cells averages(const Picture& picture, const Area& area, base::Random& random) {
  // A small face has fewer cells, never cells of one pixel.
  const int cells =
      std::clamp(std::min(area.right - area.left, area.bottom - area.top) / 4, 1, kCells);
  Cells result;
  for (int row = 0; row < kCells; ++row) {
    for (int column = 0; column < kCells; ++column) {
      const int y = row * cells / kCells;
      const int x = column * cells / kCells;
      const Area part{
          split(area.left, area.right, x, cells), split(area.top, area.bottom, y, cells),
          split(area.left, area.right, x + 1, cells), split(area.top, area.bottom, y + 1, cells)};
      Colour colour = average(picture, part);
      for (float& sample : colour) sample = std::clamp(sample + noise(random), 0.0f, 255.0f);
      result[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] = colour;
    }
  }
  return result;
}

// Every point of the patch as the mean of all cells, weighted by a Gaussian of their distance.
Patch blurred(const Cells& cells) {
  Patch patch;
  for (std::size_t row = 0; row < kPatch; ++row) {
    for (std::size_t column = 0; column < kPatch; ++column) {
      Colour sum{};
      float weights = 0;
      for (std::size_t y = 0; y < kCells; ++y) {
        for (std::size_t x = 0; x < kCells; ++x) {
          const float dy =
              (static_cast<float>(row) + 0.5f) / kPatch - (static_cast<float>(y) + 0.5f) / kCells;
          const float dx = (static_cast<float>(column) + 0.5f) / kPatch -
                           (static_cast<float>(x) + 0.5f) / kCells;
          const float weight = std::exp(-(dx * dx + dy * dy) / (2 * kBlur * kBlur));
          weights += weight;
          for (std::size_t c = 0; c < 3; ++c) sum[c] += weight * cells[y][x][c];
        }
      }
      for (std::size_t c = 0; c < 3; ++c) patch[row][column][c] = sum[c] / weights;
    }
  }
  return patch;
}

// The patch between its points, `x` and `y` from 0 to 1.
Colour sample(const Patch& patch, float x, float y) {
  const auto at = [](float where, std::size_t& low, std::size_t& high) {
    const float point = std::clamp(where * kPatch - 0.5f, 0.0f, kPatch - 1.0f);
    low = static_cast<std::size_t>(point);
    high = std::min<std::size_t>(low + 1, kPatch - 1);
    return point - static_cast<float>(low);
  };
  std::size_t left = 0;
  std::size_t right = 0;
  std::size_t top = 0;
  std::size_t bottom = 0;
  const float across = at(x, left, right);
  const float down = at(y, top, bottom);
  Colour mixed;
  for (std::size_t c = 0; c < 3; ++c) {
    const float above = patch[top][left][c] * (1 - across) + patch[top][right][c] * across;
    const float below = patch[bottom][left][c] * (1 - across) + patch[bottom][right][c] * across;
    mixed[c] = above * (1 - down) + below * down;
  }
  return mixed;
}

// Calls paint(pixel, x, y) for the pixels of the rounded box, x and y from 0 to 1 across it. An
// ellipse on shoulders is taken for a face by detectors three times as often.
template <class Paint>
void for_rounded_box(Picture& picture, const Box& box, const Area& area, Paint paint) {
  for (int row = area.top; row < area.bottom; ++row) {
    for (int column = area.left; column < area.right; ++column) {
      const float x = (static_cast<float>(column) + 0.5f - box.x) / box.width;
      const float y = (static_cast<float>(row) + 0.5f - box.y) / box.height;
      const float across = (2 * x - 1) * (2 * x - 1);
      const float down = (2 * y - 1) * (2 * y - 1);
      if (across * across + down * down > 1) continue;
      const std::size_t pixel =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(picture.width) +
          static_cast<std::size_t>(column);
      paint(picture.rgb.data() + 3 * pixel, x, y);
    }
  }
}

}  // namespace

void obscure(Picture& picture, std::span<const Box> boxes, Style style, base::Random& random) {
  for (const Box& box : boxes) {
    // Written so that what is not a number fails it.
    const bool sane = box.width > 0 && box.height > 0 && std::isfinite(box.x + box.width) &&
                      std::isfinite(box.y + box.height);
    if (!sane) continue;
    const Area area = area_of(box, picture);
    if (area.empty()) continue;
    if (style == Style::Solid) {
      for_rounded_box(picture, box, area, [](std::uint8_t* pixel, float, float) {
        std::fill_n(pixel, 3, std::uint8_t{128});
      });
      continue;
    }
    // Averages of what lies inside the picture: a face at the edge keeps no finer cells.
    const Patch patch = blurred(averages(picture, area, random));
    const auto width = static_cast<float>(area.right - area.left);
    const auto height = static_cast<float>(area.bottom - area.top);
    for_rounded_box(picture, box, area, [&](std::uint8_t* pixel, float x, float y) {
      const Colour colour =
          sample(patch, (box.x + x * box.width - static_cast<float>(area.left)) / width,
                 (box.y + y * box.height - static_cast<float>(area.top)) / height);
      for (std::size_t c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(colour[c]);
    });
  }
}

}  // namespace anonymise_image
