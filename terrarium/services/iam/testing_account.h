// For tests of the service: one account on a manual clock, run by the test's own thread.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "lib/base/random.h"
#include "lib/runtime/testing_loop.h"
#include "terrarium/services/iam/service.h"
#include "terrarium/store/memory.h"

namespace terrarium::iam {

inline constexpr const char* kTrust =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",)"
    R"("Principal":{"Service":"lambda.amazonaws.com"}}]})";
inline constexpr const char* kPolicy =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})";

class TestingAccount : public runtime::TestingLoop {
 public:
  explicit TestingAccount(std::unique_ptr<store::Store> over = store::open_memory_store())
      : store(std::move(over)) {
    context.now = clock.now();
    context.account = "123456789012";
    restart();
  }

  void restart() {
    service = std::make_unique<Service>(*store, clock, random, Config{.account = "123456789012"});
  }
  using TestingLoop::ask;
  // A call of the service by its operation: ask(&Service::get_user, {"ann"}).
  template <class Response, class Request>
  base::Result<Response> ask(
      runtime::Task<base::Result<Response>> (Service::*operation)(const wire::Context&, Request),
      std::type_identity_t<Request> request) {
    return ask(((*service).*operation)(context, std::move(request)));
  }

  std::string user(const std::string& name) {
    CreateUserRequest request;
    request.user_name = name;
    return code(ask(&Service::create_user, request));
  }
  std::string role(const std::string& name, const std::string& trust = kTrust) {
    CreateRoleRequest request;
    request.role_name = name;
    request.assume_role_policy_document = trust;
    return code(ask(&Service::create_role, request));
  }
  std::string policy(const std::string& name) {
    CreatePolicyRequest request;
    request.policy_name = name;
    request.policy_document = kPolicy;
    return code(ask(&Service::create_policy, request));
  }
  static std::string policy_arn(const std::string& name) {
    return "arn:aws:iam::123456789012:policy/" + name;
  }
  // "", or "Code: message".
  template <class T>
  static std::string code(const base::Result<T>& result) {
    if (result.has_value()) return "";
    const base::ErrorRow* row = result.error().row;
    return (row == nullptr ? "" : std::string(row->code)) + ": " + result.error().message;
  }

  base::SeededRandom random{7};
  std::unique_ptr<store::Store> store;
  wire::Context context;
  std::unique_ptr<Service> service;
};

}  // namespace terrarium::iam
