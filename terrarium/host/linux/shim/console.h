// A machine's console on the host: what it wrote, the last of it, over all its runs.
#pragma once

#include <string>
#include <string_view>

namespace terrarium::host::shim {

// Two files, `console` and, before it, `console.1`: together at least the last 64 KiB.
class Console {
 public:
  explicit Console(std::string folder);
  void write(std::string_view bytes);

 private:
  void open();
  std::string path_;
  int fd_ = -1;
  std::size_t bytes_ = 0;
};

}  // namespace terrarium::host::shim
