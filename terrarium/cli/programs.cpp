// start, stop, database, forward: what runs beside the AWS services, through the control interface.
#include <cstdio>
#include <fstream>
#include <iostream>

#include "terrarium/cli/commands.h"
#include "terrarium/cli/control_client.h"

namespace terrarium::cli {
namespace {

using namespace std::chrono_literals;

base::Result<boost::json::object> read_variables(const std::string& name) {
  boost::json::object variables;
  if (name.empty()) return variables;
  std::ifstream file(name == "-" ? "/dev/stdin" : name);
  if (!file) return base::fail(base::ErrorKind::InvalidInput, "cannot read " + name);
  for (std::string line; std::getline(file, line);) {
    const std::size_t equals = line.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return base::fail(base::ErrorKind::InvalidInput,
                        "a line of --env-file is not NAME=VALUE: '" + line + "'");
    }
    variables[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return variables;
}

int report(const base::Result<boost::json::value>& answer) {
  if (answer) return 0;
  std::fprintf(stderr, "error: %s\n", answer.error().message.c_str());
  return 1;
}

boost::json::object place_of(const Options& options, const Place& place) {
  return {{"region", options.region},
          {"subnet_id", place.subnet_id},
          {"security_group_ids", boost::json::value_from(place.security_group_ids)}};
}

}  // namespace

int start_program(const Options& options, const Program& program) {
  const auto variables = read_variables(program.env_file);
  if (!variables) {
    std::fprintf(stderr, "error: %s\n", variables.error().message.c_str());
    return 2;
  }
  const boost::json::object body{{"user", program.user},
                                 {"working_directory", program.working_directory},
                                 {"env", *variables},
                                 {"argv", boost::json::value_from(program.argv)}};
  return report(call_control(options, "PUT", "programs/" + program.name, body, 30s));
}

int stop_program(const Options& options, const std::string& name) {
  return report(call_control(options, "DELETE", "programs/" + name, nullptr, 60s));
}

int create_database(const Options& options, const std::string& name, const Place& place) {
  const boost::json::object body =
      place.subnet_id.empty() ? boost::json::object() : place_of(options, place);
  const auto answer = call_control(options, "PUT", "databases/" + name, body, 120s);
  if (answer) std::cout << boost::json::serialize(*answer) << '\n';
  return report(answer);
}

int forward(const Options& options, const std::string& name, std::uint16_t port, const Place& place,
            const std::vector<std::string>& targets) {
  boost::json::object body = place_of(options, place);
  body["listen_port"] = port;
  body["targets"] = boost::json::value_from(targets);
  return report(call_control(options, "PUT", "forwards/" + name, body, 60s));
}

}  // namespace terrarium::cli
