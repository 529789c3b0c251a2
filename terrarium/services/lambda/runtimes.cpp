#include "terrarium/services/lambda/runtimes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "generated/lambda_runtimes.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPython = "/usr/bin/python3";
constexpr std::string_view kPythonClient = "python.py";
constexpr const char* kNode = "/usr/bin/node";
constexpr std::string_view kNodejsClient = "nodejs.js";

// As AWS's own refusals list them, in their order.
constexpr std::string_view kCurrent =
    "[nodejs20.x, provided.al2023, python3.12, python3.13, nodejs22.x, java17, nodejs16.x, "
    "dotnet8, python3.10, java11, python3.11, dotnet6, java21, nodejs18.x, provided.al2, ruby3.3, "
    "java8.al2, ruby3.2, python3.8, python3.9]";
constexpr std::array<std::string_view, 45> kKnown = {
    "nodejs",        "nodejs4.3",     "nodejs6.10",     "nodejs8.10",   "nodejs10.x",
    "nodejs12.x",    "nodejs14.x",    "nodejs16.x",     "nodejs18.x",   "nodejs20.x",
    "nodejs22.x",    "nodejs24.x",    "nodejs4.3-edge", "java8",        "java8.al2",
    "java11",        "java17",        "java21",         "java25",       "python2.7",
    "python3.6",     "python3.7",     "python3.8",      "python3.9",    "python3.10",
    "python3.11",    "python3.12",    "python3.13",     "python3.14",   "dotnetcore1.0",
    "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1",  "dotnet6",      "dotnet8",
    "dotnet10",      "go1.x",         "ruby2.5",        "ruby2.7",      "ruby3.2",
    "ruby3.3",       "ruby3.4",       "provided",       "provided.al2", "provided.al2023"};

bool is_installed(const char* program) {
  std::error_code error;
  return fs::exists(program, error);
}

// "python3.11", which Debian's python3 is a link to; "python3" where it is not.
std::string python_version() {
  std::error_code error;
  const std::string target = fs::read_symlink(kPython, error).filename();
  return target.starts_with("python3") ? target : "python3";
}

bool runs_here(std::string_view runtime) {
  if (runtime == "provided.al2" || runtime == "provided.al2023") return true;
  if (is_python(runtime)) return is_installed(kPython);
  return is_nodejs(runtime) && is_installed(kNode);
}

base::Result<void> write_client(const fs::path& path, std::string_view text) {
  const fs::path unfinished = path.string() + ".new";
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return base::fail_errno("write " + unfinished.string(), errno);
  std::error_code error;
  fs::permissions(unfinished, fs::perms(0644), error);
  if (!error) fs::rename(unfinished, path, error);
  if (error) return base::fail_errno("rename " + unfinished.string(), error.value());
  return {};
}

}  // namespace

bool is_known_runtime(std::string_view runtime) {
  return std::ranges::find(kKnown, runtime) != kKnown.end();
}

std::string_view current_runtimes() { return kCurrent; }

bool is_python(std::string_view runtime) {
  return runtime.starts_with("python3.") && is_known_runtime(runtime);
}

bool is_nodejs(std::string_view runtime) {
  return runtime == "nodejs18.x" || runtime == "nodejs20.x" || runtime == "nodejs22.x" ||
         runtime == "nodejs24.x";
}

base::Result<void> check_runtime(std::string_view runtime) {
  if (runs_here(runtime)) return {};
  if (!is_known_runtime(runtime)) {
    return invalid(fmt::format(
        "Value {} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
        "{} or be a valid ARN",
        runtime, kCurrent));
  }
  std::vector<std::string> here;
  for (const std::string_view known : kKnown) {
    if (runs_here(known)) here.emplace_back(known);
  }
  return invalid(fmt::format(
      "Value {} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: {}: "
      "what this region can run",
      runtime, list_text(here)));
}

std::string runtime_version_arn(std::string_view runtime, std::string_view region) {
  return fmt::format("arn:aws:lambda:{}::runtime:{}", region,
                     base::hex_encode(base::digest(base::DigestKind::Sha256, runtime)));
}

base::Result<void> Runtimes::install() const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return base::fail_errno("make " + folder_.string(), error.value());
  TRY_VOID(write_client(folder_ / kPythonClient, kPythonClientText));
  return write_client(folder_ / kNodejsClient, kNodejsClientText);
}

RuntimeProgram Runtimes::program(std::string_view runtime, const std::string& visible,
                                 std::int32_t memory_mb) const {
  RuntimeProgram program;
  if (is_python(runtime)) {
    program.shown = python_version().insert(std::string_view("python").size(), ":");
    program.arguments = {kPython, "-u", visible + "/" + std::string(kPythonClient)};
    return program;
  }
  if (is_nodejs(runtime)) {
    program.shown = "nodejs";
    // It sees the machine's memory, not its limit: as on AWS nine tenths of that are its heap's.
    program.arguments = {kNode, fmt::format("--max-old-space-size={}", memory_mb * 9 / 10),
                         visible + "/" + std::string(kNodejsClient)};
    return program;
  }
  program.shown = runtime;
  std::ranges::replace(program.shown, '.', ':');
  return program;
}

}  // namespace terrarium::lambda
