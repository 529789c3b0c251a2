// What kind of picture some bytes are, by the bytes themselves: the name and the Content-Type of an
// upload are its sender's word only. Reads headers, decodes nothing. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace messageboard {

enum class PictureFormat : std::uint8_t { Jpeg, Png, Webp };

struct PictureHeader {
  PictureFormat format = PictureFormat::Jpeg;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

enum class PictureProblem : std::uint8_t {
  NotAPicture,  // none of the formats taken
  Animated,     // of a format taken, but more than one picture
  Damaged,      // begins as a picture, and its header is broken or cut short
  TooManyPixels,
};

// The function that anonymises pictures refuses more than this as well.
inline constexpr std::uint64_t kPicturePixelsMax = 50'000'000;

std::expected<PictureHeader, PictureProblem> read_picture_header(std::string_view bytes);

std::string_view content_type(PictureFormat format);  // "image/jpeg"
std::string_view extension(PictureFormat format);     // "jpg"

}  // namespace messageboard
