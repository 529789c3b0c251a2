// Bytes from outside -> upright 8-bit RGB, or a reason for people why not. The header is read and
// judged before any pixel is; a file that is cut short, animated, or not as its format says it must
// be is refused, never guessed at. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lib/base/result.h"
#include "messageboard/anonymise_image/picture.h"

namespace anonymise_image {

struct DecodeLimits {
  std::size_t bytes_max = 20 * 1024 * 1024;
  std::uint64_t pixels_max = 50'000'000;
  int side_max = 30'000;
  // A progressive JPEG may say the same pixels again and again: pixels * scans bounds its time.
  std::uint64_t scanned_pixels_max = 1'000'000'000;
};

// InvalidInput (not a picture, damaged), NotImplemented (a picture of a kind that is not taken) or
// TooLarge; each is final: the same bytes always fail.
base::Result<Picture> decode(std::string_view bytes, const DecodeLimits& limits = {});

// The formats, each given bytes that begin with its signature; orientation is not applied yet.
struct Decoded {
  Picture picture;
  int orientation = 1;  // EXIF's 1 to 8
};
base::Result<Decoded> decode_jpeg(std::string_view bytes, const DecodeLimits& limits);
base::Result<Decoded> decode_png(std::string_view bytes, const DecodeLimits& limits);
base::Result<Decoded> decode_webp(std::string_view bytes, const DecodeLimits& limits);

base::Result<void> check_size(std::uint64_t width, std::uint64_t height,
                              const DecodeLimits& limits);
// EXIF's orientation; 1 when there is none or the block is damaged. `tiff` starts at "II" or "MM".
int exif_orientation(std::string_view tiff);
// Turned and mirrored as `orientation` asks.
Picture upright(Picture picture, int orientation);

}  // namespace anonymise_image
