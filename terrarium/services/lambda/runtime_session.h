// What a custom runtime may ask of the execution environment that it runs in (the Lambda Runtime
// API), without the HTTP around it; and who brings the HTTP.
//
// Sessions live on the control executor. Frontends may live anywhere and hop.
#pragma once

#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::lambda {

struct Invocation {
  std::string request_id;
  std::string function_arn;
  std::string trace_id;
  std::string client_context;  // JSON, empty without one
  base::Timestamp deadline;
  std::shared_ptr<const std::string> payload;
};

class RuntimeSession {
 public:
  virtual ~RuntimeSession() = default;
  // The next event. Conflict: the one before has not been answered. Cancelled: the environment has
  // ended, or the runtime asked again on another connection.
  virtual runtime::Task<base::Result<Invocation>> next() = 0;
  // InvalidInput: not the request under way.
  virtual base::Result<void> respond(const std::string& request_id, std::string payload) = 0;
  virtual base::Result<void> fail(const std::string& request_id, std::string error_type,
                                  std::string payload) = 0;
  // Conflict: initialisation is over.
  virtual base::Result<void> fail_init(std::string error_type, std::string payload) = 0;
};

// One environment's Runtime API, reachable while this lives and is not closed.
class RuntimeEndpoint {
 public:
  virtual ~RuntimeEndpoint() = default;
  // AWS_LAMBDA_RUNTIME_API: "127.0.0.1:40123".
  virtual std::string address() const = 0;
  // After it nothing calls the session any more. The session has ended before.
  virtual runtime::Task<void> close() = 0;
};

class RuntimeFrontend {
 public:
  virtual ~RuntimeFrontend() = default;
  // `session` outlives the endpoint. `listening_fd`: a socket to listen on, which becomes the
  // endpoint's; -1: it opens its own.
  virtual base::Result<std::unique_ptr<RuntimeEndpoint>> open(RuntimeSession& session,
                                                              int listening_fd) = 0;
};

}  // namespace terrarium::lambda
