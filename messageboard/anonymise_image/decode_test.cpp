#include "messageboard/anonymise_image/decode.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "messageboard/anonymise_image/picture_testing.h"

namespace anonymise_image {
namespace {

using base::ErrorKind;
using testing::chunk;
using testing::cornered;
using testing::exif;
using testing::PngParts;

const std::string kExifName("Exif\0\0", 6);
// Where the red corner of a 32x16 picture is after each orientation is undone.
constexpr std::array<const char*, 9> kCornerAfter{"",   "tl", "tr", "br", "bl",
                                                  "tl", "tr", "br", "bl"};

void expect_refused(const std::string& bytes, ErrorKind kind, const std::string& why) {
  const auto decoded = decode(bytes);
  ASSERT_FALSE(decoded.has_value()) << why;
  EXPECT_EQ(decoded.error().kind, kind) << decoded.error().message;
  EXPECT_NE(decoded.error().message.find(why), std::string::npos) << decoded.error().message;
}

void expect_upright(const base::Result<Picture>& decoded, int orientation) {
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(decoded->width, orientation >= 5 ? 16 : 32) << orientation;
  EXPECT_EQ(decoded->height, orientation >= 5 ? 32 : 16) << orientation;
  EXPECT_EQ(testing::red_corner(*decoded), kCornerAfter[static_cast<std::size_t>(orientation)])
      << orientation;
}

TEST(JpegPicture, IsTurnedUprightByEveryExifOrientation) {
  const std::string file = testing::jpeg(cornered(32, 16));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big_endian : {false, true}) {
      expect_upright(
          decode(testing::with_segment(file, '\xe1', kExifName + exif(orientation, big_endian))),
          orientation);
    }
  }
}

TEST(JpegPicture, WithBrokenExifIsTakenAsItLies) {
  const std::string file = testing::jpeg(cornered(32, 16));
  const std::string whole = exif(6);
  for (std::size_t size = 0; size < whole.size() - 4; ++size) {
    expect_upright(decode(testing::with_segment(file, '\xe1', kExifName + whole.substr(0, size))),
                   size >= 32 ? 6 : 1);
  }
  expect_upright(decode(testing::with_segment(file, '\xe1', kExifName + exif(9))), 1);
}

TEST(JpegPicture, InFourInksBecomesRgb) {
  // No ink but magenta and yellow, inverted as Adobe's programs write it.
  std::vector<unsigned char> inks;
  for (int i = 0; i < 16 * 16; ++i) inks.insert(inks.end(), {255, 10, 10, 255});
  const std::string stored = testing::jpeg(inks.data(), 16, 16, TJPF_CMYK);
  const auto decoded = decode(stored);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_GT(decoded->rgb[0], 240);
  EXPECT_LT(decoded->rgb[1], 30);
  EXPECT_LT(decoded->rgb[2], 30);
}

TEST(JpegPicture, CutShortIsRefusedWhereverItIsCut) {
  const std::string file = testing::jpeg(cornered(64, 64));
  for (std::size_t size = 3; size < file.size(); size += 5) {
    const auto decoded = decode(file.substr(0, size));
    ASSERT_FALSE(decoded.has_value()) << size;
    EXPECT_EQ(decoded.error().kind, ErrorKind::InvalidInput);
  }
}

TEST(JpegPicture, WithMissingDataBeforeItsEndMarkerIsRefused) {
  // Without noise the file is too small to cut a piece out of its data.
  Picture picture = cornered(128, 128);
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) {
    picture.rgb[i] = static_cast<std::uint8_t>(i * i * 31 >> 3);
  }
  const std::string file = testing::jpeg(picture);
  expect_refused(file.substr(0, file.size() / 2) + "\xff\xd9", ErrorKind::InvalidInput, "damaged");
}

TEST(JpegPicture, OfTooManyScansIsRefused) {
  const std::string file = testing::jpeg(cornered(64, 64), TJFLAG_PROGRESSIVE);
  ASSERT_TRUE(decode(file).has_value());
  EXPECT_EQ(decode(file, {.scanned_pixels_max = 64 * 64 * 2}).error().kind, ErrorKind::TooLarge);
}

TEST(PngPicture, IsTurnedUprightByItsExifChunk) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    expect_upright(decode(testing::png(cornered(32, 16), chunk("eXIf", exif(orientation)))),
                   orientation);
  }
}

TEST(PngPicture, OfSixteenBitsKeepsItsBrightness) {
  const auto decoded = decode(testing::png(
      PngParts{.width = 1, .height = 1, .depth = 16, .samples = {"\x80\x00\x40\x00\xff\xff", 6}}));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_NEAR(decoded->rgb[0], 0x80, 1);
  EXPECT_NEAR(decoded->rgb[1], 0x40, 1);
  EXPECT_EQ(decoded->rgb[2], 0xff);
}

