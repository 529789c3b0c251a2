// A router with hand-made services over generated models, driven with requests that are really
// signed. For the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/aws/sigv4.h"
#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/base/random.h"
#include "lib/runtime/runtime.h"
#include "terrarium/wire/binding.h"
#include "terrarium/wire/router.h"

namespace terrarium::wire::testing {

inline std::string sha256_hex(std::string_view text) {
  return base::hex_encode(base::digest(base::DigestKind::Sha256, text));
}

class KeyTable final : public KeyStore {
 public:
  base::Result<std::optional<Key>> find(std::string_view access_key_id) const override {
    const auto found = keys.find(std::string(access_key_id));
    if (found == keys.end()) return std::optional<Key>();
    return std::optional(found->second);
  }
  std::map<std::string, Key> keys;
};

// By ARN; whoever is not here has no policies.
class PermissionTable final : public Authoriser {
 public:
  base::Result<std::shared_ptr<const Permissions>> permissions_of(
      const Principal& principal) const override {
    const auto found = permissions.find(principal.arn);
    if (found == permissions.end()) return std::make_shared<const Permissions>();
    return found->second;
  }
  std::map<std::string, std::shared_ptr<const Permissions>> permissions;
};

// A request on its way: signed or changed afterwards, then handed to the router.
struct Sent {
  http::ClientRequest message;  // what a client makes
  std::string body;             // as it travels
};

struct Received {
  int status = 0;
  http::Headers headers;
  std::string body;
  std::string header(std::string_view name) const {
    return std::string(headers.find(name).value_or(""));
  }
};

// Every operation of the model; those without a function here fail the test when called.
class EntryBuilder {
 public:
  explicit EntryBuilder(const ServiceModel& model) : entry_{&model, {}, {}} {
    entry_.operations.resize(model.operations.size());
    for (std::size_t i = 0; i < model.operations.size(); ++i) {
      entry_.operations[i].model = &model.operations[i];
    }
  }
  EntryBuilder& finish(
      std::function<void(const Context&, std::string_view, http::Response&)> finish) {
    entry_.finish = std::move(finish);
    return *this;
  }
  template <class Input, class Output>
  EntryBuilder& on(std::string_view name,
                   std::function<base::Result<Output>(const Context&, Input)> function) {
    using Function = std::function<base::Result<Output>(const Context&, Input)>;
    return on_task<Input, Output>(name, [function](const Context& context, Input input) {
      return answer_at_once<Input, Output, Function>(function, context, std::move(input));
    });
  }
  template <class Input, class Output>
  EntryBuilder& on_task(
      std::string_view name,
      std::function<runtime::Task<base::Result<Output>>(const Context&, Input)> function) {
    const auto place = std::ranges::find_if(
        entry_.operations,
        [name](const OperationHandler& handler) { return handler.model->name == name; });
    *place = bind<Input, Output>(*place->model, std::move(function));
    return *this;
  }
  ServiceEntry build() { return std::move(entry_); }

 private:
  template <class Input, class Output, class Function>
  static runtime::Task<base::Result<Output>> answer_at_once(Function function,
                                                            const Context& context, Input input) {
    co_return function(context, std::move(input));
  }

  ServiceEntry entry_;
};

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    Key root{.secret = "secret", .session_token = {}, .expiration = {}, .principal = {}};
    root.principal = {PrincipalKind::Root, "000000000000", "arn:aws:iam::000000000000:root",
                      "000000000000", "AKID"};
    keys_.keys["AKID"] = root;
  }

  static Sent request(std::string method, std::string target, std::string body = {},
                      std::vector<std::pair<std::string, std::string>> headers = {},
                      std::string host = "localhost:4566") {
    Sent sent;
    sent.message.method = std::move(method);
    const http::Url url = http::Url::parse("http://" + host).value();
    sent.message.url = url;
    sent.message.url.target = std::move(target);
    sent.message.headers.add("Host", std::move(host));
    for (auto& [name, value] : headers) sent.message.headers.add(name, value);
    sent.body = std::move(body);
    return sent;
  }

  Sent signed_for(const std::string& service, Sent sent, std::string payload_hash = {}) const {
    if (payload_hash.empty()) payload_hash = sha256_hex(sent.body);
    aws::sign(sent.message, credentials_, region_, service, payload_hash, clock_.now());
    return sent;
  }

  Received send(const Sent& sent) {
    Received received;
    runtime::block_on(exchange(sent, received));
    return received;
  }

  runtime::Task<void> exchange(const Sent& sent, Received& received) {
    http::Request raw;
    raw.method = sent.message.method;
    raw.target = sent.message.url.target;
    const std::size_t mark = std::min(raw.target.find('?'), raw.target.size());
    raw.path = raw.target.substr(0, mark);
    raw.query = raw.target.substr(std::min(mark + 1, raw.target.size()));
    const std::string length = std::to_string(sent.body.size());
    for (const auto& [name, value] : sent.message.headers) raw.headers.add(name, value);
    if (!raw.headers.find("content-length") && !raw.headers.find("transfer-encoding") &&
        !omit_length_) {
      raw.headers.add("Content-Length", length);
    }
    const std::unique_ptr<http::BodyReader> body = http::body_of(sent.body);
    raw.body = body.get();
    const http::Peer peer{"127.0.0.1", 1234, false};
    raw.peer = &peer;
    http::Response response = co_await router_.handle(raw);
    received.status = response.status;
    received.headers = std::move(response.headers);
    received.body = std::move(response.body);
    if (response.stream) {
      auto bytes = co_await http::read_all(*response.stream, 1 << 20);
      received.body = bytes ? *bytes : "stream failed";
    }
  }

  base::ManualClock clock_;
  base::SeededRandom random_{1};
  KeyTable keys_;
  PermissionTable authoriser_;
  aws::Credentials credentials_{"AKID", "secret", {}, {}};
  std::string region_ = "us-east-1";
  bool omit_length_ = false;
  Router router_{clock_, random_, keys_, {}, &authoriser_};
};

}  // namespace terrarium::wire::testing
