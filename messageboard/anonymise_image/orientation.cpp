// EXIF orientation: which way up the camera was held.
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "messageboard/anonymise_image/decode.h"

namespace anonymise_image {
namespace {

// Numbers of a TIFF block, in its byte order; nothing beyond its end.
class Tiff {
 public:
  Tiff(std::string_view bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  std::optional<std::uint32_t> number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t from = big_endian_ ? i : size - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes_[at + from]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShort = 3;
constexpr std::size_t kEntryBytes = 12;

// How each orientation reads the stored picture.
struct Turn {
  bool transpose;
  bool mirror_x;  // of the stored picture
  bool mirror_y;
};
constexpr std::array<Turn, 9> kTurns{{
    {false, false, false},  // not used
    {false, false, false},  // 1: upright
    {false, true, false},   // 2: mirrored
    {false, true, true},    // 3: upside down
    {false, false, true},   // 4: mirrored, upside down
    {true, false, false},   // 5: transposed
    {true, false, true},    // 6: must be turned clockwise
    {true, true, true},     // 7: transversed
    {true, true, false},    // 8: must be turned counterclockwise
}};

std::vector<std::uint8_t> turned(const std::vector<std::uint8_t>& from, const Picture& picture,
                                 const Turn& turn, std::size_t channels) {
  const auto width = static_cast<std::size_t>(picture.width);
  const auto height = static_cast<std::size_t>(picture.height);
  const std::size_t columns = turn.transpose ? height : width;
  const std::size_t rows = turn.transpose ? width : height;
  std::vector<std::uint8_t> to(from.size());
  std::uint8_t* out = to.data();
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      std::size_t x = turn.transpose ? row : column;
      std::size_t y = turn.transpose ? column : row;
      if (turn.mirror_x) x = width - 1 - x;
      if (turn.mirror_y) y = height - 1 - y;
      std::memcpy(out, from.data() + (y * width + x) * channels, channels);
      out += channels;
    }
  }
  return to;
}

}  // namespace

int exif_orientation(std::string_view tiff) {
  const bool big_endian = tiff.starts_with("MM");
  if (!big_endian && !tiff.starts_with("II")) return 1;
  const Tiff block(tiff, big_endian);
  if (block.number(2, 2) != 42) return 1;
  const auto directory = block.number(4, 4);
  if (!directory) return 1;
  const std::uint32_t entries = block.number(*directory, 2).value_or(0);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = std::size_t{*directory} + 2 + i * kEntryBytes;
    const auto tag = block.number(entry, 2);
    if (!tag) return 1;
    if (*tag != kOrientationTag) continue;
    const std::uint32_t value = block.number(entry + 8, 2).value_or(1);
    const bool sane = block.number(entry + 2, 2) == kShort && value >= 1 && value <= 8;
    return sane ? static_cast<int>(value) : 1;
  }
  return 1;
}

Picture upright(Picture picture, int orientation) {
  if (orientation <= 1 || orientation > 8) return picture;
  const Turn& turn = kTurns[static_cast<std::size_t>(orientation)];
  picture.rgb = turned(picture.rgb, picture, turn, 3);
  if (!picture.alpha.empty()) picture.alpha = turned(picture.alpha, picture, turn, 1);
  if (turn.transpose) std::swap(picture.width, picture.height);
  return picture;
}

}  // namespace anonymise_image
