#include "messageboard/api/picture.h"

namespace messageboard {
namespace {

using Header = std::expected<PictureHeader, PictureProblem>;

std::uint32_t byte(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
std::uint32_t big16(std::string_view bytes, std::size_t at) {
  return byte(bytes, at) << 8 | byte(bytes, at + 1);
}
std::uint32_t big32(std::string_view bytes, std::size_t at) {
  return big16(bytes, at) << 16 | big16(bytes, at + 2);
}
std::uint32_t little16(std::string_view bytes, std::size_t at) {
  return byte(bytes, at) | byte(bytes, at + 1) << 8;
}
std::uint32_t little24(std::string_view bytes, std::size_t at) {
  return little16(bytes, at) | byte(bytes, at + 2) << 16;
}
std::uint32_t little32(std::string_view bytes, std::size_t at) {
  return little16(bytes, at) | little16(bytes, at + 2) << 16;
}

Header damaged() { return std::unexpected(PictureProblem::Damaged); }

Header checked(PictureFormat format, std::uint32_t width, std::uint32_t height) {
  if (width == 0 || height == 0) return damaged();
  if (std::uint64_t{width} * height > kPicturePixelsMax) {
    return std::unexpected(PictureProblem::TooManyPixels);
  }
  return PictureHeader{format, width, height};
}

// ITU T.81: markers with lengths until a start-of-frame says the size.
Header read_jpeg(std::string_view bytes) {
  std::size_t at = 2;
  while (at + 4 <= bytes.size()) {
    if (byte(bytes, at) != 0xFF) return damaged();
    const std::uint32_t marker = byte(bytes, at + 1);
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) {  // markers without a length
      at += 2;
      continue;
    }
    const std::uint32_t length = big16(bytes, at + 2);
    if (length < 2) return damaged();
    const bool frame =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) {
      if (length < 8 || at + 9 > bytes.size()) return damaged();
      return checked(PictureFormat::Jpeg, big16(bytes, at + 7), big16(bytes, at + 5));
    }
    if (marker == 0xDA || marker == 0xD9) return damaged();  // data or end before any frame
    at += 2 + length;
  }
  return damaged();
}

Header read_png(std::string_view bytes) {
  if (bytes.size() < 33 || big32(bytes, 8) != 13 || bytes.substr(12, 4) != "IHDR") {
    return damaged();
  }
  // The animation's own chunk comes before the first picture data.
  std::size_t at = 33;
  while (at + 8 <= bytes.size()) {
    const std::string_view type = bytes.substr(at + 4, 4);
    if (type == "acTL") return std::unexpected(PictureProblem::Animated);
    if (type == "IDAT") break;
    const std::uint64_t next = std::uint64_t{at} + 12 + big32(bytes, at);
    if (next > bytes.size()) return damaged();
    at = static_cast<std::size_t>(next);
  }
  return checked(PictureFormat::Png, big32(bytes, 16), big32(bytes, 20));
}

// RFC 9649: RIFF, "WEBP", then VP8 (lossy), VP8L (lossless) or VP8X (extended).
Header read_webp(std::string_view bytes) {
  if (bytes.size() < 30) return damaged();
  const std::string_view chunk = bytes.substr(12, 4);
  if (chunk == "VP8X") {
    constexpr std::uint32_t kAnimation = 0x02;
    if ((byte(bytes, 20) & kAnimation) != 0) return std::unexpected(PictureProblem::Animated);
    return checked(PictureFormat::Webp, little24(bytes, 24) + 1, little24(bytes, 27) + 1);
  }
  if (chunk == "VP8L") {
    if (byte(bytes, 20) != 0x2F) return damaged();
    const std::uint32_t packed = little32(bytes, 21);
    return checked(PictureFormat::Webp, (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1);
  }
  if (chunk == "VP8 ") {
    const bool key_frame = (byte(bytes, 20) & 1) == 0;
    if (!key_frame || bytes.substr(23, 3) != "\x9D\x01\x2A") return damaged();
    return checked(PictureFormat::Webp, little16(bytes, 26) & 0x3FFF, little16(bytes, 28) & 0x3FFF);
  }
  return damaged();
}

}  // namespace

std::expected<PictureHeader, PictureProblem> read_picture_header(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xD8\xFF")) return read_jpeg(bytes);
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return read_png(bytes);
  if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return read_webp(bytes);
  return std::unexpected(PictureProblem::NotAPicture);
}

std::string_view content_type(PictureFormat format) {
  switch (format) {
    case PictureFormat::Jpeg: return "image/jpeg";
    case PictureFormat::Png: return "image/png";
    case PictureFormat::Webp: return "image/webp";
  }
  return "application/octet-stream";
}

std::string_view extension(PictureFormat format) {
  switch (format) {
    case PictureFormat::Jpeg: return "jpg";
    case PictureFormat::Png: return "png";
    case PictureFormat::Webp: return "webp";
  }
  return "bin";
}

}  // namespace messageboard
