// The region's PostgreSQL: a private server from Debian's package in <state>/postgres, kept running
// by the ProgramKeeper, listening on 127.0.0.1 only. Every commit is synced (fsync and
// synchronous_commit stay on). A later data plane makes it Multi-AZ behind the same interface.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/runtime/runtime.h"
#include "terrarium/host/program.h"

namespace terrarium::host {

struct Database {
  std::string name;
  std::string user;      // its owner
  std::string password;  // random, made once
  std::uint16_t port = 0;
};

class Postgres {
 public:
  Postgres(runtime::Executor executor, base::Clock& clock, base::Random& random,
           ProgramKeeper& programs, std::filesystem::path state);

  // Makes the server's folder when there is none (initdb), starts the server, and makes database
  // and owner. Idempotent: what is there stays as it is. Waits until the database accepts
  // connections, at most until `deadline`.
  runtime::Task<base::Result<Database>> create_database(std::string name, base::Timestamp deadline);
  // Starts the server when its folder exists: after a daemon restart.
  runtime::Task<base::Result<void>> resume();

 private:
  runtime::Task<base::Result<void>> initialise(base::Timestamp deadline);
  runtime::Task<base::Result<void>> start_server();
  runtime::Task<base::Result<std::string>> run_as_server(std::vector<std::string> argv,
                                                         std::string input,
                                                         base::Timestamp deadline);
  runtime::Task<base::Result<std::string>> sql(std::string database, std::string text,
                                               base::Timestamp deadline);
  base::Result<std::uint16_t> port();
  std::filesystem::path data() const { return folder_ / "data"; }

  runtime::Executor executor_;
  base::Clock& clock_;
  base::Random& random_;
  ProgramKeeper& programs_;
  std::filesystem::path folder_;
};

}  // namespace terrarium::host
