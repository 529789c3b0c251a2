#include "lib/http/response_body.h"

#include <algorithm>
#include <cstring>

#include "lib/base/check.h"

namespace http {

ResponseBody::ResponseBody(std::shared_ptr<ClientConnection> connection,
                           std::weak_ptr<ClientPool> pool, const Framing& framing, bool none)
    : connection_(std::move(connection)),
      pool_(std::move(pool)),
      keep_alive_(framing.keep_alive),
      length_(framing.content_length) {
  if (none) {
    length_ = 0;
  } else if (framing.chunked) {
    kind_ = Kind::Chunked;
  } else if (!length_) {
    kind_ = Kind::UntilClose;
    keep_alive_ = false;
  }
  left_ = length_.value_or(0);
  if (kind_ == Kind::Sized && left_ == 0) finish();
}

void ResponseBody::finish() {
  whole_ = true;
  const auto connection = std::move(connection_);
  connection->disarm();
  const auto pool = pool_.lock();
  // Bytes after the end belong to nothing we asked for.
  if (pool && keep_alive_ && connection->pending().empty()) pool->give_back(connection);
}

std::unexpected<base::Error> ResponseBody::break_off(std::string what) {
  auto failure = connection_->failure(std::move(what));
  connection_.reset();
  return failure;
}

runtime::Task<base::Result<std::size_t>> ResponseBody::read_plain(std::span<char> into) {
  if (kind_ == Kind::Sized) into = into.first(std::min<std::uint64_t>(into.size(), left_));
  std::size_t count = 0;
  if (const std::string_view pending = connection_->pending(); !pending.empty()) {
    count = std::min(into.size(), pending.size());
    std::memcpy(into.data(), pending.data(), count);
    connection_->consume(count);
  } else {
    const Io io = co_await connection_->receive_into(into);
    if (io.state == IoState::Eof && kind_ == Kind::UntilClose) {
      finish();
      co_return std::size_t{0};
    }
    if (io.state != IoState::Done) co_return break_off("The response body was cut short.");
    count = io.count;
  }
  left_ -= kind_ == Kind::Sized ? count : 0;
  if (kind_ == Kind::Sized && left_ == 0) finish();
  co_return count;
}

runtime::Task<base::Result<std::size_t>> ResponseBody::read_chunked(std::span<char> into) {
  for (;;) {
    const auto piece = decoder_.next(connection_->pending(), into.size());
    if (piece.kind == ChunkedDecoder::Kind::Data) {
      std::memcpy(into.data(), piece.data.data(), piece.data.size());
      connection_->consume(piece.consumed);
      co_return piece.data.size();
    }
    connection_->consume(piece.consumed);
    if (piece.kind == ChunkedDecoder::Kind::End) {
      finish();
      co_return std::size_t{0};
    }
    if (piece.kind == ChunkedDecoder::Kind::Bad) {
      co_return break_off("The response body is malformed: " + std::string(piece.why) + ".");
    }
    const Io io = co_await connection_->receive_more();
    if (io.state != IoState::Done) co_return break_off("The response body was cut short.");
  }
}

runtime::Task<base::Result<std::size_t>> ResponseBody::read(std::span<char> into) {
  CHECK(!into.empty(), "a read has room");
  if (whole_) co_return std::size_t{0};
  if (!connection_) {
    co_return base::fail(base::ErrorKind::Unavailable, "The response body was cut short.");
  }
  if (kind_ == Kind::Chunked) co_return co_await read_chunked(into);
  co_return co_await read_plain(into);
}

}  // namespace http
