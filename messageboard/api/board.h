// The whole service: workers, routes, the HTTP server and the sweeper.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/http/server.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task.h"
#include "messageboard/api/app.h"
#include "messageboard/api/config.h"
#include "messageboard/api/route.h"
#include "messageboard/api/sweeper.h"
#include "messageboard/api/worker.h"

namespace messageboard {

class Board {
 public:
  // Everything outlives the board.
  Board(runtime::Runtime& runtime, base::Clock& clock, base::Random& random, Config config);
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  // Before the runtime starts. Gives the port; answers as soon as the runtime runs, whether the
  // database is there or not.
  base::Result<std::uint16_t> start();
  // Lets requests under way finish, then ends everything. From any executor.
  runtime::Task<void> stop();

 private:
  runtime::Task<void> learn_instance_id();

  runtime::Runtime& runtime_;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> all_workers_;
  Workers workers_;
  Sweeper sweeper_;
  runtime::TaskGroup tasks_;
  App app_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace messageboard
