// The two ids that S3 gives each answer, made from the request's: in its headers, its error bodies
// and the events that tell of it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace terrarium::wire {

struct S3Ids {
  std::string request_id;  // x-amz-request-id: sixteen capital hexadecimal digits
  std::string host_id;     // x-amz-id-2: base64
};

S3Ids s3_ids(std::string_view uuid);

}  // namespace terrarium::wire
