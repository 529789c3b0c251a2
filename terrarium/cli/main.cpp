// The `terrarium` command line.
#include <CLI/CLI.hpp>

#include "terrarium/cli/commands.h"

namespace {

using terrarium::cli::Options;

void add_options(CLI::App& app, Options& options) {
  app.add_option("--port", options.port, "Port of the AWS APIs on 127.0.0.1")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  app.add_option("--state", options.state, "Folder that holds everything the region remembers")
      ->capture_default_str();
  app.add_option("--account", options.account, "The region's account: twelve digits")
      ->check([](const std::string& text) {
        const bool ok = text.size() == 12 && text.find_first_not_of("0123456789") == text.npos;
        return ok ? std::string() : "an account has twelve digits";
      })
      ->capture_default_str();
  app.add_option("--region", options.region, "Region of requests that name none")
      ->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Terrarium: an AWS region under glass.");
  app.require_subcommand(1);
  Options options;
  options.state = terrarium::cli::default_state_folder();
  int exit_code = 0;

  const auto command = [&](const char* name, const char* what) {
    CLI::App* const made = app.add_subcommand(name, what);
    add_options(*made, options);
    return made;
  };
  const auto simple = [&](const char* name, const char* what, int (*run)(const Options&)) {
    command(name, what)->callback([&, run] { exit_code = run(options); });
  };
  simple("up", "Start the region in the background", terrarium::cli::up);
  simple("down", "Stop the region and everything it runs; state stays", terrarium::cli::down);
  simple("serve", "Run the daemon in the foreground", terrarium::cli::serve);
  simple("keep", "Run the daemon and start it again when it dies", terrarium::cli::keep);
  simple("env", "Print shell lines that point AWS clients here", terrarium::cli::env);

  bool as_json = false;
  CLI::App* const status = command("status", "Show what runs");
  status->add_flag("--json", as_json, "As JSON");
  status->callback([&] { exit_code = terrarium::cli::status(options, as_json); });

  std::string log_name = "daemon";
  bool follow = false;
  CLI::App* const logs = command("logs", "Show the daemon's log, or a program's");
  logs->add_option("name", log_name, "daemon, or a program's name")->capture_default_str();
  logs->add_flag("-f,--follow", follow, "Go on with new lines");
  logs->callback([&] { exit_code = terrarium::cli::logs(options, log_name, follow); });

  terrarium::cli::Program program;
  CLI::App* const start = command("start", "Keep a program running in the region's care");
  start->add_option("name", program.name, "Its name")->required();
  start->add_option("--user", program.user, "Who runs it (when the region is root's)");
  start->add_option("--directory", program.working_directory, "Where it runs");
  start->add_option("--env-file", program.env_file, "NAME=VALUE lines; - for standard input");
  start->add_option("argv", program.argv, "-- PROGRAM ARGUMENTS...")->required();
  start->callback([&] { exit_code = terrarium::cli::start_program(options, program); });

  std::string stopped;
  CLI::App* const stop = command("stop", "Stop a program started with `start`");
  stop->add_option("name", stopped, "Its name")->required();
  stop->callback([&] { exit_code = terrarium::cli::stop_program(options, stopped); });

  std::string database;
  CLI::App* const create = command("database", "Make a PostgreSQL database; print its connection");
  create->add_option("name", database, "Its name")->required();
  create->callback([&] { exit_code = terrarium::cli::create_database(options, database); });

  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
