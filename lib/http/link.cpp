#include "lib/http/link.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>

namespace http {
namespace {

// What an idle connection keeps: ten thousand of them are 20 MB.
constexpr std::size_t kIdleBytes = 2 * 1024;
// A connection that fills its buffer gets a larger one, up to this (or a head's maximum).
constexpr std::size_t kBusyBytes = 64 * 1024;
constexpr std::size_t kIdleOutputBytes = 2 * 1024;

}  // namespace

Link::Link(Transport transport, base::Clock& clock, base::Duration progress_timeout)
    : transport_(std::move(transport)), clock_(clock), progress_timeout_(progress_timeout) {
  resize(kIdleBytes);
}

void Link::resize(std::size_t capacity) {
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (end_ > begin_) std::memcpy(larger.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  buffer_ = std::move(larger);
  capacity_ = capacity;
}

std::span<char> Link::room(std::size_t bytes_max) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == capacity_) {
    if (begin_ > 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    } else if (capacity_ < std::max(bytes_max, kBusyBytes)) {
      resize(std::min(capacity_ * 2, std::max(bytes_max, kBusyBytes)));
    }
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

bool Link::pin(std::size_t count, std::size_t spare) {
  pinned_ = begin_ + count;
  if (capacity_ - pinned_ >= spare) return true;
  resize(std::max(end_ - begin_, count + spare));
  pinned_ = count;
  return false;
}

std::span<char> Link::pinned_room() {
  if (begin_ == end_) begin_ = end_ = pinned_;
  return {buffer_.get() + end_, capacity_ - end_};
}

void Link::shrink() {
  if (capacity_ > kIdleBytes) {
    begin_ = end_ = 0;
    resize(kIdleBytes);
  }
  if (out_.capacity() > kIdleOutputBytes) std::string().swap(out_);
}

bool Link::try_flush() {
  if (sending_) return false;
  Parts parts{std::string_view(out_).substr(out_sent_)};
  const Io io = transport_.try_write(parts);
  out_sent_ += io.count;
  if (out_sent_ < out_.size()) return false;
  out_.clear();
  out_sent_ = 0;
  return true;
}

runtime::Task<bool> Link::send(std::string_view body, std::string_view tail) {
  sending_ = true;
  Parts parts{std::string_view(out_).substr(out_sent_), body, tail};
  bool sent = false;
  while (!aborted_) {
    const Io io = transport_.try_write(parts);
    sent = io.state == IoState::Done;
    if (sent || io.state == IoState::Failed || io.state == IoState::Eof) break;
    deadline_ = progress_deadline();
    const bool ready = co_await transport_.wait(io.state);
    clear_deadline();
    if (!ready) break;
  }
  out_.clear();
  out_sent_ = 0;
  sending_ = false;
  co_return sent;
}

void Link::flush_on_yield() {
  if (flush_posted_ || unsent() == 0) return;
  flush_posted_ = true;
  boost::asio::post(transport_.socket().get_executor(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    if (self->unsent() > 0) self->try_flush();
  });
}

runtime::Task<Io> Link::receive(std::span<char> into, base::Timestamp deadline) {
  if (aborted_) co_return Io{};
  deadline_ = deadline;
  const Io io = co_await transport_.read_some(into);
  clear_deadline();
  co_return io;
}

void Link::expire(base::Timestamp now) {
  if (deadline_ > now) return;
  expired_ = true;
  clear_deadline();
  transport_.cancel();
}

void Link::abort() {
  aborted_ = true;
  transport_.cancel();
}

}  // namespace http
