// What REST-JSON and REST-XML share: members that live in the path, the query, headers or the
// status code, and bodies that are one member. Pure.
// Source: AWS "HTTP bindings" of the Smithy documentation.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/headers.h"
#include "lib/http/server.h"
#include "terrarium/wire/model.h"
#include "terrarium/wire/parameters.h"
#include "terrarium/wire/validate.h"

namespace terrarium::wire {

// A label of the URI template with what stands there, decoded: {"Bucket", "pictures"}.
using Labels = std::vector<std::pair<std::string_view, std::string>>;

struct RestRequest {
  const http::HeaderViews& headers;
  const Parameters& query;
  const Labels& labels;
  std::string_view body;  // empty when the operation's body streams
};

base::Result<void> decode_rest(Protocol protocol, const OperationModel& operation,
                               const RestRequest& request, void* input, DecodeReport& report);

// `output` may be null. A Body member's source moves into the response.
base::Result<http::Response> encode_rest(const ServiceModel& service, Protocol protocol,
                                         const OperationModel& operation, void* output);

}  // namespace terrarium::wire
