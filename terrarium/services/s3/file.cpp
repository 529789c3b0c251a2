#include "terrarium/services/s3/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>

namespace terrarium::s3 {
namespace {

// Bodies hold what their owner made private; nobody else on the machine reads them.
constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;

std::unexpected<base::Error> failed(std::string doing, const std::string& path, int error) {
  std::string what = std::move(doing) + " " + path;
  if (error == ENOENT) {
    auto missing = base::fail(base::ErrorKind::NotFound, "A stored body is missing.");
    missing.error().detail = std::move(what);
    return missing;
  }
  if (error == EMLINK) {
    auto full = base::fail(base::ErrorKind::Conflict, "A stored body has too many names.");
    full.error().detail = std::move(what);
    return full;
  }
  return base::fail_errno(std::move(what), error);
}

int open_retrying(const std::string& path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

struct FolderCloser {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

base::Result<NewFile> NewFile::create(const std::string& path, bool direct) {
  const int fd = open_retrying(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode);
  if (fd < 0) return failed("creating", path, errno);
  // Asked for afterwards: a file system that refuses it has not made half a file then.
  return NewFile(fd, direct && ::fcntl(fd, F_SETFL, O_DIRECT) == 0);
}

void NewFile::end_direct() {
  direct_ = false;
  ::fcntl(fd_.get(), F_SETFL, 0);
}

base::Result<void> NewFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto place = reinterpret_cast<std::uintptr_t>(bytes.data());
    const bool aligned = (place | bytes.size() | written_) % kDirectAlignment == 0;
    if (direct_ && !aligned) end_direct();
    const ssize_t count = ::write(fd_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    // A disk that wants more than this alignment.
    if (count < 0 && errno == EINVAL && direct_) {
      end_direct();
      continue;
    }
    if (count < 0) return base::fail_errno("writing a body", errno);
    written_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

void NewFile::begin_sync() {
  if (direct_) return;
  // A hint: where the file system does not take it, sync() does all the work.
  ::sync_file_range(fd_.get(), static_cast<off64_t>(begun_),
                    static_cast<off64_t>(written_ - begun_), SYNC_FILE_RANGE_WRITE);
  begun_ = written_;
}

base::Result<void> NewFile::sync() {
  if (::fdatasync(fd_.get()) != 0) return base::fail_errno("syncing a body", errno);
  return {};
}

base::Result<void> make_folder(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  if (::mkdir(path.c_str(), kFolderMode) == 0) return sync_folder(parent);
  if (errno == EEXIST) return {};
  if (errno != ENOENT || parent.empty() || parent == path) {
    return base::fail_errno("making the folder " + path, errno);
  }
  TRY_VOID(make_folder(parent));
  if (::mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return base::fail_errno("making the folder " + path, errno);
  }
  return sync_folder(parent);
}

base::Result<std::vector<std::string>> list_folder(const std::string& path) {
  const std::unique_ptr<DIR, FolderCloser> folder(::opendir(path.c_str()));
  if (!folder) return failed("listing", path, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return failed("listing", path, errno);
  return names;
}

base::Result<void> sync_folder(const std::string& path) {
  const int fd = open_retrying(path, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return failed("opening the folder", path, errno);
  const int outcome = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (outcome != 0) return failed("syncing the folder", path, error);
  return {};
}

base::Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("renaming to", to, errno);
  return {};
}

base::Result<void> link_file(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return failed("linking " + from + " to", to, errno);
  return {};
}

base::Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("removing", path, errno);
  return {};
}

}  // namespace terrarium::s3
