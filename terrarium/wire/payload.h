// The body of an S3 request as it is read: decoded from aws-chunked, with every signature, hash and
// checksum that the request declares verified on the way. A body that does not fit what was
// declared ends in an error before its last bytes have passed.
#pragma once

#include <memory>

#include "lib/base/result.h"
#include "lib/http/headers.h"
#include "lib/http/server.h"
#include "terrarium/wire/authenticate.h"
#include "terrarium/wire/model.h"
#include "terrarium/wire/promised_body.h"

namespace terrarium::wire {

class Payload : public PromisedBody {
 public:
  // Refuses what the headers already show to be wrong. `request` and `identity` outlive the
  // payload.
  static base::Result<std::unique_ptr<Payload>> open(const http::Request& request,
                                                     const Identity& identity,
                                                     const OperationModel& operation);
  // Checksums that have been verified, once the body has ended: {"x-amz-checksum-crc32", base64}.
  virtual const http::Headers& verified() const = 0;
};

}  // namespace terrarium::wire
