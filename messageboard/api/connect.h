// Opens a connection to the database without ever blocking its thread, and leaves it ready for
// Pipeline: tables made when they are not there, statements prepared, pipeline mode on.
#pragma once

#include <cstdint>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "messageboard/api/pipeline.h"

namespace messageboard {

struct DatabaseAddress {
  std::string host;
  std::uint16_t port = 5432;
  std::string user;
  std::string password;
  std::string name;
};

runtime::Task<base::Result<Connection>> connect_to_database(base::Clock& clock,
                                                            DatabaseAddress address,
                                                            base::Timestamp deadline);

}  // namespace messageboard
