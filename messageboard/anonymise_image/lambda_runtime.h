// The Lambda Runtime API, from the inside: what a custom runtime asks and answers. One invocation
// at a time; used on the client's executor.
#pragma once

#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/client.h"
#include "lib/runtime/task.h"

namespace anonymise_image {

struct Invocation {
  std::string request_id;
  std::string payload;
  base::Timestamp deadline;
};

class LambdaRuntime {
 public:
  // `authority` is AWS_LAMBDA_RUNTIME_API: "host:port". All outlive the runtime.
  LambdaRuntime(http::Client& client, base::Clock& clock, std::string authority);

  // Waits for the next invocation, as long as it takes.
  runtime::Task<base::Result<Invocation>> next();
  runtime::Task<base::Result<void>> respond(std::string request_id, std::string payload);
  // The invocation failed.
  runtime::Task<base::Result<void>> fail(std::string request_id, base::Error error);
  // The function cannot start.
  runtime::Task<base::Result<void>> fail_init(base::Error error);

 private:
  runtime::Task<base::Result<void>> post(std::string path, std::string body,
                                         std::string error_type);
  base::Result<http::Url> url(std::string_view path) const;

  http::Client& client_;
  base::Clock& clock_;
  std::string authority_;
};

}  // namespace anonymise_image
