// Uploaded bytes: whatever they are, they decode to a whole picture or are refused for good.
#include <cstdint>
#include <string_view>

#include "lib/base/check.h"
#include "messageboard/anonymise_image/anonymiser.h"
#include "messageboard/anonymise_image/decode.h"
#include "messageboard/anonymise_image/encode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // Small enough that the time goes into finding new paths, not into large pictures.
  const anonymise_image::DecodeLimits limits{
      .bytes_max = 1 << 20, .pixels_max = 250'000, .scanned_pixels_max = 2'000'000};
  const auto picture = anonymise_image::decode(bytes, limits);
  if (!picture) {
    CHECK(anonymise_image::is_final(picture.error().kind), "the same bytes always fail");
    CHECK(!picture.error().message.empty(), "a refusal says why");
    return 0;
  }
  CHECK(picture->pixels() > 0 && picture->pixels() <= limits.pixels_max, "within the limits");
  CHECK(picture->rgb.size() == picture->pixels() * 3, "a colour for every pixel");
  CHECK(picture->alpha.empty() || picture->alpha.size() == picture->pixels(), "alpha for all");
  if (picture->pixels() < 10'000) {
    const auto encoded = anonymise_image::encode(anonymise_image::flatten(*picture));
    CHECK(encoded.has_value(), "what was read can be written");
    CHECK(anonymise_image::decode(*encoded).has_value(), "what was written can be read");
  }
  return 0;
}
