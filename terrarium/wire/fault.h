// An Error as the answer of a protocol: status, headers and body as AWS sends them. Pure but for
// the log line of an internal error, whose detail never reaches a client.
#pragma once

#include <string_view>

#include "lib/base/result.h"
#include "lib/http/server.h"
#include "terrarium/wire/model.h"

namespace terrarium::wire {

struct FaultContext {
  std::string_view request_id;     // as the protocol shows it
  std::string_view extended_id;    // S3's HostId
  std::string_view xml_namespace;  // query protocol
  std::string_view error_namespace;
  bool query_compatible = false;  // JSON of a service that also speaks query
  bool head = false;              // the answer has no body
};

// Fields of the error whose names begin with "header:" become headers of the answer, the others
// elements of its body.
http::Response fault_response(Protocol protocol, const base::Error& error,
                              const FaultContext& context);

}  // namespace terrarium::wire
