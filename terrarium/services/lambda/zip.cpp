#include "terrarium/services/lambda/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "generated/lambda/errors.h"

namespace terrarium::lambda {
namespace {

constexpr std::size_t kPathBytesMax = 1024;
constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kLinkBytesMax = 1024;

std::unexpected<base::Error> broken(std::string detail) {
  auto failure = base::fail(
      errors::kInvalidParameterValueException,
      "Could not unzip uploaded file. Please check your file, then try to upload again.");
  failure.error().detail = std::move(detail);
  return failure;
}

std::unexpected<base::Error> too_large(std::uint64_t bytes_max) {
  return base::fail(errors::kInvalidParameterValueException,
                    "Unzipped size must be smaller than " + std::to_string(bytes_max) + " bytes");
}

struct ArchiveDeleter {
  void operator()(archive* open) const { ::archive_read_free(open); }
};
using Archive = std::unique_ptr<archive, ArchiveDeleter>;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// The parts of an entry's path; refused when it is absolute, climbs, or is longer than any real
// one.
base::Result<std::vector<std::string>> parts_of(std::string_view path) {
  if (path.empty() || path.size() > kPathBytesMax || path.starts_with('/') ||
      path.find('\\') != std::string_view::npos) {
    return broken("a path that is empty, too long or absolute");
  }
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part == "..") return broken("a path that climbs");
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  if (parts.size() > kDepthMax) return broken("a path that is too deep");
  return parts;
}

class Unpacker {
 public:
  Unpacker(archive* source, Fd root, UnpackLimits limits)
      : source_(source), root_(std::move(root)), limits_(limits) {}

  base::Result<void> run() {
    archive_entry* entry = nullptr;
    for (;;) {
      const int status = ::archive_read_next_header(source_, &entry);
      if (status == ARCHIVE_EOF) break;
      // A warning is about a name that the daemon's locale cannot print; nothing here prints it.
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return broken(reason());
      if (++entries_ > limits_.entries_max) {
        return base::fail(
            errors::kInvalidParameterValueException,
            "The zip has more than " + std::to_string(limits_.entries_max) + " entries");
      }
      TRY_VOID(unpack(entry));
    }
    // An archive without a single entry is no archive of code; neither is a file of zeros.
    if (entries_ == 0) return broken("no entries");
    return {};
  }

 private:
  std::string reason() const {
    const char* text = ::archive_error_string(source_);
    return text != nullptr ? text : "unreadable";
  }

  base::Result<void> unpack(archive_entry* entry) {
    const char* path = ::archive_entry_pathname_utf8(entry);
    if (path == nullptr) path = ::archive_entry_pathname(entry);
    if (path == nullptr) return broken("an entry without a name");
    if (::archive_entry_is_encrypted(entry) != 0) return broken("encrypted");
    if (::archive_entry_hardlink(entry) != nullptr) return broken("a hard link");
    TRY(std::vector<std::string> parts, parts_of(path));
    const auto kind = ::archive_entry_filetype(entry);
    if (kind == AE_IFDIR) {
      TRY_VOID(open_folder(parts));
      return {};
    }
    if (parts.empty()) return broken("a file without a name");
    const std::string name = std::move(parts.back());
    parts.pop_back();
    TRY(const Fd folder, open_folder(parts));
    if (kind == AE_IFLNK) return write_link(folder, name, parts.size(), entry);
    if (kind != AE_IFREG) return broken("an entry that is neither file, folder nor link");
    return write_file(folder, name, entry);
  }

  // The folder, made where it is missing, entered part by part and never through a link.
  base::Result<Fd> open_folder(const std::vector<std::string>& parts) const {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Fd at(::openat(root_.get(), ".", kFlags));
    for (const std::string& part : parts) {
      if (::mkdirat(at.get(), part.c_str(), 0755) != 0 && errno != EEXIST) {
        return base::fail_errno("make a folder of the code", errno);
      }
      Fd next(::openat(at.get(), part.c_str(), kFlags));
      if (next.get() < 0) return broken("a folder that is something else too");
      at = std::move(next);
    }
    return at;
  }

  base::Result<void> write_link(const Fd& folder, const std::string& name, std::size_t depth,
                                archive_entry* entry) const {
    const char* target = ::archive_entry_symlink_utf8(entry);
    if (target == nullptr) target = ::archive_entry_symlink(entry);
    if (target == nullptr || !link_stays_inside(target, depth)) {
      return broken("a link that leaves the folder");
    }
    if (::symlinkat(target, folder.get(), name.c_str()) != 0) {
      return broken("a link where something else is");
    }
    return {};
  }

  base::Result<void> write_file(const Fd& folder, const std::string& name, archive_entry* entry) {
    const bool executable = (::archive_entry_perm(entry) & 0111) != 0;
    const Fd file(::openat(folder.get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (file.get() < 0) return broken("a file where something else is");
    if (::fchmod(file.get(), executable ? 0755 : 0644) != 0) {
      return base::fail_errno("set the mode of a file of the code", errno);
    }
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
      const int status = ::archive_read_data_block(source_, &block, &size, &offset);
      if (status == ARCHIVE_EOF) return {};
      if (status != ARCHIVE_OK || offset < 0) return broken(reason());
      bytes_ += size;
      if (bytes_ > limits_.bytes_max) return too_large(limits_.bytes_max);
      TRY_VOID(write_all(file, static_cast<const char*>(block), size));
    }
  }

  static base::Result<void> write_all(const Fd& file, const char* bytes, std::size_t size) {
    while (size > 0) {
      const ssize_t put = ::write(file.get(), bytes, size);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return base::fail_errno("write a file of the code", errno);
      bytes += put;
      size -= static_cast<std::size_t>(put);
    }
    return {};
  }

  archive* source_;
  Fd root_;
  UnpackLimits limits_;
  std::uint64_t bytes_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace

bool link_stays_inside(std::string_view target, std::size_t depth) {
  if (target.empty() || target.size() > kLinkBytesMax || target.starts_with('/')) return false;
  std::size_t climbed = 0;
  bool descended = false;
  while (!target.empty()) {
    const std::size_t slash = target.find('/');
    const std::string_view part = target.substr(0, slash);
    if (part == "..") {
      // After a name, ".." would climb from wherever that name leads, should it be a link.
      if (descended || ++climbed > depth) return false;
    } else if (!part.empty() && part != ".") {
      descended = true;
    }
    target.remove_prefix(slash == std::string_view::npos ? target.size() : slash + 1);
  }
  return true;
}

base::Result<void> unpack_zip(std::string_view zip, const std::filesystem::path& into,
                              UnpackLimits limits) {
  // The end of an archive at its beginning: nothing is in it.
  if (zip.starts_with("PK\x05\x06")) {
    return base::fail(errors::kInvalidParameterValueException,
                      "Uploaded file must be a non-empty zip");
  }
  const Archive source(::archive_read_new());
  if (!source) return base::fail(base::ErrorKind::Internal, "no memory to unpack code");
  // The central directory knows the files' modes and kinds; a stream of local headers does not.
  if (::archive_read_support_format_zip_seekable(source.get()) != ARCHIVE_OK ||
      ::archive_read_open_memory(source.get(), zip.data(), zip.size()) != ARCHIVE_OK) {
    return broken("not a zip");
  }
  Fd root(::open(into.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0) return base::fail_errno("open " + into.string(), errno);
  return Unpacker(source.get(), std::move(root), limits).run();
}

}  // namespace terrarium::lambda
