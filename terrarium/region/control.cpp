#include "terrarium/region/control.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "lib/base/digest.h"
#include "lib/base/log.h"

namespace terrarium::region {
namespace {

using base::Result;
using runtime::Task;
using namespace std::chrono_literals;

constexpr std::size_t kBodyBytesMax = 256 * 1024;
constexpr base::Duration kDatabasePatience = 110s;
// Desired programs, in store::Table::Control: "program/" NAME -> the body of PUT.
constexpr std::string_view kProgramPrefix = "program/";

int status_of(const base::Error& error) {
  switch (error.kind) {
    case base::ErrorKind::InvalidInput: return 400;
    case base::ErrorKind::Denied: return 403;
    case base::ErrorKind::NotFound: return 404;
    case base::ErrorKind::Conflict: return 409;
    case base::ErrorKind::TooLarge: return 413;
    case base::ErrorKind::Unavailable: return 503;
    case base::ErrorKind::Timeout: return 504;
    default: return 500;
  }
}

http::Response text(int status, std::string body, std::string type) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", std::move(type));
  response.body = std::move(body);
  return response;
}

Result<std::string> string_member(const boost::json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) {
    return base::fail(base::ErrorKind::InvalidInput, "'" + std::string(name) + "' is a string.");
  }
  return std::string(value->as_string());
}

Result<host::ProgramSpec> parse_program(std::string name, std::string_view body) {
  const auto wrong = [](std::string what) {
    return base::fail(base::ErrorKind::InvalidInput, std::move(what));
  };
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(body, error);
  if (error || !value.is_object()) return wrong("A program is a JSON object.");
  const auto& object = value.as_object();
  host::ProgramSpec spec;
  spec.name = std::move(name);
  const auto* const argv = object.if_contains("argv");
  if (argv == nullptr || !argv->is_array()) return wrong("'argv' is a list of strings.");
  for (const auto& word : argv->as_array()) {
    if (!word.is_string()) return wrong("'argv' is a list of strings.");
    spec.argv.emplace_back(word.as_string());
  }
  if (const auto* const variables = object.if_contains("env"); variables != nullptr) {
    if (!variables->is_object()) return wrong("'env' is an object of strings.");
    for (const auto& variable : variables->as_object()) {
      if (!variable.value().is_string()) return wrong("'env' is an object of strings.");
      spec.env[variable.key()] = variable.value().as_string();
    }
  }
  TRY(spec.user, string_member(object, "user"));
  TRY(const std::string directory, string_member(object, "working_directory"));
  if (!directory.empty()) spec.working_directory = directory;
  return spec;
}

// Nothing when the body names none.
Result<std::optional<DatabasePlacement>> parse_placement(std::string_view body) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(body.empty() ? "{}" : body, error);
  if (error || !value.is_object()) {
    return base::fail(base::ErrorKind::InvalidInput, "A database's place is a JSON object.");
  }
  const auto& object = value.as_object();
  if (object.empty()) return std::nullopt;
  DatabasePlacement placement;
  TRY(placement.region, string_member(object, "region"));
  TRY(placement.subnet_id, string_member(object, "subnet_id"));
  if (placement.region.empty() || placement.subnet_id.empty()) {
    return base::fail(base::ErrorKind::InvalidInput, "'region' and 'subnet_id' are needed.");
  }
  const auto* const groups = object.if_contains("security_group_ids");
  if (groups != nullptr && groups->is_array()) {
    for (const auto& group : groups->as_array()) {
      if (group.is_string()) placement.security_group_ids.emplace_back(group.as_string());
    }
  }
  return placement;
}

}  // namespace

Result<std::string> control_token(const std::string& file, base::Random& random) {
  std::string token;
  std::ifstream(file) >> token;
  if (!token.empty()) return token;
  token = random.hex(32);
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return base::fail_errno("cannot write " + file, errno);
  const bool whole = ::write(fd, token.data(), token.size()) == static_cast<ssize_t>(token.size());
  const int error_number = errno;
  ::close(fd);
  if (!whole) return base::fail_errno("cannot write " + file, error_number);
  return token;
}

Control::Control(Parts parts, std::string token)
    : parts_(std::move(parts)), token_("Bearer " + std::move(token)) {}

Task<http::Response> Control::handle(http::Request& request) {
  const std::string path(request.path.substr(kControlPrefix.size()));
  const std::string method(request.method);
  if (method != "GET" &&
      !base::equals_in_constant_time(request.headers.find("Authorization").value_or(""), token_)) {
    co_return text(403, "This needs the token in the state folder's control.token.\n",
                   "text/plain");
  }
  const auto body = co_await http::read_all(*request.body, kBodyBytesMax);
  if (!body) co_return text(status_of(body.error()), body.error().message + "\n", "text/plain");
  const auto answered = co_await runtime::run_on(parts_.control, answer(method, path, *body));
  if (answered) co_return text(200, boost::json::serialize(*answered), "application/json");
  base::log::warning("control", "{} {}: {}", method, path, base::describe(answered.error()));
  const std::string& detail = answered.error().detail;
  co_return text(status_of(answered.error()),
                 answered.error().message + (detail.empty() ? "" : " (" + detail + ")"),
                 "text/plain");
}

