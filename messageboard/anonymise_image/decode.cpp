#include "messageboard/anonymise_image/decode.h"

#include <fmt/core.h>

#include <utility>

namespace anonymise_image {
namespace {

using base::ErrorKind;

struct Signature {
  std::string_view bytes;
  std::size_t at;
  std::string_view name;
};
// Formats that people do upload and that are refused by name.
constexpr Signature kRefused[] = {
    {"GIF8", 0, "GIF"},
    {std::string_view("II*\0", 4), 0, "TIFF"},
    {std::string_view("MM\0*", 4), 0, "TIFF"},
    {"BM", 0, "BMP"},
    {"ftypavif", 4, "AVIF"},
    {"ftypavis", 4, "AVIF"},
    {"ftyphei", 4, "HEIC"},
    {"ftypmif1", 4, "HEIF"},
    {"ftypmsf1", 4, "HEIF"},
    {std::string_view("\xff\x0a", 2), 0, "JPEG XL"},
    {std::string_view("\0\0\0\x0cJXL ", 8), 0, "JPEG XL"},
    {"<svg", 0, "SVG"},
    {"<?xml", 0, "SVG"},
    {"8BPS", 0, "Photoshop"},
    {"%PDF", 0, "PDF"},
};

bool has(std::string_view bytes, std::string_view expected, std::size_t at) {
  return bytes.size() >= at && bytes.substr(at).starts_with(expected);
}

base::Result<Decoded> decode_any(std::string_view bytes, const DecodeLimits& limits) {
  if (has(bytes, "\xff\xd8\xff", 0)) return decode_jpeg(bytes, limits);
  if (has(bytes, "\x89PNG\r\n\x1a\n", 0)) return decode_png(bytes, limits);
  if (has(bytes, "RIFF", 0) && has(bytes, "WEBP", 8)) return decode_webp(bytes, limits);
  for (const Signature& signature : kRefused) {
    if (has(bytes, signature.bytes, signature.at)) {
      return base::fail(
          ErrorKind::NotImplemented,
          fmt::format("{} pictures are not supported: JPEG, PNG and WebP are", signature.name));
    }
  }
  return base::fail(ErrorKind::InvalidInput, "not a picture: neither JPEG, PNG nor WebP");
}

}  // namespace

base::Result<void> check_size(std::uint64_t width, std::uint64_t height,
                              const DecodeLimits& limits) {
  if (width == 0 || height == 0) return base::fail(ErrorKind::InvalidInput, "an empty picture");
  const auto side_max = static_cast<std::uint64_t>(limits.side_max);
  if (width > side_max || height > side_max || width * height > limits.pixels_max) {
    return base::fail(ErrorKind::TooLarge,
                      fmt::format("{}x{} pixels: at most {} pixels and {} a side are taken", width,
                                  height, limits.pixels_max, limits.side_max));
  }
  return {};
}

base::Result<Picture> decode(std::string_view bytes, const DecodeLimits& limits) {
  if (bytes.size() > limits.bytes_max) {
    return base::fail(ErrorKind::TooLarge, fmt::format("{} bytes: at most {} are taken",
                                                       bytes.size(), limits.bytes_max));
  }
  TRY(auto decoded, decode_any(bytes, limits));
  return upright(std::move(decoded.picture), decoded.orientation);
}

}  // namespace anonymise_image
