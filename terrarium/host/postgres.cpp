#include "terrarium/host/postgres.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "lib/base/log.h"
#include "lib/runtime/event.h"
#include "lib/runtime/process.h"

namespace terrarium::host {
namespace {

using runtime::Task;
using namespace std::chrono_literals;

constexpr std::string_view kProgramName = "postgres";
constexpr std::string_view kServerUser = "postgres";
constexpr std::uint16_t kFirstPort = 54320;
constexpr int kPortsTried = 200;
constexpr std::string_view kPasswordAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kPasswordLength = 32;
constexpr std::size_t kOutputBytesMax = 64 * 1024;
constexpr const char* kBinaryFolders[] = {
    "/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"};

base::Result<std::filesystem::path> binaries() {
  for (const char* const folder : kBinaryFolders) {
    if (::access((std::string(folder) + "/postgres").c_str(), X_OK) == 0) return folder;
  }
  return base::fail(base::ErrorKind::Unavailable,
                    "PostgreSQL's server programs are not installed (package postgresql-15).");
}

std::optional<passwd> server_user(std::string& storage) {
  if (::geteuid() != 0) return std::nullopt;
  storage.resize(4096);
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(std::string(kServerUser).c_str(), &entry, storage.data(), storage.size(), &found);
  return found == nullptr ? std::nullopt : std::optional(entry);
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream input(file);
  std::stringstream text;
  text << input.rdbuf();
  return text.str();
}

base::Result<void> write_secret(const std::filesystem::path& file, std::string_view text) {
  const std::string temporary = file.string() + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return base::fail_errno("cannot write " + temporary, errno);
  const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  if (!whole || !synced || ::rename(temporary.c_str(), file.c_str()) != 0) {
    return base::fail_errno("cannot write " + file.string(), errno);
  }
  return {};
}

bool is_port_free(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return free;
}

bool is_identifier(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name[0] >= 'a' && name[0] <= 'z' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// Small batches of commits share a sync; everything else of durability stays at its default: on.
constexpr std::string_view kSettings = R"(
listen_addresses = '127.0.0.1'
password_encryption = 'scram-sha-256'
logging_collector = off
log_min_messages = warning
max_connections = 200
shared_buffers = '64MB'
)";

constexpr std::string_view kHostBasedAuthentication =
    "local all all peer map=region\n"
    "host  all all 127.0.0.1/32 scram-sha-256\n";

// Of the server as a machine. Its socket lies in a folder that only root reaches, and the users of
// another user namespace have no names that `peer` could know.
constexpr std::string_view kMachineAuthentication =
    "local all all trust\n"
    "host  all all all scram-sha-256\n";
constexpr std::string_view kMachineAuthenticationFile = "pg_hba_machine.conf";
constexpr std::string_view kMachineFolder = "/var/lib/postgresql/region";
constexpr std::uint16_t kMachinePort = 5432;
// db.t3.micro, the original's: two vCPUs, 1 GiB.
constexpr MachineLimits kMachineLimits{.cpu_millis = 2000,
                                       .vcpus = 2,
                                       .memory_bytes = 1ULL << 30,
                                       .disk_bytes = 1ULL << 30,
                                       .processes_max = 1024};
constexpr base::Duration kMachineGrace = 20s;

}  // namespace

Postgres::Postgres(runtime::Executor executor, base::Clock& clock, base::Random& random,
                   ProgramKeeper& programs, std::filesystem::path state)
    : executor_(executor),
      clock_(clock),
      random_(random),
      programs_(programs),
      folder_(std::move(state) / "postgres") {}

Task<base::Result<Database>> Postgres::create_database(std::string name, base::Timestamp deadline) {
  if (!is_identifier(name)) {
    co_return base::fail(
        base::ErrorKind::InvalidInput,
        "A database's name has 1 to 63 of a-z, 0-9 and '_', first a letter: '" + name + "'.");
  }
  CO_TRY_VOID(co_await prepare(deadline));
  CO_TRY_VOID(co_await start_server());
  const auto password_file = folder_ / (name + ".password");
  std::string password = read_text(password_file);
  if (password.empty()) {
    password = random_.text(kPasswordLength, kPasswordAlphabet);
    CO_TRY_VOID(write_secret(password_file, password));
  }
  // The names passed is_identifier and the password has letters and digits only: no quoting.
  const std::string role =
      "DO $$ BEGIN CREATE ROLE " + name +
      " LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; ALTER ROLE " + name +
      " PASSWORD '" + password + "';";
  for (;;) {
    const auto made = co_await sql("postgres", role, deadline);
    if (made) break;
    if (clock_.now() + 200ms >= deadline) {
      co_return std::unexpected(base::wrap(made.error(), "waiting for the database server"));
    }
    co_await runtime::sleep_until(clock_, clock_.now() + 100ms);
  }
  CO_TRY(const std::string found,
         co_await sql("postgres", "SELECT 1 FROM pg_database WHERE datname = '" + name + "'",
                      deadline));
  if (found.empty()) {
    CO_TRY_VOID(co_await sql("postgres", "CREATE DATABASE " + name + " OWNER " + name, deadline));
  }
  CO_TRY(const std::uint16_t server_port, port());
  co_return Database{name, name, password, server_port};
}

Task<base::Result<void>> Postgres::prepare(base::Timestamp deadline) {
  if (std::filesystem::exists(data() / "PG_VERSION")) co_return base::Result<void>();
  co_return co_await initialise(deadline);
}

Task<base::Result<void>> Postgres::resume() {
  if (!std::filesystem::exists(data() / "PG_VERSION")) co_return base::Result<void>();
  co_return co_await start_server();
}

Task<base::Result<void>> Postgres::initialise(base::Timestamp deadline) {
  CO_TRY(const std::filesystem::path programs, binaries());
  std::error_code failure;
  std::filesystem::create_directories(folder_, failure);
  if (failure) {
    co_return base::fail_errno("cannot make " + folder_.string(), failure.value());
  }
  std::string storage;
  const auto user = server_user(storage);
  if (user && ::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
    co_return base::fail_errno("cannot give PostgreSQL its folder", errno);
  }
  // initdb refuses a folder with something in it: one it did not finish goes first.
  const auto fresh = folder_ / "data.new";
  std::filesystem::remove_all(fresh, failure);
  base::log::info("postgres", "making a new server in {}", data().string());
  std::vector<std::string> argv = {(programs / "initdb").string(),
                                   "-D",
                                   fresh.string(),
                                   "-E",
                                   "UTF8",
                                   "--locale=C.UTF-8",
                                   "-U",
                                   "postgres",
                                   "--auth=peer",
                                   "--no-instructions"};
  CO_TRY_VOID(co_await run_as_server(std::move(argv), "", deadline));
  std::ofstream(fresh / "postgresql.conf", std::ios::app) << kSettings;
  std::ofstream(fresh / "pg_hba.conf", std::ios::trunc) << kHostBasedAuthentication;
  const std::string system_user = user ? std::string(kServerUser) : "/^.*$";
  std::ofstream(fresh / "pg_ident.conf", std::ios::trunc)
      << "region " << system_user << " postgres\n";
  std::filesystem::rename(fresh, data(), failure);
  if (failure) co_return base::fail_errno("cannot finish the new server", failure.value());
  co_return base::Result<void>();
}

Task<void> Postgres::place(Machines& machines, PostgresPlace place) {
  if (machines_ == nullptr) co_await programs_.stop(std::string(kProgramName));
  machines_ = &machines;
  place_ = std::move(place);
}

Task<void> Postgres::stop() {
  if (machines_ == nullptr) co_return;
  const auto stopped = co_await machines_->stop(std::string(kPostgresMachine), kMachineGrace);
  if (!stopped) base::log::error("postgres", "stopping: {}", base::describe(stopped.error()));
}

Task<base::Result<void>> Postgres::start_machine() {
  CO_TRY(const std::filesystem::path programs, binaries());
  std::ofstream(data() / kMachineAuthenticationFile, std::ios::trunc) << kMachineAuthentication;
  std::string storage;
  const auto user = server_user(storage);
  const std::string inside(kMachineFolder);
  MachineSpec spec;
  spec.name = kPostgresMachine;
  spec.network_namespace = place_.network_namespace;
  spec.hostname = place_.hostname;
  spec.limits = kMachineLimits;
  spec.folders = {{.host = folder_,
                   .path = inside,
                   .writable = true,
                   .owner_id = user ? static_cast<std::uint32_t>(user->pw_uid) : 0}};
  spec.env = {{"LC_ALL", "C.UTF-8"}, {"PATH", "/usr/bin:/bin"}};
  spec.command = {(programs / "postgres").string(),
                  "-D",
                  inside + "/data",
                  "-p",
                  std::to_string(kMachinePort),
                  "-k",
                  inside,
                  "-c",
                  "listen_addresses=*",
                  "-c",
                  "hba_file=" + inside + "/data/" + std::string(kMachineAuthenticationFile)};
  spec.command_user = kServerUser;
  spec.stop_signal = SIGINT;  // fast shutdown, as below
  co_return co_await machines_->start(std::move(spec));
}

Task<base::Result<void>> Postgres::start_server() {
  if (machines_ != nullptr) co_return co_await start_machine();
  CO_TRY(const std::filesystem::path programs, binaries());
  CO_TRY(const std::uint16_t server_port, port());
  ProgramSpec spec;
  spec.name = kProgramName;
  spec.argv = {(programs / "postgres").string(), "-D", data().string(), "-p",
               std::to_string(server_port),      "-k", folder_.string()};
  spec.env = {{"LC_ALL", "C.UTF-8"}, {"PATH", "/usr/bin:/bin"}};
  spec.working_directory = folder_.string();
  spec.user = kServerUser;
  spec.stop_signal = SIGINT;  // fast shutdown: clients are disconnected, everything is flushed
  spec.stop_timeout = 20s;
  co_return co_await programs_.start(std::move(spec));
}

// Chosen once, then kept: the board's configuration names it.
base::Result<std::uint16_t> Postgres::port() {
  if (machines_ != nullptr) return kMachinePort;
  const auto file = folder_ / "port";
  const int kept = std::atoi(read_text(file).c_str());
  if (kept > 0 && kept <= 65535) return static_cast<std::uint16_t>(kept);
  for (int candidate = kFirstPort; candidate < kFirstPort + kPortsTried; ++candidate) {
    if (!is_port_free(static_cast<std::uint16_t>(candidate))) continue;
    TRY_VOID(write_secret(file, std::to_string(candidate) + "\n"));
    return static_cast<std::uint16_t>(candidate);
  }
  return base::fail(base::ErrorKind::Unavailable, "No free port for the database server.");
}

Task<base::Result<std::string>> Postgres::sql(std::string database, std::string text,
                                              base::Timestamp deadline) {
  CO_TRY(const std::filesystem::path programs, binaries());
  CO_TRY(const std::uint16_t server_port, port());
  std::vector<std::string> argv = {(programs / "psql").string(),
                                   "-X",
                                   "-A",
                                   "-t",
                                   "-q",
                                   "-v",
                                   "ON_ERROR_STOP=1",
                                   "-h",
                                   folder_.string(),
                                   "-p",
                                   std::to_string(server_port),
                                   "-U",
                                   "postgres",
                                   "-d",
                                   std::move(database)};
  co_return co_await run_as_server(std::move(argv), std::move(text), deadline);
}

// Runs a program as the server's user with `input` on its standard input; its output.
Task<base::Result<std::string>> Postgres::run_as_server(std::vector<std::string> argv,
                                                        std::string input,
                                                        base::Timestamp deadline) {
  const std::string name = std::filesystem::path(argv[0]).filename().string();
  // Both ends are small files without a name: no pipe to fill, nothing to clean up.
  const int input_fd = ::memfd_create("input", MFD_CLOEXEC);
  const int output_fd = ::memfd_create("output", MFD_CLOEXEC);
  const auto close_both = [&] {
    ::close(input_fd);
    ::close(output_fd);
  };
  if (::write(input_fd, input.data(), input.size()) != static_cast<ssize_t>(input.size()) ||
      ::lseek(input_fd, 0, SEEK_SET) != 0) {
    const int error_number = errno;
    close_both();
    co_return base::fail_errno("cannot prepare " + name, error_number);
  }
  std::string storage;
  // Only root reaches a machine's folder.
  const bool as_root = machines_ != nullptr && name == "psql";
  const auto user = as_root ? std::nullopt : server_user(storage);
  runtime::SpawnOptions options;
  options.argv = std::move(argv);
  options.env = {{"LC_ALL", "C.UTF-8"}, {"PATH", "/usr/bin:/bin"}, {"PGCONNECT_TIMEOUT", "5"}};
  options.working_directory = folder_.string();
  options.stdin_fd = input_fd;
  options.stdout_fd = output_fd;
  options.stderr_fd = output_fd;
  options.die_with_parent = true;
  if (user) {
    options.uid = user->pw_uid;
    options.gid = user->pw_gid;
  }
  auto spawned = runtime::Process::spawn(executor_, std::move(options));
  if (!spawned) {
    close_both();
    co_return std::unexpected(base::wrap(spawned.error(), "starting " + name));
  }
  const auto exit = co_await (*spawned)->wait_until(clock_, deadline);
  std::string output(kOutputBytesMax, '\0');
  const ssize_t count = ::pread(output_fd, output.data(), output.size(), 0);
  output.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  close_both();
  if (!exit) co_return base::fail(base::ErrorKind::Timeout, name + " did not end in time");
  if (exit->signal != 0 || exit->code != 0) {
    auto failure = base::fail(base::ErrorKind::Unavailable, "The database server is not ready.");
    failure.error().detail = name + ": " + output;
    co_return failure;
  }
  co_return output;
}

}  // namespace terrarium::host
