// The `terrarium` command line.
#include <CLI/CLI.hpp>

#include "terrarium/cli/commands.h"

namespace {

using terrarium::cli::Options;

// Everything that the words of a command line are read into, and what came of it.
struct Words {
  CLI::App app{"Terrarium: an AWS region under glass."};
  Options options;
  int exit_code = 0;

  bool as_json = false;
  std::string log_name = "daemon";
  bool follow = false;
  terrarium::cli::Program program;
  std::string name;
  terrarium::cli::Place place;
  std::uint16_t port = 0;
  std::string network_namespace;
  std::vector<std::string> more;
  terrarium::cli::Ssh login;

  CLI::App* command(const char* verb, const char* what);
  void add_lifecycle();
  void add_looking();
  void add_programs();
  void add_inside();
};

CLI::App* Words::command(const char* verb, const char* what) {
  CLI::App* const made = app.add_subcommand(verb, what);
  made->add_option("--port", options.port, "Port of the AWS APIs on 127.0.0.1")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  made->add_option("--state", options.state, "Folder that holds everything the region remembers")
      ->capture_default_str();
  made->add_option("--account", options.account, "The region's account: twelve digits")
      ->check([](const std::string& text) {
        const bool ok = text.size() == 12 && text.find_first_not_of("0123456789") == text.npos;
        return ok ? std::string() : "an account has twelve digits";
      })
      ->capture_default_str();
  made->add_option("--region", options.region, "Region of requests that name none")
      ->capture_default_str();
  return made;
}

void Words::add_lifecycle() {
  const auto simple = [&](const char* verb, const char* what, int (*run)(const Options&)) {
    command(verb, what)->callback([this, run] { exit_code = run(options); });
  };
  simple("up", "Start the region in the background", terrarium::cli::up);
  simple("down", "Stop the region and everything it runs; state stays", terrarium::cli::down);
  simple("serve", "Run the daemon in the foreground", terrarium::cli::serve);
  simple("keep", "Run the daemon and start it again when it dies", terrarium::cli::keep);
  simple("env", "Print shell lines that point AWS clients here", terrarium::cli::env);
}

void Words::add_looking() {
  CLI::App* const status = command("status", "Show what runs");
  status->add_flag("--json", as_json, "As JSON");
  status->callback([this] { exit_code = terrarium::cli::status(options, as_json); });

  CLI::App* const logs = command("logs", "Show the daemon's log, or a program's");
  logs->add_option("name", log_name, "daemon, or a program's name")->capture_default_str();
  logs->add_flag("-f,--follow", follow, "Go on with new lines");
  logs->callback([this] { exit_code = terrarium::cli::logs(options, log_name, follow); });
}

void Words::add_programs() {
  CLI::App* const start = command("start", "Keep a program running in the region's care");
  start->add_option("name", program.name, "Its name")->required();
  start->add_option("--user", program.user, "Who runs it (when the region is root's)");
  start->add_option("--directory", program.working_directory, "Where it runs");
  start->add_option("--env-file", program.env_file, "NAME=VALUE lines; - for standard input");
  start->add_option("argv", program.argv, "-- PROGRAM ARGUMENTS...")->required();
  start->callback([this] { exit_code = terrarium::cli::start_program(options, program); });

  CLI::App* const stop = command("stop", "Stop a program started with `start`");
  stop->add_option("name", name, "Its name")->required();
  stop->callback([this] { exit_code = terrarium::cli::stop_program(options, name); });

  const auto placed = [&](CLI::App* made) {
    made->add_option("--subnet", place.subnet_id, "Subnet that it stands in");
    made->add_option("--security-group", place.security_group_ids, "Groups of its interface")
        ->allow_extra_args(false);
  };
  CLI::App* const database = command("database", "Make a PostgreSQL database; print where it is");
  database->add_option("name", name, "Its name")->required();
  placed(database);
  database->callback([this] { exit_code = terrarium::cli::create_database(options, name, place); });

  CLI::App* const forward = command("forward", "Lead a port of 127.0.0.1 into a VPC");
  forward->add_option("name", name, "Its name")->required();
  forward->add_option("--listen", port, "Port on 127.0.0.1")->required();
  placed(forward);
  forward->add_option("targets", more, "ADDRESS:PORT...")->required();
  forward->callback(
      [this] { exit_code = terrarium::cli::forward(options, name, port, place, more); });
}

void Words::add_inside() {
  CLI::App* const exec = command("exec", "Run a program on the region's internet side");
  exec->add_option("argv", more, "-- PROGRAM ARGUMENTS...")->required();
  exec->callback([this] { exit_code = terrarium::cli::exec_inside(options, more); });

  CLI::App* const ssh = command("ssh", "Log in to an instance, through the bastion when needed");
  ssh->add_option("instance", login.instance, "Its id or Name tag")->required();
  ssh->add_option("-i,--key", login.key, "Private key file");
  ssh->add_option("command", login.command, "-- COMMAND to run there");
  ssh->callback([this] { exit_code = terrarium::cli::ssh(options, login); });

  // For the region itself: no group, so that help does not list it.
  CLI::App* const enter = app.add_subcommand("enter")->group("");
  enter->add_option("port", port)->required();
  enter->add_option("namespace", network_namespace)->required();
  enter->add_option("argv", more, "-- PROGRAM ARGUMENTS...")->required();
  enter->callback([this] { exit_code = terrarium::cli::enter(port, network_namespace, more); });
}

}  // namespace

int main(int argc, char** argv) {
  Words words;
  words.app.require_subcommand(1);
  words.options.state = terrarium::cli::default_state_folder();
  words.add_lifecycle();
  words.add_looking();
  words.add_programs();
  words.add_inside();
  CLI11_PARSE(words.app, argc, argv);
  return words.exit_code;
}
