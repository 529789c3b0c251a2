#include "messageboard/anonymise_image/encode.h"

#include <fmt/core.h>
#include <png.h>
#include <turbojpeg.h>
#include <webp/encode.h>

#include <memory>
#include <type_traits>

#include "lib/base/check.h"

namespace anonymise_image {
namespace {

using base::ErrorKind;

constexpr int kJpegQuality = 90;
constexpr float kWebpQuality = 90;
// Above this, compressing well would take longer than finding the faces.
constexpr std::size_t kHastyPixels = 4'000'000;

base::Result<std::string> encode_jpeg(const Picture& picture) {
  const std::unique_ptr<std::remove_pointer_t<tjhandle>, decltype(&tjDestroy)> encoder(
      tjInitCompress(), &tjDestroy);
  if (!encoder) return base::fail(ErrorKind::Internal, "could not start the JPEG encoder");
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int failed =
      tjCompress2(encoder.get(), picture.rgb.data(), picture.width, 0, picture.height, TJPF_RGB,
                  &bytes, &size, TJSAMP_420, kJpegQuality, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, decltype(&tjFree)> owner(bytes, &tjFree);
  if (failed != 0) {
    return base::fail(ErrorKind::Internal,
                      fmt::format("could not write a JPEG: {}", tjGetErrorStr2(encoder.get())));
  }
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

base::Result<std::string> encode_png(const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_RGB;
  if (picture.pixels() > kHastyPixels) image.flags |= PNG_IMAGE_FLAG_FAST;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  const int done =
      png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.rgb.data(), 0, nullptr);
  png_image_free(&image);
  if (done == 0) {
    return base::fail(ErrorKind::Internal, fmt::format("could not write a PNG: {}", image.message));
  }
  bytes.resize(size);
  return bytes;
}

// Frees what libwebp allocated, on every way out.
struct WebpJob {
  WebPPicture picture{};
  WebPMemoryWriter writer{};
  WebpJob() { WebPMemoryWriterInit(&writer); }
  ~WebpJob() {
    WebPPictureFree(&picture);
    WebPMemoryWriterClear(&writer);
  }
  WebpJob(const WebpJob&) = delete;
  WebpJob& operator=(const WebpJob&) = delete;
};

base::Result<std::string> encode_webp(const Picture& picture) {
  WebPConfig config;
  WebpJob job;
  if (WebPConfigInit(&config) == 0 || WebPPictureInit(&job.picture) == 0) {
    return base::fail(ErrorKind::Internal, "could not start the WebP encoder");
  }
  config.quality = kWebpQuality;
  if (picture.pixels() > kHastyPixels) config.method = 1;
  job.picture.width = picture.width;
  job.picture.height = picture.height;
  job.picture.writer = WebPMemoryWrite;
  job.picture.custom_ptr = &job.writer;
  if (WebPPictureImportRGB(&job.picture, picture.rgb.data(), picture.width * 3) == 0 ||
      WebPEncode(&config, &job.picture) == 0) {
    return base::fail(ErrorKind::Internal, fmt::format("could not write a WebP: error {}",
                                                       static_cast<int>(job.picture.error_code)));
  }
  return std::string(reinterpret_cast<const char*>(job.writer.mem), job.writer.size);
}

}  // namespace

base::Result<std::string> encode(const Picture& picture) {
  CHECK(picture.alpha.empty(), "hidden colour must not be written: flatten() comes first");
  switch (picture.format) {
    case Format::Jpeg: return encode_jpeg(picture);
    case Format::Png: return encode_png(picture);
    case Format::Webp: return encode_webp(picture);
  }
  return base::fail(ErrorKind::Internal, "a picture of no format");
}

Picture flatten(const Picture& picture) {
  Picture flat = picture;
  flat.alpha.clear();
  for (std::size_t i = 0; i < picture.alpha.size(); ++i) {
    const unsigned alpha = picture.alpha[i];
    for (std::size_t sample = 3 * i; sample < 3 * i + 3; ++sample) {
      const unsigned over_white = picture.rgb[sample] * alpha + 255 * (255 - alpha);
      flat.rgb[sample] = static_cast<std::uint8_t>((over_white + 127) / 255);
    }
  }
  return flat;
}

}  // namespace anonymise_image
