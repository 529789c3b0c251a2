#include "terrarium/host/linux/shim/console.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "terrarium/host/linux/shim/system_call.h"

namespace terrarium::host::shim {
namespace {

constexpr std::size_t kFileBytesMax = 64 * 1024;

}  // namespace

Console::Console(std::string folder) : path_(std::move(folder) + "/console") { open(); }

void Console::open() {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct stat status{};
  bytes_ = fd_ >= 0 && ::fstat(fd_, &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

void Console::write(std::string_view bytes) {
  if (bytes_ >= kFileBytesMax) {
    ::close(fd_);
    ::rename(path_.c_str(), (path_ + ".1").c_str());
    open();
  }
  // A full disk of the host costs console text, never the machine.
  if (write_all(fd_, bytes)) bytes_ += bytes.size();
}

}  // namespace terrarium::host::shim
