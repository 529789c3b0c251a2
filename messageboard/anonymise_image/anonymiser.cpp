#include "messageboard/anonymise_image/anonymiser.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "messageboard/anonymise_image/encode.h"

namespace anonymise_image {
namespace {

// Looks at the obscured picture; each time faces show they are obscured once more.
constexpr int kLooksMax = 4;

View view_of(const Picture& picture) { return {picture.width, picture.height, picture.rgb}; }

std::vector<Box> boxes_to_obscure(const std::vector<Face>& faces) {
  std::vector<Box> boxes;
  for (const Face& face : faces) boxes.push_back(grown(face.box, kFaceMargin));
  return boxes;
}

}  // namespace

bool is_final(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::InvalidInput:
    case base::ErrorKind::NotImplemented:
    case base::ErrorKind::TooLarge:
    case base::ErrorKind::NotFound: return true;
    default: return false;
  }
}

base::Result<Anonymised> Anonymiser::anonymise(std::string_view bytes,
                                               const OutOfTime& out_of_time) {
  TRY(Picture picture, decode(bytes, limits_));
  std::vector<Face> hidden;
  if (!picture.alpha.empty()) {
    // Colour under transparent pixels is not written, but what shows through faintly is.
    TRY(hidden, detector_.find(view_of(picture), out_of_time));
    picture = flatten(picture);
  }
  TRY(std::vector<Face> faces, detector_.find(view_of(picture), out_of_time));
  Anonymised result;
  result.format = picture.format;
  result.faces = faces.size();
  faces.insert(faces.end(), hidden.begin(), hidden.end());
  obscure(picture, boxes_to_obscure(faces), style_, random_);
  TRY_VOID(obscure_until_none_remains(picture, out_of_time));
  TRY(result.bytes, encode(picture));
  return result;
}

base::Result<void> Anonymiser::obscure_until_none_remains(Picture& picture,
                                                          const OutOfTime& out_of_time) {
  for (int look = 0; look < kLooksMax; ++look) {
    TRY(const std::vector<Face> remaining, detector_.look_again(view_of(picture), out_of_time));
    const bool any_obvious = std::ranges::any_of(remaining, &Face::obvious);
    // What merely might be a face is painted over too, but once: in what is left of a crowd there
    // is always something.
    if (remaining.empty() || (look > 0 && !any_obvious)) return {};
    // A blurred head on shoulders can still pass for a face; a grey one does not.
    obscure(picture, boxes_to_obscure(remaining), Style::Solid, random_);
  }
  return base::fail(base::ErrorKind::InvalidInput,
                    "something that looks like a face remains whatever is done to it");
}

}  // namespace anonymise_image
