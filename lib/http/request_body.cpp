#include "lib/http/request_body.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "lib/base/check.h"

namespace http {
namespace {

constexpr std::size_t kSkipBytes = 16 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

void RequestBody::begin(const Framing& framing, std::uint64_t bytes_max) {
  chunked_ = framing.chunked;
  length_ = framing.content_length;
  if (!chunked_ && !length_) length_ = 0;
  left_ = chunked_ ? bytes_max : *length_;
  state_ = chunked_ || left_ > 0 ? State::Reading : State::Whole;
  // Also of a body without bytes: botocore takes an answer that comes before "100 Continue" for
  // the last of its connection, and misreads the next one.
  continue_wanted_ = framing.expect == Expectation::Continue;
  if (chunked_) decoder_ = {};
}

std::unexpected<base::Error> RequestBody::break_off(base::ErrorKind kind, std::string message) {
  state_ = State::Failed;
  return base::fail(kind, std::move(message));
}

// Bytes from the network; the client may be waiting for an answer of ours before it sends them.
runtime::Task<base::Result<std::size_t>> RequestBody::receive(std::span<char> into) {
  if (continue_wanted_) link_.out() += kContinue;
  continue_wanted_ = false;
  if (link_.unsent() > 0 && !link_.try_flush() && !co_await link_.send({}, {})) {
    co_return break_off(base::ErrorKind::Cancelled, "The client closed the connection.");
  }
  const Io io = co_await link_.receive(into, link_.progress_deadline());
  if (io.state == IoState::Done) co_return io.count;
  if (link_.expired()) {
    co_return break_off(base::ErrorKind::Timeout, "The request body did not arrive in time.");
  }
  co_return break_off(base::ErrorKind::InvalidInput, "The request body was cut short.");
}

runtime::Task<base::Result<std::size_t>> RequestBody::read_sized(std::span<char> into) {
  into = into.first(std::min<std::uint64_t>(into.size(), left_));
  std::size_t count = 0;
  if (const std::string_view pending = link_.pending(); !pending.empty()) {
    continue_wanted_ = false;
    count = std::min(into.size(), pending.size());
    std::memcpy(into.data(), pending.data(), count);
    link_.consume(count);
  } else {
    CO_TRY(count, co_await receive(into));
  }
  left_ -= count;
  if (left_ == 0) state_ = State::Whole;
  co_return count;
}

runtime::Task<base::Result<std::size_t>> RequestBody::read_chunked(std::span<char> into) {
  for (;;) {
    const auto piece = decoder_.next(link_.pending(), into.size());
    if (piece.kind == ChunkedDecoder::Kind::Data) {
      if (piece.data.size() > left_) {
        co_return break_off(base::ErrorKind::TooLarge, "The request body is too large.");
      }
      continue_wanted_ = false;
      left_ -= piece.data.size();
      std::memcpy(into.data(), piece.data.data(), piece.data.size());
      link_.consume(piece.consumed);
      co_return piece.data.size();
    }
    link_.consume(piece.consumed);
    if (piece.kind == ChunkedDecoder::Kind::End) {
      continue_wanted_ = false;
      state_ = State::Whole;
      co_return std::size_t{0};
    }
    if (piece.kind == ChunkedDecoder::Kind::Bad) {
      co_return break_off(base::ErrorKind::InvalidInput,
                          "The request body is malformed: " + std::string(piece.why) + ".");
    }
    CO_TRY(const std::size_t count, co_await receive(link_.pinned_room()));
    link_.received(count);
  }
}

runtime::Task<base::Result<std::size_t>> RequestBody::read(std::span<char> into) {
  CHECK(!into.empty(), "a read has room");
  if (state_ == State::Whole) {
    if (std::exchange(continue_wanted_, false)) link_.out() += kContinue;
    co_return std::size_t{0};
  }
  if (state_ == State::Failed) {
    co_return base::fail(base::ErrorKind::InvalidInput, "The request body was cut short.");
  }
  if (chunked_) co_return co_await read_chunked(into);
  co_return co_await read_sized(into);
}

bool RequestBody::skippable(std::uint64_t bytes_max) const {
  // A client that still waits for "100 Continue" may send the body or not: nobody can tell.
  if (continue_wanted_) return false;
  return state_ == State::Whole || (state_ == State::Reading && (chunked_ || left_ <= bytes_max));
}

runtime::Task<bool> RequestBody::skip(std::uint64_t bytes_max) {
  if (state_ == State::Whole) co_return true;
  const auto scratch = std::make_unique_for_overwrite<char[]>(kSkipBytes);
  std::uint64_t skipped = 0;
  while (skipped <= bytes_max && skippable(bytes_max)) {
    const auto count = co_await read({scratch.get(), kSkipBytes});
    if (!count) co_return false;
    if (*count == 0) co_return true;
    skipped += *count;
  }
  co_return whole();
}

}  // namespace http