Task<Result<boost::json::value>> Control::answer(std::string method, std::string path,
                                                 std::string body) {
  const auto named = [&path](std::string_view prefix) -> std::optional<std::string> {
    if (!path.starts_with(prefix)) return std::nullopt;
    return path.substr(prefix.size());
  };
  if (method == "GET" && path == "health") {
    co_return boost::json::value(boost::json::object{{"terrarium", TERRARIUM_VERSION}});
  }
  if (method == "GET" && path == "status") co_return boost::json::value(parts_.status());
  if (method == "POST" && path == "stop") {
    parts_.stop();
    co_return boost::json::value(boost::json::object{{"stopping", true}});
  }
  if (const auto name = named("programs/"); name && method == "PUT") {
    co_return co_await start_program(*name, std::move(body));
  }
  if (const auto name = named("programs/"); name && method == "DELETE") {
    co_return co_await stop_program(*name);
  }
  if (const auto name = named("databases/"); name && method == "PUT") {
    co_return co_await create_database(*name, std::move(body));
  }
  if (const auto name = named("forwards/"); name && method == "PUT") {
    co_return co_await set_forward(*name, std::move(body));
  }
  if (const auto name = named("forwards/"); name && method == "DELETE") {
    co_return co_await remove_forward(*name);
  }
  co_return base::fail(base::ErrorKind::NotFound,
                       "There is no " + method + " " + std::string(kControlPrefix) + path + ".");
}

Task<Result<boost::json::value>> Control::start_program(std::string name, std::string body) {
  CO_TRY(host::ProgramSpec spec, parse_program(name, body));
  CO_TRY_VOID(co_await parts_.programs.start(std::move(spec)));
  store::Batch batch;
  batch.put(store::Table::Control, std::string(kProgramPrefix) + name, std::move(body));
  CO_TRY_VOID(co_await parts_.store.commit(std::move(batch)));
  co_return boost::json::value(boost::json::object{{"started", name}});
}

Task<Result<boost::json::value>> Control::stop_program(std::string name) {
  store::Batch batch;
  batch.erase(store::Table::Control, std::string(kProgramPrefix) + name);
  CO_TRY_VOID(co_await parts_.store.commit(std::move(batch)));
  co_await parts_.programs.stop(name);
  co_return boost::json::value(boost::json::object{{"stopped", name}});
}

Task<Result<boost::json::value>> Control::create_database(std::string name, std::string body) {
  const base::Timestamp deadline = parts_.clock.now() + kDatabasePatience;
  CO_TRY(const auto placement, parse_placement(body));
  std::string host = "127.0.0.1";
  if (placement.has_value()) {
    // The server's folder first: a machine has nothing to run on before.
    CO_TRY_VOID(co_await parts_.postgres.prepare(deadline));
    CO_TRY(host, co_await parts_.private_database.place(*placement, deadline));
  }
  CO_TRY(const host::Database made,
         co_await parts_.postgres.create_database(std::move(name), deadline));
  co_return boost::json::value(boost::json::object{{"host", host},
                                                   {"port", made.port},
                                                   {"name", made.name},
                                                   {"user", made.user},
                                                   {"password", made.password}});
}

Task<Result<boost::json::value>> Control::set_forward(std::string name, std::string body) {
  CO_TRY(Forward forward, parse_forward(std::move(name), body));
  const std::uint16_t port = forward.listen_port;
  CO_TRY_VOID(co_await parts_.forwards.set(std::move(forward)));
  co_return boost::json::value(boost::json::object{{"listen_port", port}});
}

Task<Result<boost::json::value>> Control::remove_forward(std::string name) {
  CO_TRY_VOID(co_await parts_.forwards.remove(name));
  co_return boost::json::value(boost::json::object{{"removed", name}});
}

Task<Result<void>> Control::resume() {
  CO_TRY_VOID(parts_.forwards.resume());
  CO_TRY(const bool placed, parts_.private_database.resume());
  if (!placed) CO_TRY_VOID(co_await parts_.postgres.resume());
  const auto cursor =
      parts_.store.scan(store::Table::Control, kProgramPrefix, store::prefix_end(kProgramPrefix));
  std::vector<std::pair<std::string, std::string>> wanted;
  for (; cursor->valid(); cursor->next()) {
    wanted.emplace_back(cursor->key().substr(kProgramPrefix.size()), cursor->value());
  }
  for (auto& [name, body] : wanted) {
    auto spec = parse_program(name, body);
    if (spec) {
      const auto started = co_await parts_.programs.start(*std::move(spec));
      if (started) continue;
      spec = std::unexpected(started.error());
    }
    base::log::error("control", "program {} can't be started again: {}", name,
                     base::describe(spec.error()));
  }
  co_return Result<void>();
}

}  // namespace terrarium::region
