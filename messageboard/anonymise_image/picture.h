// A decoded photograph: upright, 8-bit RGB, rows without gaps. Values only; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace anonymise_image {

enum class Format : std::uint8_t { Jpeg, Png, Webp };

// "image/jpeg" and so on.
std::string_view content_type(Format format);

struct Picture {
  Format format = Format::Jpeg;
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;    // width * height * 3
  std::vector<std::uint8_t> alpha;  // width * height, or empty when every pixel is opaque

  std::size_t pixels() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  }
};

// Part of a picture, in its pixels; may reach beyond its edges.
struct Box {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;

  float area() const { return width * height; }
};

// Intersection over union.
float overlap(const Box& a, const Box& b);
// Larger by `factor` around the same centre.
Box grown(const Box& box, float factor);

}  // namespace anonymise_image
