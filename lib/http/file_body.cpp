#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/http/body.h"
#include "lib/http/owned_fd.h"
#include "lib/runtime/blocking_pool.h"

namespace http {
namespace {

// How far ahead a disk is asked.
constexpr std::uint64_t kAheadBytes = 8 << 20;

struct Got {
  ssize_t count = -1;
  int error = 0;
};

class FileBody final : public BodyReader {
 public:
  FileBody(runtime::BlockingPool& pool, OwnedFd fd, std::uint64_t offset, std::uint64_t length)
      : pool_(pool), fd_(std::move(fd)), offset_(offset), length_(length), left_(length) {}

  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    into = into.first(std::min<std::uint64_t>(into.size(), left_));
    if (into.empty()) co_return std::size_t{0};
    Got got = read_cached(into);
    if (got.count < 0 && got.error != 0) {
      const auto blocking = [this, into] { return read_from_disk(into); };
      got = co_await pool_.run(blocking);
    }
    if (got.count < 0) co_return base::fail_errno("Reading a file to send it", got.error);
    if (got.count == 0) {
      co_return base::fail(base::ErrorKind::Internal, "A file became shorter while it was sent.");
    }
    offset_ += static_cast<std::uint64_t>(got.count);
    left_ -= static_cast<std::uint64_t>(got.count);
    co_return static_cast<std::size_t>(got.count);
  }

  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  // What the page cache holds costs less to copy here than to ask another thread for.
  Got read_cached(std::span<char> into) {
    if (!cache_readable_) return {-1, EAGAIN};
    const iovec piece{into.data(), into.size()};
    const ssize_t count = ::preadv2(fd_.get(), &piece, 1, static_cast<off_t>(offset_), RWF_NOWAIT);
    if (count >= 0) return {count, 0};
    cache_readable_ = errno == EAGAIN;
    return {-1, errno};
  }

  Got read_from_disk(std::span<char> into) const {
    // The disk is asked for what comes next as well: those reads find it in the page cache.
    if (left_ > into.size()) {
      ::posix_fadvise(fd_.get(), static_cast<off_t>(offset_),
                      static_cast<off_t>(std::min(left_, kAheadBytes)), POSIX_FADV_WILLNEED);
    }
    for (;;) {
      const ssize_t count =
          ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset_));
      if (count >= 0 || errno != EINTR) return {count, count < 0 ? errno : 0};
    }
  }

  runtime::BlockingPool& pool_;
  OwnedFd fd_;
  std::uint64_t offset_;
  const std::uint64_t length_;
  std::uint64_t left_;
  bool cache_readable_ = true;  // this file system can say "not without waiting"
};

}  // namespace

base::Result<std::unique_ptr<BodyReader>> file_body(runtime::BlockingPool& pool, int fd,
                                                    std::uint64_t offset, std::uint64_t length) {
  OwnedFd owned(fd);
  struct stat facts{};
  if (::fstat(owned.get(), &facts) != 0) return base::fail_errno("Looking at a file", errno);
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (!S_ISREG(facts.st_mode) || offset > size || length > size - offset) {
    return base::fail(base::ErrorKind::InvalidInput, "The file does not have that many bytes.");
  }
  return std::make_unique<FileBody>(pool, std::move(owned), offset, length);
}

base::Result<std::unique_ptr<BodyReader>> file_body(runtime::BlockingPool& pool,
                                                    const std::string& path, std::uint64_t offset,
                                                    std::uint64_t length) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    auto failure = base::fail_errno("Opening " + path, error);
    if (error == ENOENT) failure.error().kind = base::ErrorKind::NotFound;
    return failure;
  }
  return file_body(pool, fd, offset, length);
}

}  // namespace http
