// The commands of `terrarium`, one function each; each returns the process's exit code and prints
// its own errors.
#pragma once

#include <cstdint>
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
// Where something of the region's own stands in a VPC; without a subnet: outside every VPC.
struct Place {
  std::string subnet_id;
  std::vector<std::string> security_group_ids;
};
// Makes a database on the region's PostgreSQL; prints its connection as JSON.
int create_database(const Options& options, const std::string& name, const Place& place);
// Leads 127.0.0.1:PORT to ADDRESS:PORT targets inside a VPC, from an interface at `place`.
int forward(const Options& options, const std::string& name, std::uint16_t port, const Place& place,
            const std::vector<std::string>& targets);
// Opens 127.0.0.1:PORT as descriptor 3, enters a network namespace and becomes a program: what
// keeps forwards running. Returns only when it could not.
int enter(std::uint16_t port, const std::string& network_namespace,
          const std::vector<std::string>& argv);

// Runs a program on the region's internet side, as the operator: what it reaches are public
// addresses. Returns only when it could not.
int exec_inside(const Options& options, const std::vector<std::string>& argv);

struct Ssh {
  std::string instance;  // its id, or its Name tag
  std::string key;       // a private key's file; empty: the agent's and the user's own
  std::vector<std::string> command;
};
// Logs in to an instance, through the VPC's bastion when it has no public address; the agent is
// forwarded. Returns only when it could not.
int ssh(const Options& options, const Ssh& wanted);

}  // namespace terrarium::cli
