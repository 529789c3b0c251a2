// For tests: picture files made by hand, so that each is wrong in exactly one way.
#pragma once

#include <turbojpeg.h>
#include <webp/encode.h>
#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "messageboard/anonymise_image/picture.h"

namespace anonymise_image::testing {

inline std::string number(std::uint32_t value, int bytes, bool big_endian = true) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text += static_cast<char>(value >> 8 * (big_endian ? bytes - 1 - i : i));
  }
  return text;
}

// Red in the upper left quarter, white elsewhere: tells every orientation from every other.
inline Picture cornered(int width, int height) {
  Picture picture{.width = width, .height = height};
  picture.rgb.assign(picture.pixels() * 3, 255);
  for (int y = 0; y < height / 2; ++y) {
    for (int x = 0; x < width / 2; ++x) {
      picture.rgb[static_cast<std::size_t>(3 * (y * width + x)) + 1] = 0;
      picture.rgb[static_cast<std::size_t>(3 * (y * width + x)) + 2] = 0;
    }
  }
  return picture;
}

// Which corner of the picture is red: "tl", "tr", "bl" or "br".
inline std::string red_corner(const Picture& picture) {
  std::string found;
  for (const bool bottom : {false, true}) {
    for (const bool right : {false, true}) {
      const int x = right ? picture.width - 1 : 0;
      const int y = bottom ? picture.height - 1 : 0;
      const auto at = static_cast<std::size_t>(3 * (y * picture.width + x));
      if (picture.rgb[at] > 200 && picture.rgb[at + 1] < 60) {
        found += bottom ? 'b' : 't';
        found += right ? 'r' : 'l';
      }
    }
  }
  return found;
}

// The EXIF block that holds nothing but an orientation.
inline std::string exif(int orientation, bool big_endian = false) {
  const auto n = [&](std::uint32_t value, int bytes) { return number(value, bytes, big_endian); };
  return std::string(big_endian ? "MM" : "II") + n(42, 2) + n(8, 4) + n(2, 2) +
         // Make, so that the orientation is not the first entry
         n(0x010f, 2) + n(2, 2) + n(2, 4) + std::string("X\0\0\0", 4) + n(0x0112, 2) + n(3, 2) +
         n(1, 4) + n(static_cast<std::uint32_t>(orientation), 2) + n(0, 2) + n(0, 4);
}

inline std::string jpeg(const unsigned char* pixels, int width, int height, int pixel_format,
                        int flags = 0) {
  const auto encoder = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  tjCompress2(encoder, pixels, width, 0, height, pixel_format, &bytes, &size, TJSAMP_444, 95,
              flags);
  std::string file(reinterpret_cast<char*>(bytes), size);
  tjFree(bytes);
  tjDestroy(encoder);
  return file;
}

inline std::string jpeg(const Picture& picture, int flags = 0) {
  return jpeg(picture.rgb.data(), picture.width, picture.height, TJPF_RGB, flags);
}

// The JPEG with a marker segment put in after its start marker.
inline std::string with_segment(const std::string& file, char marker, const std::string& body) {
  return file.substr(0, 2) + '\xff' + marker +
         number(static_cast<std::uint32_t>(body.size() + 2), 2) + body + file.substr(2);
}

inline std::string chunk(const std::string& name, const std::string& body) {
  const std::string checked = name + body;
  const uLong sum =
      crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  return number(static_cast<std::uint32_t>(body.size()), 4) + checked +
         number(static_cast<std::uint32_t>(sum), 4);
}

inline std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size,
           reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  out.resize(size);
  return out;
}

enum PngColour : std::uint8_t { kGray = 0, kRgb = 2, kPalette = 3, kGrayAlpha = 4, kRgba = 6 };

struct PngParts {
  int width = 0;
  int height = 0;
  int depth = 8;
  PngColour colour = kRgb;
  std::string before_data;  // whole chunks
  std::string samples;      // rows without filter bytes
};

inline std::string png_header(int width, int height, int depth, PngColour colour) {
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", number(static_cast<std::uint32_t>(width), 4) +
                                                 number(static_cast<std::uint32_t>(height), 4) +
                                                 static_cast<char>(depth) +
                                                 static_cast<char>(colour) + std::string(3, '\0'));
}

inline std::string png(const PngParts& parts) {
  const std::size_t row_bytes = parts.samples.size() / static_cast<std::size_t>(parts.height);
  std::string rows;
  for (std::size_t at = 0; at < parts.samples.size(); at += row_bytes) {
    rows += '\0' + parts.samples.substr(at, row_bytes);
  }
  return png_header(parts.width, parts.height, parts.depth, parts.colour) + parts.before_data +
         chunk("IDAT", deflated(rows)) + chunk("IEND", "");
}

inline std::string samples_of(const Picture& picture) {
  return {reinterpret_cast<const char*>(picture.rgb.data()), picture.rgb.size()};
}

inline std::string png(const Picture& picture, const std::string& before_data = "") {
  return png({.width = picture.width,
              .height = picture.height,
              .before_data = before_data,
              .samples = samples_of(picture)});
}

inline std::string riff_chunk(const std::string& name, const std::string& body) {
  return name + number(static_cast<std::uint32_t>(body.size()), 4, false) + body +
         std::string(body.size() % 2, '\0');
}

inline std::string riff(const std::string& chunks) {
  return "RIFF" + number(static_cast<std::uint32_t>(chunks.size() + 4), 4, false) + "WEBP" + chunks;
}

inline std::string webp(const Picture& picture) {
  std::uint8_t* bytes = nullptr;
  const std::size_t size = WebPEncodeLosslessRGB(picture.rgb.data(), picture.width, picture.height,
                                                 picture.width * 3, &bytes);
  std::string file(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  return file;
}

// The extended header: 0x02 says that it is animated, 0x08 that it has EXIF.
inline std::string vp8x(int flags, int width, int height) {
  return riff_chunk("VP8X", static_cast<char>(flags) + std::string(3, '\0') +
                                number(static_cast<std::uint32_t>(width - 1), 3, false) +
                                number(static_cast<std::uint32_t>(height - 1), 3, false));
}

}  // namespace anonymise_image::testing
