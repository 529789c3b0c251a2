// Makes faces unrecognisable, for good: what is left of a face is at most sixteen noisy averages.
// A blur alone can be undone (README.md); averaging cannot. Pure but for the injected randomness,
// which must be a cryptographic generator: noise that can be guessed can be subtracted.
#pragma once

#include <cstdint>
#include <span>

#include "lib/base/random.h"
#include "messageboard/anonymise_image/picture.h"

namespace anonymise_image {

enum class Style : std::uint8_t {
  Blurred,  // averages, noise, and a blur for looks
  Solid,    // one colour
};

// How much larger than what the detector reports the obscured box is: chin, hair and ears
// belong to a face.
inline constexpr float kFaceMargin = 1.3f;

// Each box with rounded corners; it may reach beyond the picture.
void obscure(Picture& picture, std::span<const Box> boxes, Style style, base::Random& random);

}  // namespace anonymise_image
