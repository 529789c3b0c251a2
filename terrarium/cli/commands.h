// The commands of `terrarium`, one function each; each returns the process's exit code and prints
// its own errors.
#pragma once

#include <string>
#include <vector>

#include "terrarium/cli/options.h"

namespace terrarium::cli {

// What serve() returns when it can't run as asked: a taken port, a state folder in use.
inline constexpr int kCannotRun = 2;

// The daemon in the foreground, until SIGTERM, SIGINT or `terrarium down`.
int serve(const Options& options);
// Keeps `serve` running in this process's care: what `up` puts into the background.
int keep(const Options& options);
int up(const Options& options);
int down(const Options& options);
int status(const Options& options, bool as_json);
int env(const Options& options);
int logs(const Options& options, const std::string& name, bool follow);

// A program under the region's care.
struct Program {
  std::string name;
  std::string user;
  std::string working_directory;
  // A file of NAME=VALUE lines, "-" for standard input: secrets stay out of the process list.
  std::string env_file;
  std::vector<std::string> argv;
};
int start_program(const Options& options, const Program& program);
int stop_program(const Options& options, const std::string& name);
// Makes a database on the region's PostgreSQL; prints its connection as JSON.
int create_database(const Options& options, const std::string& name);

}  // namespace terrarium::cli
