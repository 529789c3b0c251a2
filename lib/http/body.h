// Bodies are streams in both directions; nothing holds one whole unless its reader chooses to, with
// a maximum.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace runtime {
class BlockingPool;
}

namespace http {

class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Reads at least one byte into `into` (not empty); 0 means the body ended, whole. A body cut
  // short, or one that breaks its framing, is an error: never a short success.
  virtual runtime::Task<base::Result<std::size_t>> read(std::span<char> into) = 0;
  // Bytes in the whole body when known beforehand.
  virtual std::optional<std::uint64_t> length() const = 0;
};

// The whole body; TooLarge when it has more than bytes_max bytes.
runtime::Task<base::Result<std::string>> read_all(BodyReader& body, std::size_t bytes_max);

// A body from memory.
std::unique_ptr<BodyReader> body_of(std::string bytes);

// `length` bytes of a regular file from `offset` on. What the page cache holds is read in place,
// the rest on `pool`, which outlives the body: a slow disk stops no other connection. NotFound when
// there is no such file, InvalidInput when it has fewer bytes; a file cut meanwhile fails the read.
base::Result<std::unique_ptr<BodyReader>> file_body(runtime::BlockingPool& pool,
                                                    const std::string& path, std::uint64_t offset,
                                                    std::uint64_t length);
// The same for an open file, which the body closes: also when this fails.
base::Result<std::unique_ptr<BodyReader>> file_body(runtime::BlockingPool& pool, int fd,
                                                    std::uint64_t offset, std::uint64_t length);

}  // namespace http
