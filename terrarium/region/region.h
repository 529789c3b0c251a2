// The region: the store, every service, and what they run on, wired together. Made and stopped by
// `terrarium serve`; simulations (tests/sim) put the services together over stores that fail.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/http/server.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task.h"

namespace terrarium::region {

struct RegionConfig {
  std::filesystem::path state;
  std::string account = "000000000000";
  std::string default_region = "us-east-1";
  std::uint16_t port = 4566;   // where functions and the board reach the APIs on 127.0.0.1
  std::function<void()> stop;  // asks the daemon to end; any thread
  std::function<void()> storage_failed;  // only a new daemon knows what is on disk; any thread
};

class Region {
 public:
  // Opens the store in `config.state`. Conflict: another daemon uses that folder. `runtime`,
  // `clock` and `random` outlive the region.
  static base::Result<std::unique_ptr<Region>> open(RegionConfig config, runtime::Runtime& runtime,
                                                    base::Clock& clock, base::Random& random);
  virtual ~Region() = default;

  // Resumes what an earlier daemon had begun. On the control executor, before requests come.
  virtual runtime::Task<base::Result<void>> start() = 0;
  // Opens the region's public face, inside its own networks, on `server`. On the control executor,
  // after start().
  virtual base::Result<void> listen(http::Server& server) = 0;
  // Ends everything that the region runs. On the control executor, after requests have ended.
  virtual runtime::Task<void> stop() = 0;
  // Any io executor.
  virtual runtime::Task<http::Response> handle(http::Request& request) = 0;
};

}  // namespace terrarium::region
