// A request's body with what its sender promised of it: hashes and checksums of its bytes. Reading
// it checks them; a reader that digests the bytes anyway takes the checks over, so that nothing is
// digested twice.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/base/digest.h"
#include "lib/base/result.h"
#include "lib/http/body.h"

namespace terrarium::wire {

class PromisedBody : public http::BodyReader {
 public:
  // The digests of the whole body that were promised.
  virtual std::vector<base::DigestKind> promised() const = 0;
  // From now on reading computes none of them: the reader does, and must not believe the body
  // before settle() has compared them. Before the first read.
  virtual void take_over() = 0;
  using DigestOf = std::function<const std::string&(base::DigestKind kind)>;
  // After the end of the body. `digest_of`: the bytes of a digest that was promised.
  virtual base::Result<void> settle(const DigestOf& digest_of) = 0;
};

}  // namespace terrarium::wire
