// The region's PostgreSQL: a private server from Debian's package in <state>/postgres. It is a
// machine of its own behind a network interface of a VPC once place() has said which; until then a
// program of the host, kept running by the ProgramKeeper, that listens on 127.0.0.1 only. Every
// commit is synced (fsync and synchronous_commit stay on).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/runtime/runtime.h"
#include "terrarium/host/machine.h"
#include "terrarium/host/program.h"

namespace terrarium::host {

struct Database {
  std::string name;
  std::string user;      // its owner
  std::string password;  // random, made once
  std::uint16_t port = 0;
};

// Where the server runs as a machine: an interface of a VPC.
struct PostgresPlace {
  std::filesystem::path network_namespace;
  std::string hostname;
};
// The machine's name.
inline constexpr std::string_view kPostgresMachine = "postgres";

class Postgres {
 public:
  Postgres(runtime::Executor executor, base::Clock& clock, base::Random& random,
           ProgramKeeper& programs, std::filesystem::path state);

  // Makes the server's folder when there is none (initdb), starts the server, and makes database
  // and owner. Idempotent: what is there stays as it is. Waits until the database accepts
  // connections, at most until `deadline`.
  runtime::Task<base::Result<Database>> create_database(std::string name, base::Timestamp deadline);
  // Makes the server's folder when there is none.
  runtime::Task<base::Result<void>> prepare(base::Timestamp deadline);
  // Starts the server when its folder exists and it does not run: after a daemon restart, or after
  // its machine has ended.
  runtime::Task<base::Result<void>> resume();
  // From now on the server is a machine, on port 5432 of that interface; a server that runs as a
  // program is stopped first. `machines` outlives it.
  runtime::Task<void> place(Machines& machines, PostgresPlace place);
  // Shuts a machine down; programs are the ProgramKeeper's to stop.
  runtime::Task<void> stop();

 private:
  runtime::Task<base::Result<void>> initialise(base::Timestamp deadline);
  runtime::Task<base::Result<void>> start_server();
  runtime::Task<base::Result<void>> start_machine();
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
  Machines* machines_ = nullptr;  // null: a program of the host
  PostgresPlace place_;
};

}  // namespace terrarium::host
