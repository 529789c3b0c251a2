// Pixels -> bytes of the same format, and nothing else: no profile, text, position or thumbnail of
// the original can be in what never saw the original. Pure; any thread.
#pragma once

#include <string>

#include "lib/base/result.h"
#include "messageboard/anonymise_image/picture.h"

namespace anonymise_image {

// The picture must be opaque: flatten() first.
base::Result<std::string> encode(const Picture& picture);

// The picture as it shows on white paper, opaque.
Picture flatten(const Picture& picture);

}  // namespace anonymise_image
