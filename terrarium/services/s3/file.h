// The system calls on files that bodies are made of, with their errors as Results. Everything here
// may block: the blocking pool's threads only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/owned_fd.h"

namespace terrarium::s3 {

inline constexpr std::size_t kDirectAlignment = 4'096;

// A new file, written from its start to its end.
class NewFile {
 public:
  // `direct`: past the page cache, where the file system can, as long as what is written begins
  // and ends on multiples of kDirectAlignment, in memory as in the file.
  static base::Result<NewFile> create(const std::string& path, bool direct);
  base::Result<void> write(std::string_view bytes);
  // Has the disk begin with what was written so far, so that sync() finds most of it there.
  void begin_sync();
  // The bytes and what is needed to find them are on disk when this returns.
  base::Result<void> sync();

 private:
  NewFile(int fd, bool direct) : fd_(fd), direct_(direct) {}
  void end_direct();
  http::OwnedFd fd_;
  bool direct_;
  std::uint64_t written_ = 0;
  std::uint64_t begun_ = 0;
};

// Made with its parents, each entry on disk. One that is there already is no error.
base::Result<void> make_folder(const std::string& path);
// Names in the folder, without "." and "..".
base::Result<std::vector<std::string>> list_folder(const std::string& path);
base::Result<void> sync_folder(const std::string& path);
// NotFound when `from` or the folder of `to` is not there.
base::Result<void> rename_file(const std::string& from, const std::string& to);
// A second name for the same bytes. Conflict: the file system allows no more names of this file.
base::Result<void> link_file(const std::string& from, const std::string& to);
// A file that is not there is no error.
base::Result<void> remove_file(const std::string& path);

}  // namespace terrarium::s3
