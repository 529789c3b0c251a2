// The body of the request being handled, read from its connection. Internal to lib/http.
#pragma once

#include "lib/http/body.h"
#include "lib/http/chunked.h"
#include "lib/http/link.h"
#include "lib/http/scanner.h"

namespace http {

class RequestBody final : public BodyReader {
 public:
  explicit RequestBody(Link& link) : link_(link) {}

  // The head that announced the body has been consumed from the link.
  void begin(const Framing& framing, std::uint64_t bytes_max);
  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override;
  std::optional<std::uint64_t> length() const override { return length_; }

  bool whole() const { return state_ == State::Whole; }
  // False when what follows on the connection can't be told from the rest of this body, at a cost
  // of at most bytes_max bytes.
  bool skippable(std::uint64_t bytes_max) const;
  // Reads and forgets the rest; false when there was more than that, or it was cut short.
  runtime::Task<bool> skip(std::uint64_t bytes_max);

 private:
  enum class State : std::uint8_t { Reading, Whole, Failed };
  runtime::Task<base::Result<std::size_t>> receive(std::span<char> into);
  runtime::Task<base::Result<std::size_t>> read_sized(std::span<char> into);
  runtime::Task<base::Result<std::size_t>> read_chunked(std::span<char> into);
  std::unexpected<base::Error> break_off(base::ErrorKind kind, std::string message);

  Link& link_;
  State state_ = State::Whole;
  bool chunked_ = false;
  bool continue_wanted_ = false;
  std::optional<std::uint64_t> length_;
  std::uint64_t left_ = 0;  // with a length: still to come; chunked: still allowed
  ChunkedDecoder decoder_;
};

}  // namespace http
