// For tests of the service: the services around it, as small as they can be.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/runtime/event.h"
#include "terrarium/host/network.h"
#include "terrarium/services/iam/api.h"
#include "terrarium/services/iam/roles.h"
#include "terrarium/services/lambda/runtime_session.h"
#include "terrarium/services/logs/api.h"
#include "terrarium/services/s3/api.h"
#include "terrarium/services/sqs/api.h"

namespace terrarium::lambda {

class FakeQueue final : public sqs::Api {
 public:
  explicit FakeQueue(base::Clock& clock) : clock_(clock), changed_(clock) {}
  struct Message {
    std::string body;
    base::Timestamp visible;
    int receives = 0;
    bool deleted = false;
  };
  std::chrono::seconds visibility{30};
  bool missing = false;
  std::vector<Message> messages;  // the index is id and handle
  // What was sent, by queue.
  std::map<std::string, std::vector<sqs::OutgoingMessage>> sent;

  void put(std::string body) {
    messages.push_back({std::move(body), clock_.now()});
    changed_.notify_all();
  }
  std::size_t left() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(messages, [](const Message& m) { return !m.deleted; }));
  }

  runtime::Task<base::Result<void>> send(sqs::SendingService, std::string, std::string) override {
    co_return base::fail(base::ErrorKind::NotImplemented, "not here");
  }
  runtime::Task<base::Result<void>> send(std::string, std::string queue_arn,
                                         sqs::OutgoingMessage message) override {
    sent[queue_arn].push_back(std::move(message));
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<std::size_t>> wait_visible(std::string, std::size_t wanted,
                                                        base::Timestamp until) override {
    for (;;) {
      std::size_t visible = 0;
      base::Timestamp next = until;
      for (const Message& message : messages) {
        if (message.deleted) continue;
        if (message.visible <= clock_.now()) ++visible;
        if (message.visible > clock_.now()) next = std::min(next, message.visible);
      }
      if (visible >= wanted || clock_.now() >= until) co_return std::min(visible, wanted);
      const bool woken = co_await changed_.wait_until(next);
      if (!woken && clock_.now() < next) co_return std::min(visible, wanted);
    }
  }
  int receives() const {
    int sum = 0;
    for (const Message& message : messages) sum += message.receives;
    return sum;
  }
  runtime::Task<base::Result<void>> check_can_send(sqs::SendingService, std::string) override {
    co_return base::fail(base::ErrorKind::NotImplemented, "not here");
  }
  runtime::Task<base::Result<std::vector<sqs::ReceivedMessage>>> receive(
      std::string, std::size_t messages_max, base::Timestamp wait_until,
      std::optional<std::chrono::seconds>) override {
    for (;;) {
      std::vector<sqs::ReceivedMessage> got;
      base::Timestamp next = wait_until;
      for (std::size_t i = 0; i < messages.size() && got.size() < messages_max; ++i) {
        Message& message = messages[i];
        if (message.deleted) continue;
        if (message.visible > clock_.now()) {
          next = std::min(next, message.visible);
          continue;
        }
        message.visible = clock_.now() + visibility;
        ++message.receives;
        got.push_back({.message_id = std::to_string(i),
                       .receipt_handle = std::to_string(i),
                       .body = message.body});
      }
      if (!got.empty() || clock_.now() >= wait_until) co_return got;
      const base::Timestamp before = clock_.now();
      const bool woken = co_await changed_.wait_until(next);
      if (!woken && clock_.now() < next && clock_.now() == before) co_return got;
    }
  }
  runtime::Task<base::Result<void>> delete_messages(std::string,
                                                    std::vector<std::string> handles) override {
    for (const std::string& handle : handles) messages[std::stoul(handle)].deleted = true;
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<void>> change_visibility(std::string, std::vector<std::string> handles,
                                                      std::chrono::seconds timeout) override {
    for (const std::string& handle : handles) {
      messages[std::stoul(handle)].visible = clock_.now() + timeout;
    }
    changed_.notify_all();
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<sqs::QueueSettings>> attributes(std::string arn) override {
    if (missing) co_return base::fail(base::ErrorKind::InvalidInput, "no such queue");
    co_return sqs::QueueSettings{.arn = std::move(arn), .visibility_timeout = visibility};
  }
  runtime::Task<bool> queue_exists(std::string) override { co_return !missing; }

 private:
  base::Clock& clock_;
  runtime::Event changed_;
};

class FakeObjects final : public s3::Api {
 public:
  std::map<std::string, std::string> objects;  // "bucket/key", "bucket/key?version"
  runtime::Task<base::Result<std::string>> read_object(std::string bucket, std::string key,
                                                       std::optional<std::string> version_id,
                                                       std::size_t) override {
    const auto found = objects.find(bucket + "/" + key + (version_id ? "?" + *version_id : ""));
    if (found != objects.end()) co_return found->second;
    co_return base::fail(base::ErrorKind::NotFound, "The specified key does not exist.");
  }
  runtime::Task<bool> bucket_exists(std::string) override { co_return true; }
};

class FakeLogs final : public logs::Api {
 public:
  std::vector<logs::Line> lines;
  void append(logs::Line line) override { lines.push_back(std::move(line)); }
  std::string text() const {
    std::string all;
    for (const logs::Line& line : lines) all += line.message;
    return all;
  }
};

class FakeRoles final : public iam::Api, public iam::Roles {
 public:
  explicit FakeRoles(base::Clock& clock) : clock_(clock) {}
  int assumed = 0;
  runtime::Task<base::Result<iam::TemporaryCredentials>> assume(
      std::string, std::string, std::chrono::seconds lifetime) override {
    ++assumed;
    co_return iam::TemporaryCredentials{.access_key_id = "ASIA1",
                                        .secret_access_key = "secret",
                                        .session_token = "token",
                                        .expiration = clock_.now() + lifetime};
  }
  base::Result<bool> trusts(const std::string&, std::string_view) const override { return trusted; }
  base::Result<bool> role_may(const std::string&, std::string_view, const std::string& action,
                              const std::string&) const override {
    return action != forbidden;
  }
  bool trusted = true;
  std::string forbidden;  // an action

 private:
  base::Clock& clock_;
};

// Isolated namespaces by name only.
class FakeNetwork final : public host::Network {
 public:
  using Done = runtime::Task<base::Result<void>>;
  std::set<std::string> isolated;
  std::vector<std::string> listened;
  bool broken = false;

  Done add_isolated(std::string id) override {
    if (broken) co_return base::fail(base::ErrorKind::Unavailable, "no network");
    isolated.insert(std::move(id));
    co_return base::Result<void>();
  }
  Done remove_isolated(std::string id) override {
    isolated.erase(id);
    co_return base::Result<void>();
  }
  std::filesystem::path namespace_path(const std::string& id) const override {
    return "/run/netns/" + id;
  }
  base::Result<int> listen_in_isolated(const std::string& id, std::string address,
                                       std::uint16_t port) override {
    listened.push_back(id + " " + address + ":" + std::to_string(port));
    return -1;
  }
  Done set_vpc(host::VpcSpec) override { co_return base::Result<void>(); }
  Done remove_vpc(std::string) override { co_return base::Result<void>(); }
  base::Result<std::vector<std::string>> vpcs() const override {
    return std::vector<std::string>();
  }
  std::filesystem::path internet_namespace_path() const override { return {}; }
  base::Result<int> listen_on_internet(std::string, std::uint16_t) override { return -1; }
  base::Result<int> listen_in_vpc(const std::string&, std::string, std::uint16_t) override {
    return -1;
  }
  Done remove_all() override { co_return base::Result<void>(); }
};

// The Runtime API without HTTP: fake programs find their session by its address.
class FakeFrontend final : public RuntimeFrontend {
 public:
  std::map<std::string, RuntimeSession*> sessions;
  base::Result<std::unique_ptr<RuntimeEndpoint>> open(RuntimeSession& session, int) override {
    auto endpoint = std::make_unique<Endpoint>(*this, "fake:" + std::to_string(++opened_));
    sessions[endpoint->address()] = &session;
    return std::unique_ptr<RuntimeEndpoint>(std::move(endpoint));
  }

 private:
  class Endpoint final : public RuntimeEndpoint {
   public:
    Endpoint(FakeFrontend& frontend, std::string address)
        : frontend_(frontend), address_(std::move(address)) {}
    std::string address() const override { return address_; }
    runtime::Task<void> close() override {
      frontend_.sessions.erase(address_);
      co_return;
    }

   private:
    FakeFrontend& frontend_;
    std::string address_;
  };
  int opened_ = 0;
};

}  // namespace terrarium::lambda
