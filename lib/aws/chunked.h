// aws-chunked: S3's own framing inside the HTTP body, with or without chunk signatures and with or
// without a trailer that carries a checksum. The reader verifies everything as it passes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lib/aws/sigv4.h"
#include "lib/base/result.h"
#include "lib/http/body.h"

namespace aws {

struct ChunkedOptions {
  std::optional<ChunkSigner> signer;            // present: chunks (and trailer) are signed
  bool trailer = false;                         // a trailer follows the last chunk
  std::optional<std::uint64_t> decoded_length;  // x-amz-decoded-content-length; must match
  std::vector<std::string> announced;           // names in x-amz-trailer, lower case
};

// Decodes `inner`, which outlives the reader. read() fails with ErrorKind::Denied for a wrong chunk
// or trailer signature and InvalidInput for broken framing, wrong length, a chunk over 16 MiB, or
// trailers other than the announced ones; errors carry S3's rows. Bytes of a chunk may pass before
// its signature is known to be right: they are final only when read() has answered 0, which it
// never does for a body that was changed or cut short. After the end `trailers()` holds what came.
// Checksums in it are *not* verified here: the caller digests what it reads.
class ChunkedReader : public http::BodyReader {
 public:
  static std::unique_ptr<ChunkedReader> open(http::BodyReader& inner, ChunkedOptions options);
  virtual const http::Headers& trailers() const = 0;
};

}  // namespace aws
