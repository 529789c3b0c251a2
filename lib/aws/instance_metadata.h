// The instance metadata service: version 2 (with a token), falling back to version 1 where the
// service does not know tokens. Answers fast or not at all: each request has one second.
// AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT,
// AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE and AWS_EC2_METADATA_V1_DISABLED are obeyed.
#pragma once

#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/client.h"
#include "lib/runtime/task.h"

namespace aws {

class InstanceMetadata {
 public:
  // `client` and `clock` outlive it; used on the client's executor.
  InstanceMetadata(http::Client& client, base::Clock& clock) : client_(client), clock_(clock) {}

  // What the service has at `path` ("/latest/meta-data/instance-id"). NotFound when it has nothing
  // there, and when there is no service.
  runtime::Task<base::Result<std::string>> get(std::string path);
  runtime::Task<base::Result<std::string>> instance_id();
  runtime::Task<base::Result<std::string>> availability_zone();

 private:
  struct Answer {
    int status = 0;
    std::string body;
  };
  runtime::Task<base::Result<Answer>> ask(http::ClientRequest request);
  runtime::Task<base::Result<void>> renew_token();

  http::Client& client_;
  base::Clock& clock_;
  std::string token_;  // empty: version 1
  base::Timestamp token_until_;
};

}  // namespace aws
