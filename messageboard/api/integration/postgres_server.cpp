#include "messageboard/api/integration/postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "lib/base/check.h"
#include "messageboard/api/integration/board_under_test.h"

extern char** environ;

namespace messageboard {
namespace {

constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin/";
PostgresServer* the_server = nullptr;

std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  CHECK(bind(fd, any, size) == 0 && getsockname(fd, any, &size) == 0, "loopback has free ports");
  close(fd);
  return ntohs(address.sin_port);
}

pid_t spawn(std::vector<std::string> arguments, const std::string& log) {
  if (geteuid() == 0) {
    const std::vector<std::string> as_postgres = {"/usr/bin/setpriv", "--reuid",  "postgres",
                                                  "--regid",          "postgres", "--clear-groups"};
    arguments.insert(arguments.begin(), as_postgres.begin(), as_postgres.end());
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t pid = -1;
  CHECK(posix_spawn(&pid, argv[0], &files, nullptr, argv.data(), environ) == 0,
        "PostgreSQL is installed");
  posix_spawn_file_actions_destroy(&files);
  return pid;
}

}  // namespace

PostgresServer& PostgresServer::get() { return *the_server; }

PostgresServer::PostgresServer() : port_(free_port()) {
  the_server = this;
  std::string name = std::filesystem::temp_directory_path() / "board_postgres_XXXXXX";
  CHECK(mkdtemp(name.data()) != nullptr, "the temporary folder is writable");
  folder_ = name;
  const std::string password_file = folder_ + "/password";
  std::ofstream(password_file) << "secret\n";
  if (geteuid() == 0) {
    const passwd* user = getpwnam("postgres");
    CHECK(user != nullptr, "the package makes the user");
    CHECK(chown(folder_.c_str(), user->pw_uid, user->pw_gid) == 0, "root may");
    CHECK(chown(password_file.c_str(), user->pw_uid, user->pw_gid) == 0, "root may");
  }
  const pid_t pid =
      spawn({std::string(kPrograms) + "initdb", "--no-sync", "-D", folder_ + "/data", "-U", "board",
             "--pwfile", password_file, "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8"},
            folder_ + ".log");
  int status = 0;
  waitpid(pid, &status, 0);
  CHECK(status == 0, "initdb works");
  start();
}

PostgresServer::~PostgresServer() {
  if (pid_ > 0) {
    ::kill(pid_, SIGQUIT);
    waitpid(pid_, nullptr, 0);
  }
  std::filesystem::remove_all(folder_);
  std::filesystem::remove(folder_ + ".log");
}

void PostgresServer::start() {
  // After a kill the old backends need a moment to notice; until then the new one gives up.
  const bool up = eventually([this] {
    if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    if (pid_ < 0) {
      pid_ = spawn({std::string(kPrograms) + "postgres", "-D", folder_ + "/data", "-p",
                    std::to_string(port_), "-k", folder_, "-c", "listen_addresses=127.0.0.1", "-c",
                    "fsync=off", "-c", "autovacuum=off"},
                   folder_ + ".log");
    }
    return takes_connections();
  });
  CHECK(up, "PostgreSQL starts");
}

void PostgresServer::kill() {
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool PostgresServer::takes_connections() {
  const std::string address = fmt::format("host=127.0.0.1 port={} dbname=postgres", port_);
  return PQping(address.c_str()) == PQPING_OK;
}

DatabaseAddress PostgresServer::new_database() {
  DatabaseAddress address{.host = "127.0.0.1",
                          .port = port_,
                          .user = "board",
                          .password = "secret",
                          .name = "postgres"};
  const std::string name = fmt::format("test_{}", ++databases_);
  query(address, "CREATE DATABASE " + name);
  address.name = name;
  return address;
}

std::string PostgresServer::query(const DatabaseAddress& address, const std::string& sql) {
  const std::string text =
      fmt::format("host={} port={} user={} password={} dbname={}", address.host, address.port,
                  address.user, address.password, address.name);
  const Connection connection(PQconnectdb(text.c_str()));
  PGresult* const result = PQexec(connection.get(), sql.c_str());
  const Rows rows(result);
  const ExecStatusType status = PQresultStatus(result);
  CHECK(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, PQerrorMessage(connection.get()));
  return rows.size() == 0 ? std::string() : std::string(rows.text(0, 0));
}

}  // namespace messageboard
