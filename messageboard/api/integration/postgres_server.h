// A PostgreSQL server of the test's own, in a folder and on a port of its own; every test uses a
// database of its own in it. As root it runs as user postgres, which it insists on.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "messageboard/api/connect.h"

namespace messageboard {

class PostgresServer {
 public:
  // The one that main() made.
  static PostgresServer& get();

  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void start();  // returns when it takes connections
  void kill();   // SIGKILL, as a power failure of the process
  DatabaseAddress new_database();
  // Runs statements; the first column of the first row.
  std::string query(const DatabaseAddress& address, const std::string& sql);

 private:
  bool takes_connections();

  std::string folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
  int databases_ = 0;
};

}  // namespace messageboard
