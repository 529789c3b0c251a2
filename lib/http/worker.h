// What the connections of one io executor share, and what all of a server share. Internal to
// lib/http.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/http/owned_fd.h"
#include "lib/http/server.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"

namespace http {

class Connection;
class TlsContext;

// Lives and is used on its executor; only `load` is read by others.
struct Worker {
  Worker(runtime::Executor on, base::Clock& clock)
      : executor(on), acceptors(on), connections(on), sweeper(on), emptied(clock), stopped(clock) {}

  // The lines that every response carries, printed once a second.
  std::string_view fixed_lines(base::Timestamp now, const std::string& server_name);

  runtime::Executor executor;
  runtime::TaskGroup acceptors;
  runtime::TaskGroup connections;
  runtime::TaskGroup sweeper;
  std::list<Connection*> open;
  runtime::Event emptied;  // open has become empty
  runtime::Event stopped;
  std::atomic<std::size_t> load = 0;
  bool refusing = false;  // acceptors have been told to stop
  bool stopping = false;
  bool has_stopped = false;

 private:
  std::string fixed_;
  std::chrono::sys_seconds fixed_second_ = std::chrono::sys_seconds::min();
};

// Shared by the Server and every coroutine of it: whoever goes last frees it.
struct Core {
  Core(runtime::Runtime& on, base::Clock& with, ServerOptions how, Handler what)
      : runtime(on), clock(with), options(std::move(how)), handler(std::move(what)) {}

  runtime::Runtime& runtime;
  base::Clock& clock;
  const ServerOptions options;
  const Handler handler;
  std::vector<std::unique_ptr<Worker>> workers;
  std::atomic<std::size_t> connections = 0;
  std::atomic<bool> draining = false;
};

// Takes connections from `listener` until the server drains.
runtime::Task<void> accept_all(std::shared_ptr<Core> core, OwnedFd listener,
                               std::shared_ptr<TlsContext> tls, bool inherited);

// A listening socket as asked for; the port it has.
struct Listener {
  OwnedFd fd;
  std::uint16_t port = 0;
};
base::Result<Listener> open_listener(const Listen& listen);

}  // namespace http
