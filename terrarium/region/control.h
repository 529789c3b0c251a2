// The daemon's own interface under /_terrarium/ on the API port: what AWS has no API for. No bucket
// can have that name. Reading is open to whoever reaches the port (loopback only); changing needs
// the token in <state>/control.token, which only the daemon's user can read.
//
//   GET    health               {"terrarium": "<version>"}
//   GET    status               everything `terrarium status` shows
//   PUT    programs/NAME        {argv, env, user, working_directory}: keep it running
//   DELETE programs/NAME        stop it
//   PUT    databases/NAME       make it; {host, port, name, user, password}. With {region,
//   subnet_id,
//                               security_group_ids} the server is a machine in that subnet
//   PUT    forwards/NAME        {listen_port, region, subnet_id, security_group_ids, targets}: lead
//                               127.0.0.1:listen_port to interfaces of a VPC
//   DELETE forwards/NAME        no longer
//   POST   stop                 end the daemon and all that it runs
#pragma once

#include <boost/json.hpp>

#include <functional>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/server.h"
#include "lib/runtime/task.h"
#include "terrarium/host/postgres.h"
#include "terrarium/host/program.h"
#include "terrarium/region/forwards.h"
#include "terrarium/region/private_database.h"
#include "terrarium/store/store.h"

namespace terrarium::region {

inline constexpr std::string_view kControlPrefix = "/_terrarium/";

class Control {
 public:
  struct Parts {
    store::Store& store;
    host::ProgramKeeper& programs;
    host::Postgres& postgres;
    PrivateDatabase& private_database;
    Forwards& forwards;
    base::Clock& clock;
    runtime::Executor control;
    std::function<boost::json::object()> status;  // called on the control executor
    std::function<void()> stop;                   // asks the daemon to end; any thread
  };
  Control(Parts parts, std::string token);

  // Any io executor.
  runtime::Task<http::Response> handle(http::Request& request);
  // Starts what an earlier daemon was asked to keep running. On the control executor.
  runtime::Task<base::Result<void>> resume();

 private:
  runtime::Task<base::Result<boost::json::value>> answer(std::string method, std::string path,
                                                         std::string body);
  runtime::Task<base::Result<boost::json::value>> start_program(std::string name, std::string body);
  runtime::Task<base::Result<boost::json::value>> stop_program(std::string name);
  runtime::Task<base::Result<boost::json::value>> create_database(std::string name,
                                                                  std::string body);
  runtime::Task<base::Result<boost::json::value>> set_forward(std::string name, std::string body);
  runtime::Task<base::Result<boost::json::value>> remove_forward(std::string name);

  Parts parts_;
  std::string token_;
};

// The token in `file`, made (0600) when there is none.
base::Result<std::string> control_token(const std::string& file, base::Random& random);

}  // namespace terrarium::region
