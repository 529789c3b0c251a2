#include <fmt/core.h>
#include <turbojpeg.h>

#include <memory>
#include <optional>
#include <type_traits>

#include "messageboard/anonymise_image/decode.h"

namespace anonymise_image {
namespace {

using base::ErrorKind;

// What turbojpeg does not tell, read from the file's marker segments.
struct Segments {
  std::optional<int> orientation;  // of the first EXIF block
  bool adobe = false;              // an Adobe marker: CMYK is stored inverted
  std::uint64_t scans = 0;
};

// Over the entropy-coded data of a scan to the next marker: FF followed by neither 0 (a data byte)
// nor a restart marker nor a fill byte.
std::size_t next_marker(std::string_view bytes, std::size_t at) {
  while ((at = bytes.find('\xff', at)) != std::string_view::npos && at + 1 < bytes.size()) {
    const auto code = static_cast<unsigned char>(bytes[at + 1]);
    if (code != 0 && code != 0xff && (code < 0xd0 || code > 0xd7)) return at;
    ++at;
  }
  return bytes.size();
}

base::Result<Segments> read_segments(std::string_view bytes) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  Segments found;
  std::size_t at = next_marker(bytes, 2);
  while (at + 4 <= bytes.size()) {
    const auto code = static_cast<unsigned char>(bytes[at + 1]);
    if (code == 0xd9) return found;  // end of image; what follows is never decoded
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at + 2]) << 8 |
                                                 static_cast<unsigned char>(bytes[at + 3]));
    if (length < 2 || bytes.size() - at - 2 < length) break;
    const std::string_view body = bytes.substr(at + 4, length - 2);
    if (code == 0xe1 && body.starts_with(kExif) && !found.orientation) {
      found.orientation = exif_orientation(body.substr(kExif.size()));
    }
    if (code == 0xee && body.starts_with("Adobe")) found.adobe = true;
    if (code == 0xda) ++found.scans;
    at = next_marker(bytes, at + 2 + length);
  }
  if (at + 2 <= bytes.size() && bytes.substr(at, 2) == "\xff\xd9") return found;
  return base::fail(ErrorKind::InvalidInput, "a damaged JPEG: it ends before its end marker");
}

using Handle = std::unique_ptr<std::remove_pointer_t<tjhandle>, decltype(&tjDestroy)>;

std::unexpected<base::Error> damaged(const Handle& decoder) {
  return base::fail(ErrorKind::InvalidInput,
                    fmt::format("a damaged JPEG: {}", tjGetErrorStr2(decoder.get())));
}

// What is left of white paper under four inks.
void cmyk_to_rgb(const std::vector<std::uint8_t>& inks, bool inverted,
                 std::vector<std::uint8_t>& rgb) {
  for (std::size_t i = 0; i < inks.size() / 4; ++i) {
    const auto light = [&](std::size_t ink) {
      const unsigned value = inks[4 * i + ink];
      return inverted ? value : 255 - value;
    };
    for (std::size_t channel = 0; channel < 3; ++channel) {
      rgb[3 * i + channel] = static_cast<std::uint8_t>(light(channel) * light(3) / 255);
    }
  }
}

}  // namespace

base::Result<Decoded> decode_jpeg(std::string_view bytes, const DecodeLimits& limits) {
  TRY(const Segments segments, read_segments(bytes));
  const Handle decoder(tjInitDecompress(), &tjDestroy);
  if (!decoder) return base::fail(ErrorKind::Internal, "could not start the JPEG decoder");
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  Decoded decoded;
  decoded.orientation = segments.orientation.value_or(1);
  Picture& picture = decoded.picture;
  int subsampling = 0;
  int colours = 0;
  if (tjDecompressHeader3(decoder.get(), data, bytes.size(), &picture.width, &picture.height,
                          &subsampling, &colours) != 0) {
    return damaged(decoder);
  }
  TRY_VOID(check_size(static_cast<std::uint64_t>(picture.width),
                      static_cast<std::uint64_t>(picture.height), limits));
  if (picture.pixels() * segments.scans > limits.scanned_pixels_max) {
    return base::fail(ErrorKind::TooLarge,
                      fmt::format("a JPEG of {} scans: too much work", segments.scans));
  }

  picture.format = Format::Jpeg;
  picture.rgb.resize(picture.pixels() * 3);
  const bool inks = colours == TJCS_CMYK || colours == TJCS_YCCK;
  std::vector<std::uint8_t> cmyk(inks ? picture.pixels() * 4 : 0);
  // The decoder only warns where data is missing or broken and fills in grey.
  if (tjDecompress2(decoder.get(), data, bytes.size(), inks ? cmyk.data() : picture.rgb.data(),
                    picture.width, 0, picture.height, inks ? TJPF_CMYK : TJPF_RGB,
                    TJFLAG_STOPONWARNING | TJFLAG_ACCURATEDCT) != 0) {
    return damaged(decoder);
  }
  if (inks) cmyk_to_rgb(cmyk, segments.adobe, picture.rgb);
  return decoded;
}

}  // namespace anonymise_image
