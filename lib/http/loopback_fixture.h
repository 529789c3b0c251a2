// For tests: a real server on a loopback port, and a client that sends exactly the bytes it is told
// to and waits a bounded time for what comes back.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lib/base/clock.h"
#include "lib/http/owned_fd.h"
#include "lib/http/server.h"
#include "lib/runtime/runtime.h"

namespace http {

class LoopbackServer {
 public:
  explicit LoopbackServer(Handler handler, ServerOptions options = {}, Listen listen = {});
  // Drains, then stops the threads.
  ~LoopbackServer();

  std::uint16_t port() const { return port_; }
  Server& server() { return *server_; }
  base::Clock& clock() { return clock_; }
  runtime::Runtime& runtime() { return runtime_; }
  void drain(base::Duration within);

 private:
  base::SystemClock clock_;
  runtime::Runtime runtime_{2, 1};
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

// A blocking socket whose waits end after ten seconds.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, std::string_view address = "127.0.0.1");
  bool connected() const { return fd_.get() >= 0; }
  int fd() const { return fd_.get(); }
  // False when the peer has closed.
  bool send(std::string_view bytes);
  void end_sending();
  // Up to and with `mark`, or as much as came before the end.
  std::string read_until(std::string_view mark);
  // Exactly so many, unless the end comes before.
  std::string read_bytes(std::size_t count);
  // Everything up to the end; reset() then says whether the end was an error.
  std::string read_to_end();
  // Something has come; does not wait.
  bool answered() const;
  bool reset() const { return reset_; }
  void close() { fd_ = OwnedFd(); }

 private:
  bool receive();
  OwnedFd fd_;
  std::string received_;
  bool reset_ = false;
};

// A server that says exactly what it is told: for each connection in turn, each time a request's
// head (and what came with it) has arrived, the next of its answers; then it closes.
class ScriptedServer {
 public:
  using Answers = std::vector<std::string>;
  explicit ScriptedServer(std::vector<Answers> connections);
  ~ScriptedServer();
  std::uint16_t port() const { return port_; }
  // What the connections have sent, all together.
  std::string received() const;
  int accepted() const { return accepted_; }

 private:
  void serve(const Answers& answers);
  std::vector<Answers> connections_;
  OwnedFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0;
  mutable std::mutex mutex_;
  std::string received_;
  std::thread thread_;
};

// Looks again and again until it holds, for ten seconds at most.
bool eventually(const std::function<bool()>& holds);

std::string get(std::string_view target, std::string_view more = {});

}  // namespace http
