// Cross-origin requests: the rules of a bucket, and what they say to a browser. Pure.
// Source: "Using cross-origin resource sharing (CORS)", Amazon S3 User Guide.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "generated/s3/model.h"
#include "lib/base/result.h"
#include "lib/http/headers.h"

namespace terrarium::s3 {

inline constexpr std::size_t kCorsRulesMax = 100;

base::Result<void> check_cors(const CORSConfiguration& configuration);
std::string encode(const CORSConfiguration& configuration);
base::Result<CORSConfiguration> decode_cors(std::string_view bytes);

// What a browser asks: on its own account before a request (preflight), or with one.
struct CorsQuestion {
  std::string_view origin;
  std::string_view method;             // of the request that is or would be made
  std::string_view requested_headers;  // Access-Control-Request-Headers
};
// The headers of the answer by the first rule that fits; nothing when none does.
std::optional<http::Headers> answer_cors(const CORSConfiguration& configuration,
                                         const CorsQuestion& question);

}  // namespace terrarium::s3
