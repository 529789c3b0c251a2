// For tests: an HTTP server on the loopback that answers what it is told and remembers what it was
// asked, a client beside it, and environment variables that end with their test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/http/client.h"
#include "lib/http/server.h"
#include "lib/runtime/runtime.h"

extern "C" char** environ;

namespace aws::testing {

// No AWS_* variable but those given, and a HOME without ~/.aws; restored at the end.
class CleanEnvironment {
 public:
  explicit CleanEnvironment(const std::map<std::string, std::string>& values = {}) {
    for (char** at = environ; *at != nullptr; ++at) {
      const std::string text = *at;
      if (text.starts_with("AWS_") || text.starts_with("HOME=")) before_.push_back(text);
    }
    for (const std::string& text : before_) ::unsetenv(text.substr(0, text.find('=')).c_str());
    set("HOME", "/nonexistent");
    set("AWS_EC2_METADATA_DISABLED", "true");
    for (const auto& [name, value] : values) set(name, value);
  }
  ~CleanEnvironment() {
    for (const std::string& name : names_) ::unsetenv(name.c_str());
    for (const std::string& text : before_) {
      const std::size_t equals = text.find('=');
      ::setenv(text.substr(0, equals).c_str(), text.substr(equals + 1).c_str(), 1);
    }
  }
  CleanEnvironment(const CleanEnvironment&) = delete;
  CleanEnvironment& operator=(const CleanEnvironment&) = delete;

  void set(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    names_.push_back(name);
  }

 private:
  std::vector<std::string> before_;
  std::vector<std::string> names_;
};

// Time that jumps to whatever is waited for. One thread uses it.
class JumpingClock final : public base::Clock {
 public:
  explicit JumpingClock(base::Timestamp start) : now_(start) {}
  base::Timestamp now() const override { return now_; }
  base::TimerId call_at(base::Timestamp when, std::function<void()> wake) override {
    now_ = std::max(now_, when);
    wake();
    return 1;
  }
  bool cancel(base::TimerId) override { return false; }
  void advance(base::Duration by) { now_ += by; }

 private:
  base::Timestamp now_;
};

struct Asked {
  std::string method;
  std::string target;
  http::Headers headers;
  std::string body;
};

struct Reply {
  int status = 200;
  std::string body;
  http::Headers headers;
};

class TestServer {
 public:
  TestServer() {
    const auto handle = [this](http::Request& request) { return answer(*this, request); };
    auto opened = http::Server::open(runtime_, clock_, {}, handle);
    EXPECT_TRUE(opened.has_value());
    server_ = std::move(*opened);
    port_ = server_->listen({}).value();
    client_ = http::Client::open(runtime_.control(), clock_);
    runtime_.start();
  }
  ~TestServer() {
    run([](TestServer& self) -> runtime::Task<void> {
      self.client_.reset();
      co_await self.server_->drain(self.clock_.now());
    }(*this));
    runtime_.stop();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // Set before the client asks; the last one is given again and again.
  std::deque<Reply> replies;
  // By target; these go before `replies`.
  std::map<std::string, Reply> pages;
  std::vector<Asked> asked;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  http::Client& client() { return *client_; }
  base::Clock& clock() { return clock_; }
  base::Timestamp soon() const { return clock_.now() + std::chrono::seconds(60); }

  runtime::Executor executor() { return runtime_.control(); }
  // Runs `task` where the client lives, to its end.
  void run(runtime::Task<void> task) {
    runtime::block_on(runtime::run_on(executor(), std::move(task)));
  }
  template <class T>
  T run(runtime::Task<T> task) {
    std::optional<T> result;
    run(keep(std::move(task), result));
    return std::move(*result);
  }

 private:
  template <class T>
  static runtime::Task<void> keep(runtime::Task<T> task, std::optional<T>& result) {
    result = co_await std::move(task);
  }

  static runtime::Task<http::Response> answer(TestServer& self, http::Request& request) {
    Asked asked{std::string(request.method), std::string(request.target), {}, {}};
    for (const auto& [name, value] : request.headers) {
      asked.headers.add(std::string(name), std::string(value));
    }
    auto body = co_await http::read_all(*request.body, 1 << 20);
    asked.body = std::move(body).value_or("");
    const auto page = self.pages.find(asked.target);
    Reply reply{.status = 404};
    if (page != self.pages.end()) {
      reply = page->second;
    } else if (!self.replies.empty()) {
      reply = self.replies.front();
      if (self.replies.size() > 1) self.replies.pop_front();
    }
    self.asked.push_back(std::move(asked));
    http::Response response;
    response.status = reply.status;
    response.headers = reply.headers;
    response.body = reply.body;
    co_return response;
  }

  runtime::Runtime runtime_{1, 1};
  base::SystemClock clock_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
  std::uint16_t port_ = 0;
};

}  // namespace aws::testing
