// One invocation from its request to its outcome. Control executor.
#pragma once

#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "terrarium/services/lambda/fleet.h"

namespace terrarium::lambda {

struct InvokeRequest {
  std::string request_id;
  std::string client_context;
  std::string function_arn;  // as it was named; empty: the function's, unqualified
  std::shared_ptr<const std::string> payload;
};

// Runs it in `environment`, which `pool` has given out, and gives that back. The function's timeout
// begins now.
runtime::Task<Outcome> run_in(EnvironmentPtr environment, std::shared_ptr<FunctionPool> pool,
                              InvokeRequest request, base::Clock& clock, base::Random& random);

}  // namespace terrarium::lambda
