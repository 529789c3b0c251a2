// A picture's bytes -> the bytes of the same picture without a recognisable face. Either that, or
// an error and nothing to publish. One owner, one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lib/base/random.h"
#include "lib/base/result.h"
#include "messageboard/anonymise_image/decode.h"
#include "messageboard/anonymise_image/detector.h"
#include "messageboard/anonymise_image/obscure.h"
#include "messageboard/anonymise_image/picture.h"

namespace anonymise_image {

struct Anonymised {
  std::string bytes;
  Format format = Format::Jpeg;
  std::size_t faces = 0;  // found in the original
};

class Anonymiser {
 public:
  // `random` outlives it and is fit for secrets.
  Anonymiser(Detector detector, Style style, base::Random& random, DecodeLimits limits = {})
      : detector_(std::move(detector)), style_(style), random_(random), limits_(limits) {}

  // Kinds of failure as decode() names them; InvalidInput too when faces remain whatever is done.
  // Internal is our fault, Timeout that out_of_time() said so: trying again may help.
  base::Result<Anonymised> anonymise(std::string_view bytes, const OutOfTime& out_of_time = {});

 private:
  base::Result<void> obscure_until_none_remains(Picture& picture, const OutOfTime& out_of_time);

  Detector detector_;
  Style style_;
  base::Random& random_;
  DecodeLimits limits_;
};

// Whether the same bytes would fail again.
bool is_final(base::ErrorKind kind);

}  // namespace anonymise_image
