// The instance metadata service, versions 1 and 2: an HTTP handler over what Instances knows. The
// listener, one a VPC, is somebody else's: it hands over the VPC and the request, whose peer
// address tells which instance asks.
//
// handle() is called on any executor and does its work on the control executor.
// Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
#pragma once

#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/http/server.h"
#include "lib/runtime/task.h"
#include "terrarium/services/iam/api.h"
#include "terrarium/services/imds/credentials.h"
#include "terrarium/services/imds/instances.h"
#include "terrarium/services/imds/tokens.h"

namespace terrarium::imds {

class Service {
 public:
  // Everything outlives the service.
  struct Parts {
    const Instances& instances;
    iam::Api& iam;
    const iam::Roles& roles;
    base::Clock& clock;
    runtime::Executor control;
  };
  // `token_secret`: random bytes. Tokens do not survive it; clients ask for new ones then.
  Service(Parts parts, std::string token_secret)
      : parts_(parts),
        tokens_(std::move(token_secret)),
        credentials_(parts.iam, parts.roles, parts.clock) {}

  // The request is valid until the answer has been sent.
  runtime::Task<http::Response> handle(std::string vpc_id, http::Request& request);

 private:
  // What matters of a request: copied, for its views belong to the connection's thread.
  struct Question {
    std::string vpc_id;
    std::string source_address;
    std::string method;
    std::string path;
    std::string token;
    std::string token_life;
    bool forwarded = false;
  };
  runtime::Task<http::Response> answer(Question question);
  http::Response issue_token(const Question& question, const InstanceFacts& instance) const;
  runtime::Task<http::Response> show(InstanceFacts instance, std::vector<std::string> path);

  Parts parts_;
  Tokens tokens_;
  RoleCredentials credentials_;
};

}  // namespace terrarium::imds
