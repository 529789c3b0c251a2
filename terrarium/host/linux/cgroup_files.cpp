#include "terrarium/host/linux/cgroup_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace terrarium::host::linux_host {
namespace {

constexpr int kKillRoundsMax = 64;

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> split;
  for (std::string word; stream >> word;) split.push_back(word);
  return split;
}

}  // namespace

std::string read_small(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text(16 * 1024, '\0');
  const ssize_t got = ::read(fd, text.data(), text.size());
  ::close(fd);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

bool write_small(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t put = ::write(fd, text.data(), text.size());
  ::close(fd);
  return put == static_cast<ssize_t>(text.size());
}

std::uint64_t leading_number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The number after "name " at the start of a line; 0 when there is none.
std::uint64_t field(std::string_view text, std::string_view name) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(' ')) {
      return leading_number(line.substr(name.size() + 1));
    }
    at = end + 1;
  }
  return 0;
}

std::vector<std::string> folders_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* open = ::opendir(folder.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = ::readdir(open)) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(open);
  return names;
}

void kill_members(const std::string& folder) {
  for (int round = 0; round < kKillRoundsMax; ++round) {
    std::istringstream pids(read_small(folder + "/cgroup.procs"));
    bool any = false;
    for (int pid = 0; pids >> pid;) any = (pid > 0 && ::kill(pid, SIGKILL) == 0) || any;
    if (!any) return;
  }
}

Hierarchies mounted_hierarchies() {
  std::istringstream mounts(read_small("/proc/self/mounts"));
  Hierarchies all;
  for (std::string line; std::getline(mounts, line);) {
    const auto part = words(line);
    if (part.size() < 4) continue;
    if (part[2] == "cgroup2" && all.unified.empty()) all.unified = part[1];
    if (part[2] != "cgroup") continue;
    std::istringstream options(part[3]);
    for (std::string option; std::getline(options, option, ',');) {
      all.v1.try_emplace(option, part[1]);
    }
  }
  return all;
}

}  // namespace terrarium::host::linux_host
