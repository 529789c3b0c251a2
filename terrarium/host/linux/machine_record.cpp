#include "terrarium/host/linux/machine_record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace terrarium::host::linux_host {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kConsoleBytes = 64 * 1024;
constexpr std::size_t kNameCharactersMax = 63;
constexpr std::uint64_t kMemoryBytesMin = 16 << 20;
constexpr std::uint64_t kDiskBytesMin = 64 << 20;

std::string read_text(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  std::stringstream text;
  text << input.rdbuf();
  return text.str();
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kNameCharactersMax &&
         std::ranges::all_of(text, [](char character) {
           return (character >= 'a' && character <= 'z') ||
                  (character >= '0' && character <= '9') || character == '-';
         });
}

bool is_absolute(const std::string& path) {
  return path.starts_with('/') && path.size() > 1 && path.find('\0') == std::string::npos &&
         path.find("/../") == std::string::npos;
}

}  // namespace

std::uint32_t first_id_of(std::uint32_t slot) { return kFirstMachineId + slot * kIdsPerMachine; }

std::string encode(const MachineRecord& record) {
  json::object object{{"slot", record.slot},
                      {"layers", json::value_from(record.layers)},
                      {"last_exit", record.last_exit}};
  if (record.started) object["started"] = record.started->time_since_epoch().count();
  return json::serialize(object);
}

std::optional<MachineRecord> decode_machine_record(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.as_object();
  const auto* const slot = object.if_contains("slot");
  const auto* const layers = object.if_contains("layers");
  const auto* const last_exit = object.if_contains("last_exit");
  if (slot == nullptr || layers == nullptr || last_exit == nullptr || !layers->is_array() ||
      !last_exit->is_string()) {
    return std::nullopt;
  }
  MachineRecord record;
  record.slot = slot->to_number<std::uint32_t>(error);
  if (error || record.slot >= kSlots) return std::nullopt;
  for (const json::value& layer : layers->as_array()) {
    if (!layer.is_string()) return std::nullopt;
    record.layers.emplace_back(layer.as_string());
  }
  record.last_exit = last_exit->as_string();
  if (const auto* const started = object.if_contains("started")) {
    const auto microseconds = started->to_number<std::int64_t>(error);
    if (error) return std::nullopt;
    record.started = base::Timestamp(std::chrono::microseconds(microseconds));
  }
  return record;
}

std::optional<MachineRecord> MachineFiles::record() const {
  return decode_machine_record(read_text(*this / "record.json"));
}

base::Result<void> MachineFiles::write_record(const MachineRecord& record) const {
  const fs::path file = *this / "record.json";
  const fs::path making = *this / "record.json.new";
  std::ofstream(making, std::ios::binary) << encode(record);
  std::error_code error;
  fs::rename(making, file, error);
  if (error) return base::fail_errno("write " + file.string(), error.value());
  return {};
}

std::optional<RunningAs> MachineFiles::running_as() const {
  std::ifstream input(*this / "run");
  RunningAs found;
  if (input >> found.shim >> found.init >> found.loop) return found;
  return std::nullopt;
}

std::string MachineFiles::exit() const { return read_text(*this / "exit"); }

std::string MachineFiles::console() const {
  std::string text = read_text(*this / "console");
  if (text.size() < kConsoleBytes) text.insert(0, read_text(*this / "console.1"));
  if (text.size() > kConsoleBytes) text.erase(0, text.size() - kConsoleBytes);
  return text;
}

std::optional<int> MachineFiles::lock() const {
  const int fd = ::open((*this / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return std::nullopt;
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return std::nullopt;
}

base::Result<void> check(const MachineSpec& spec) {
  const auto wrong = [](const std::string& what) {
    return base::fail(base::ErrorKind::InvalidInput, what);
  };
  if (!is_name(spec.name)) return wrong("a machine's name has a-z, 0-9 and '-' only");
  if (!is_name(spec.hostname)) return wrong("a host name has a-z, 0-9 and '-' only");
  for (const std::string& layer : spec.layers) {
    if (!is_name(layer)) return wrong("an image's id has a-z, 0-9 and '-' only");
  }
  if (spec.boot && spec.boot->login_user != "ec2-user") {
    return wrong("the base image has one login user: ec2-user");
  }
  if (!spec.boot && (spec.command.empty() || !is_absolute(spec.command[0]))) {
    return wrong("a command is an absolute path");
  }
  for (const MachineFile& file : spec.files) {
    if (!is_absolute(file.path)) return wrong("a file's path is absolute: " + file.path);
  }
  for (const MachineFolder& folder : spec.folders) {
    if (!is_absolute(folder.path)) return wrong("a folder's path is absolute: " + folder.path);
    if (folder.owner_id >= kIdsPerMachine) return wrong("a folder's owner is out of range");
  }
  for (const auto& [name, value] : spec.env) {
    if (name.empty() || (name + value).find_first_of(std::string("\n\0", 2)) != std::string::npos ||
        name.find('=') != std::string::npos) {
      return wrong("an environment variable is malformed");
    }
  }
  if (spec.limits.memory_bytes < kMemoryBytesMin || spec.limits.disk_bytes < kDiskBytesMin ||
      spec.limits.cpu_millis == 0 || spec.limits.vcpus == 0 || spec.limits.processes_max == 0) {
    return wrong("a machine's limits are too small to start it");
  }
  return {};
}

}  // namespace terrarium::host::linux_host
