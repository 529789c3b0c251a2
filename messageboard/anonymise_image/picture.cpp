#include "messageboard/anonymise_image/picture.h"

#include <algorithm>

namespace anonymise_image {

std::string_view content_type(Format format) {
  switch (format) {
    case Format::Jpeg: return "image/jpeg";
    case Format::Png: return "image/png";
    case Format::Webp: return "image/webp";
  }
  return "application/octet-stream";
}

float overlap(const Box& a, const Box& b) {
  const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const float shared = width * height;
  return shared / (a.area() + b.area() - shared);
}

Box grown(const Box& box, float factor) {
  const float width = box.width * factor;
  const float height = box.height * factor;
  return {box.x - (width - box.width) / 2, box.y - (height - box.height) / 2, width, height};
}

}  // namespace anonymise_image
