// The Lambda Runtime API (2018-06-01) over HTTP, on a listener of its own for each environment.
// Source: AWS "Using the Lambda runtime API for custom runtimes".
#pragma once

#include <memory>

#include "lib/base/clock.h"
#include "lib/runtime/runtime.h"
#include "terrarium/services/lambda/runtime_session.h"

namespace terrarium::lambda {

// Where no socket is given, on 127.0.0.1 at ports that the kernel chooses. `runtime` and `clock`
// outlive it.
std::unique_ptr<RuntimeFrontend> http_runtime_frontend(runtime::Runtime& runtime,
                                                       base::Clock& clock);

}  // namespace terrarium::lambda