TEST(PngPicture, OfGrayAndPaletteBecomesRgb) {
  const auto gray = decode(testing::png(
      {.width = 2, .height = 1, .colour = testing::kGray, .samples = {"\x00\x64", 2}}));
  ASSERT_TRUE(gray.has_value()) << gray.error().message;
  EXPECT_EQ(gray->rgb, (std::vector<std::uint8_t>{0, 0, 0, 100, 100, 100}));
  const auto palette = decode(
      testing::png({.width = 2,
                    .height = 1,
                    .colour = testing::kPalette,
                    .before_data = chunk("PLTE", "abcdef") + chunk("tRNS", std::string("\xff\x07")),
                    .samples = {"\x01\x00", 2}}));
  ASSERT_TRUE(palette.has_value()) << palette.error().message;
  EXPECT_EQ(palette->rgb, (std::vector<std::uint8_t>{'d', 'e', 'f', 'a', 'b', 'c'}));
  EXPECT_EQ(palette->alpha, (std::vector<std::uint8_t>{7, 255}));
}

TEST(PngPicture, KeepsTheColourUnderTransparentPixelsForTheDetector) {
  const auto decoded = decode(testing::png(
      {.width = 1, .height = 1, .colour = testing::kRgba, .samples = {"\x0a\x14\x1e\x00", 4}}));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(decoded->rgb, (std::vector<std::uint8_t>{10, 20, 30}));
  EXPECT_EQ(decoded->alpha, (std::vector<std::uint8_t>{0}));
}

TEST(PngPicture, OfManyPixelsInFewBytesIsRefusedByItsHeader) {
  for (const auto& [width, height] : {std::pair(30'000, 30'000), {1, 2'000'000'000}, {-1, -1}}) {
    const std::string bomb = testing::png_header(width, height, 8, testing::kRgb) +
                             chunk("IDAT", testing::deflated(std::string(1000, '\0'))) +
                             chunk("IEND", "");
    EXPECT_EQ(decode(bomb).error().kind, ErrorKind::TooLarge);
  }
  expect_refused(testing::png_header(0, 5, 8, testing::kRgb) + chunk("IEND", ""),
                 ErrorKind::InvalidInput, "empty");
}

TEST(PngPicture, CutShortOrChangedIsRefused) {
  const std::string file = testing::png(cornered(32, 32));
  for (std::size_t size = 9; size < file.size(); ++size) {
    EXPECT_FALSE(decode(file.substr(0, size)).has_value()) << size;
  }
  for (std::size_t at = 16; at + 12 < file.size(); ++at) {
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_FALSE(decode(changed).has_value()) << at;
  }
}

TEST(PngPicture, WithTooFewRowsIsRefused) {
  std::string rows = testing::samples_of(cornered(16, 16));
  expect_refused(testing::png_header(16, 16, 8, testing::kRgb) +
                     chunk("IDAT", testing::deflated(rows.substr(0, rows.size() / 2))) +
                     chunk("IEND", ""),
                 ErrorKind::InvalidInput, "damaged");
}

TEST(PngPicture, IsNotDisturbedByBrokenTextAndProfiles) {
  const auto decoded = decode(testing::png(
      cornered(32, 16), chunk("iCCP", "x") + chunk("zTXt", "k") + chunk("gAMA", "ab")));
  EXPECT_TRUE(decoded.has_value()) << decoded.error().message;
}

TEST(PngPicture, AnimatedIsRefused) {
  expect_refused(testing::png(cornered(8, 8), chunk("acTL", std::string("\0\0\0\2\0\0\0\0", 8))),
                 ErrorKind::NotImplemented, "animated PNG");
}

TEST(WebpPicture, IsTurnedUprightByItsExifChunk) {
  const std::string data = testing::webp(cornered(32, 16)).substr(12);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const std::string& name : {std::string(), kExifName}) {
      expect_upright(decode(testing::riff(testing::vp8x(0x08, 32, 16) + data +
                                          testing::riff_chunk("EXIF", name + exif(orientation)))),
                     orientation);
    }
  }
}

TEST(WebpPicture, AnimatedIsRefused) {
  const std::string data = testing::webp(cornered(32, 16)).substr(12);
  const std::string animation = testing::riff_chunk("ANIM", std::string(6, '\0')) +
                                testing::riff_chunk("ANMF", std::string(16, '\0') + data);
  expect_refused(testing::riff(testing::vp8x(0x02, 32, 16) + animation), ErrorKind::NotImplemented,
                 "animated WebP");
  // The flag that should announce it may be missing.
  EXPECT_FALSE(decode(testing::riff(testing::vp8x(0, 32, 16) + animation)).has_value());
}

TEST(WebpPicture, CutShortIsRefused) {
  const std::string file = testing::webp(cornered(64, 64));
  for (std::size_t size = 12; size < file.size(); ++size) {
    EXPECT_FALSE(decode(file.substr(0, size)).has_value()) << size;
  }
}

TEST(OtherPictures, AreRefusedByName) {
  expect_refused("GIF89a", ErrorKind::NotImplemented, "GIF");
  expect_refused(std::string("II*\0rest", 8), ErrorKind::NotImplemented, "TIFF");
  expect_refused(std::string("\0\0\0\x1c"
                             "ftypheic",
                             12),
                 ErrorKind::NotImplemented, "HEIC");
  expect_refused("<svg xmlns=", ErrorKind::NotImplemented, "SVG");
  expect_refused("hello", ErrorKind::InvalidInput, "not a picture");
  expect_refused("", ErrorKind::InvalidInput, "not a picture");
}

TEST(OtherPictures, OfTooManyBytesAreRefusedUnread) {
  EXPECT_EQ(decode("GIF89a", {.bytes_max = 5}).error().kind, ErrorKind::TooLarge);
}

}  // namespace
}  // namespace anonymise_image
