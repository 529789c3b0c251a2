#include "messageboard/api/picture.h"

#include <gtest/gtest.h>

#include <string>

namespace messageboard {
namespace {

using namespace std::string_literals;

std::string big32(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}

std::string png(std::uint32_t width, std::uint32_t height, const std::string& next = "IDAT") {
  return "\x89PNG\r\n\x1a\n"s + big32(13) + "IHDR" + big32(width) + big32(height) +
         "\x08\x02\x00\x00\x00"s + "CRC." + big32(0) + next + "CRC.";
}

std::string jpeg(std::uint16_t width, std::uint16_t height, char frame = '\xC0') {
  std::string text = "\xFF\xD8\xFF\xE1\x00\x08"s + "Exif\0\0"s;  // a segment to step over
  text += "\xFF\xFF";                                            // a fill byte
  text += frame;
  text += "\x00\x0B\x08"s;
  text += static_cast<char>(height >> 8);
  text += static_cast<char>(height);
  text += static_cast<char>(width >> 8);
  text += static_cast<char>(width);
  return text + "\x01\x01\x11\x00\xFF\xDA"s;
}

std::string webp(const std::string& chunk, const std::string& body) {
  return "RIFF\x20\0\0\0WEBP"s + chunk + "\x10\0\0\0"s + body + std::string(16, '\0');
}

void expect_size(const std::string& bytes, PictureFormat format, unsigned width, unsigned height) {
  const auto header = read_picture_header(bytes);
  ASSERT_TRUE(header) << static_cast<int>(header.error());
  EXPECT_EQ(header->format, format);
  EXPECT_EQ(header->width, width);
  EXPECT_EQ(header->height, height);
}

PictureProblem problem(const std::string& bytes) {
  const auto header = read_picture_header(bytes);
  EXPECT_FALSE(header);
  return header ? PictureProblem::NotAPicture : header.error();
}

TEST(PictureHeader, SizesAreReadOfEveryFormat) {
  expect_size(png(640, 480), PictureFormat::Png, 640, 480);
  expect_size(jpeg(350, 233), PictureFormat::Jpeg, 350, 233);
  expect_size(jpeg(350, 233, '\xC2'), PictureFormat::Jpeg, 350, 233);
  expect_size(webp("VP8X", "\0\0\0\0\x3f\x01\0\xef\0\0"s), PictureFormat::Webp, 320, 240);
  expect_size(webp("VP8L", "\x2f\x3f\xc1\x3b\0"s), PictureFormat::Webp, 320, 240);
  expect_size(webp("VP8 ", "\0\0\0\x9d\x01\x2a\x40\x01\xf0\0"s), PictureFormat::Webp, 320, 240);
}

TEST(PictureHeader, OtherFilesAreNoPictures) {
  for (const std::string& bytes : {""s, "text"s, "GIF89a\x01\0\x01\0"s, "BM"s, "%PDF-1.4"s,
                                   "<svg/>"s, "RIFF\0\0\0\0WAVEfmt "s, "II*\0"s, "\xFF\xD8"s}) {
    EXPECT_EQ(problem(bytes), PictureProblem::NotAPicture) << bytes;
  }
}

TEST(PictureHeader, AnimationsAreRefused) {
  EXPECT_EQ(problem(png(10, 10, "acTL")), PictureProblem::Animated);
  EXPECT_EQ(problem(webp("VP8X", "\x02\0\0\0\x3f\x01\0\xef\0\0"s)), PictureProblem::Animated);
}

TEST(PictureHeader, TooManyPixelsAreRefusedBeforeDecoding) {
  EXPECT_EQ(problem(png(30000, 30000)), PictureProblem::TooManyPixels);
  EXPECT_EQ(problem(png(0xFFFFFFFF, 0xFFFFFFFF)), PictureProblem::TooManyPixels);
  EXPECT_EQ(problem(jpeg(65535, 65535)), PictureProblem::TooManyPixels);
  expect_size(png(10000, 5000), PictureFormat::Png, 10000, 5000);
  EXPECT_EQ(problem(png(10000, 5001)), PictureProblem::TooManyPixels);
}

TEST(PictureHeader, BrokenHeadersAreDamaged) {
  EXPECT_EQ(problem(png(0, 5)), PictureProblem::Damaged);
  EXPECT_EQ(problem(jpeg(5, 0)), PictureProblem::Damaged);
  EXPECT_EQ(problem("\xFF\xD8\xFF\xDA\x00\x08"s + std::string(20, 'x')), PictureProblem::Damaged);
  EXPECT_EQ(problem("\xFF\xD8\xFF\xE0\x00\x01"s), PictureProblem::Damaged);
  EXPECT_EQ(problem("\xFF\xD8\xFF\xE0\xFF\xFFzz"s), PictureProblem::Damaged);
  EXPECT_EQ(problem(webp("VP8L", "x")), PictureProblem::Damaged);
  EXPECT_EQ(problem(webp("ALPH", "x")), PictureProblem::Damaged);
}

TEST(PictureHeader, NoCutIsReadBeyondItsEnd) {
  for (const std::string& whole :
       {png(640, 480), jpeg(350, 233), webp("VP8X", std::string(10, 'x')),
        webp("VP8L", "\x2f\x3f\xc1\x3b\0"s)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      // A copy of its own: the sanitizer watches its end.
      const std::string cut(whole, 0, size);
      (void)read_picture_header(cut);
    }
  }
}

}  // namespace
}  // namespace messageboard
