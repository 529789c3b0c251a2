// The front door: finds which service and operation a request means, authenticates it, decodes it,
// asks whether its sender may, has the service answer and encodes that, in each of the AWS
// protocols.
//
// add() everything before the first request; then handle() may run on any connection's executor at
// once. A service's handlers run on its entry's executor when it has one (the control strand), else
// on the connection's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/http/server.h"
#include "lib/runtime/task.h"
#include "terrarium/wire/authorisation.h"
#include "terrarium/wire/key_store.h"
#include "terrarium/wire/permissions.h"
#include "terrarium/wire/service.h"

namespace terrarium::wire {

struct RouterConfig {
  std::string account = "000000000000";
  std::string default_region = "us-east-1";  // of requests that name none
};

class Router {
 public:
  // Everything outlives the router. Without an authoriser nothing narrows anybody: for tests.
  Router(base::Clock& clock, base::Random& random, const KeyStore& keys, RouterConfig config,
         const Authoriser* authoriser = nullptr);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  void add(ServiceEntry entry, ServicePermissions permissions = {});
  runtime::Task<http::Response> handle(http::Request& request);
  // handle() as the server takes it; the router outlives the handler.
  http::Handler handler();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace terrarium::wire
