#include <webp/decode.h>

#include <algorithm>
#include <optional>

#include "messageboard/anonymise_image/decode.h"

namespace anonymise_image {
namespace {

using base::ErrorKind;

std::uint32_t little_endian(std::string_view four) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(four[i]);
  return value;
}

// The orientation of the EXIF chunk; the decoder itself does not look at it. Also refuses a file
// whose chunks do not fill it, or that carries animation frames.
base::Result<int> read_chunks(std::string_view bytes) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  std::optional<int> orientation;
  const std::uint32_t riff_bytes = bytes.size() >= 12 ? little_endian(bytes.substr(4)) : 0;
  if (riff_bytes < 4 || riff_bytes > bytes.size() - 8) {
    return base::fail(ErrorKind::InvalidInput, "a damaged WebP: it is cut short");
  }
  std::string_view rest = bytes.substr(12, riff_bytes - 4);
  while (rest.size() >= 8) {
    const std::string_view name = rest.substr(0, 4);
    const std::uint32_t size = little_endian(rest.substr(4));
    rest.remove_prefix(8);
    if (size > rest.size()) {
      return base::fail(ErrorKind::InvalidInput, "a damaged WebP: a chunk is cut short");
    }
    if (name == "ANIM" || name == "ANMF") {
      return base::fail(ErrorKind::NotImplemented, "animated WebP pictures are not supported");
    }
    if (name == "EXIF" && !orientation) {
      std::string_view body = rest.substr(0, size);
      if (body.starts_with(kExif)) body.remove_prefix(kExif.size());
      orientation = exif_orientation(body);
    }
    rest.remove_prefix(std::min<std::size_t>(rest.size(), size + (size & 1)));
  }
  return orientation.value_or(1);
}

}  // namespace

base::Result<Decoded> decode_webp(std::string_view bytes, const DecodeLimits& limits) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(data, bytes.size(), &features);
  if (status != VP8_STATUS_OK) {
    return base::fail(ErrorKind::InvalidInput, "a damaged WebP: its header cannot be read");
  }
  if (features.has_animation != 0) {
    return base::fail(ErrorKind::NotImplemented, "animated WebP pictures are not supported");
  }
  TRY_VOID(check_size(static_cast<std::uint64_t>(features.width),
                      static_cast<std::uint64_t>(features.height), limits));
  Decoded decoded;
  TRY(decoded.orientation, read_chunks(bytes));
  Picture& picture = decoded.picture;
  picture.format = Format::Webp;
  picture.width = features.width;
  picture.height = features.height;
  picture.rgb.resize(picture.pixels() * 3);
  const bool has_alpha = features.has_alpha != 0;
  std::vector<std::uint8_t> rgba(has_alpha ? picture.pixels() * 4 : 0);
  const std::uint8_t* whole = has_alpha ? WebPDecodeRGBAInto(data, bytes.size(), rgba.data(),
                                                             rgba.size(), picture.width * 4)
                                        : WebPDecodeRGBInto(data, bytes.size(), picture.rgb.data(),
                                                            picture.rgb.size(), picture.width * 3);
  if (whole == nullptr) {
    return base::fail(ErrorKind::InvalidInput, "a damaged WebP: its pixels cannot be read");
  }
  if (has_alpha) {
    picture.alpha.resize(picture.pixels());
    for (std::size_t i = 0; i < picture.pixels(); ++i) {
      std::copy_n(rgba.begin() + static_cast<std::ptrdiff_t>(4 * i), 3,
                  picture.rgb.begin() + static_cast<std::ptrdiff_t>(3 * i));
      picture.alpha[i] = rgba[4 * i + 3];
    }
  }
  return decoded;
}

}  // namespace anonymise_image
