#include <fmt/core.h>
#include <png.h>

#include <optional>
#include <string>

#include "messageboard/anonymise_image/decode.h"

namespace anonymise_image {
namespace {

using base::ErrorKind;

std::uint32_t big_endian(std::string_view four) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(four[i]);
  return value;
}

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kChunkFrameBytes = 12;  // length, name, checksum

// The chunks that say what the pixels are. The others - text, profiles, times, compressed without
// bound - never reach the decoder, whose warnings can then be taken seriously.
struct Essence {
  std::string file;
  std::optional<int> orientation;
};

base::Result<Essence> essence(std::string_view bytes) {
  Essence found;
  found.file = bytes.substr(0, kSignatureBytes);
  std::string_view rest = bytes.substr(kSignatureBytes);
  while (rest.size() >= kChunkFrameBytes) {
    const std::size_t size = big_endian(rest);
    const std::string_view name = rest.substr(4, 4);
    if (size > rest.size() - kChunkFrameBytes) break;
    const std::string_view chunk = rest.substr(0, size + kChunkFrameBytes);
    rest.remove_prefix(chunk.size());
    if (name == "acTL" || name == "fcTL" || name == "fdAT") {
      return base::fail(ErrorKind::NotImplemented, "animated PNG pictures are not supported");
    }
    if (name == "eXIf" && !found.orientation) {
      found.orientation = exif_orientation(chunk.substr(8, size));
    }
    // The fifth bit of the name's first letter says whether a decoder may skip the chunk.
    const bool essential = (name[0] & 0x20) == 0;
    if (essential || name == "tRNS") found.file += chunk;
    if (name == "IEND") return found;
  }
  return base::fail(ErrorKind::InvalidInput, "a damaged PNG: it is cut short");
}

// Frees what libpng keeps, on every way out.
struct Reader {
  png_image image{};
  Reader() { image.version = PNG_IMAGE_VERSION; }
  ~Reader() { png_image_free(&image); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

std::unexpected<base::Error> damaged(const png_image& image) {
  return base::fail(ErrorKind::InvalidInput, fmt::format("a damaged PNG: {}", image.message));
}

void split(const std::vector<std::uint8_t>& rgba, Picture& picture) {
  picture.rgb.resize(picture.pixels() * 3);
  picture.alpha.resize(picture.pixels());
  for (std::size_t i = 0; i < picture.pixels(); ++i) {
    picture.rgb[3 * i] = rgba[4 * i];
    picture.rgb[3 * i + 1] = rgba[4 * i + 1];
    picture.rgb[3 * i + 2] = rgba[4 * i + 2];
    picture.alpha[i] = rgba[4 * i + 3];
  }
}

}  // namespace

base::Result<Decoded> decode_png(std::string_view bytes, const DecodeLimits& limits) {
  // IHDR comes first; its size is judged before anything is allocated for it.
  if (bytes.size() < 24 || bytes.substr(12, 4) != "IHDR") {
    return base::fail(ErrorKind::InvalidInput, "a damaged PNG: it has no header");
  }
  TRY_VOID(check_size(big_endian(bytes.substr(16)), big_endian(bytes.substr(20)), limits));
  TRY(const Essence essential, essence(bytes));

  Reader reader;
  png_image& image = reader.image;
  if (png_image_begin_read_from_memory(&image, essential.file.data(), essential.file.size()) == 0) {
    return damaged(image);
  }
  TRY_VOID(check_size(image.width, image.height, limits));
  // Without a profile 16-bit samples are as 8-bit ones, not linear light.
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  const bool has_alpha = (image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  image.format = has_alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;

  Decoded decoded;
  decoded.orientation = essential.orientation.value_or(1);
  Picture& picture = decoded.picture;
  picture.format = Format::Png;
  picture.width = static_cast<int>(image.width);
  picture.height = static_cast<int>(image.height);
  std::vector<std::uint8_t> samples(picture.pixels() * (has_alpha ? 4 : 3));
  if (png_image_finish_read(&image, nullptr, samples.data(), 0, nullptr) == 0 ||
      image.warning_or_error != 0) {
    return damaged(image);
  }
  if (has_alpha) {
    split(samples, picture);
  } else {
    picture.rgb = std::move(samples);
  }
  return decoded;
}

}  // namespace anonymise_image
