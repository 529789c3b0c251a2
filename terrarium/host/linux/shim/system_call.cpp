#include "terrarium/host/linux/shim/system_call.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace terrarium::host::shim {
namespace {

// More than any launch plan; a machine's own files may be of any size.
constexpr std::size_t kReadBytesMax = 64 << 20;

int report_fd = 2;

}  // namespace

void report_failures_to(int fd) { report_fd = fd; }

void give_up(std::string_view doing, int error_number) {
  write_all(report_fd, std::string(doing) + ": " + std::strerror(error_number));
  ::_exit(1);
}

long must(long result, std::string_view doing) {
  if (result < 0) give_up(doing, errno);
  return result;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

void write_file(const std::string& path, std::string_view text) {
  const int fd = static_cast<int>(
      must(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), "open " + path));
  if (!write_all(fd, text)) give_up("write " + path, errno);
  ::close(fd);
}

std::string read_whole(int fd) {
  std::string text;
  char piece[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || text.size() > kReadBytesMax) return text;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

std::string read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text = read_whole(fd);
  ::close(fd);
  return text;
}

void make_folders(const std::string& path, unsigned mode) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) give_up("make " + part, errno);
    if (slash == std::string::npos) return;
  }
}

int wait_for(int pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace terrarium::host::shim
