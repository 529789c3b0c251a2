// One accepted connection's bytes: what was received and not yet consumed, what is to be sent, and
// the deadline of the wait in progress, which the worker's sweep enforces. Internal to lib/http.
//
// Unsent output leaves at the latest when the connection's coroutine yields to the loop: answers to
// pipelined requests travel together, and none waits for a slow handler after it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/http/transport.h"

namespace http {

class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(Transport transport, base::Clock& clock, base::Duration progress_timeout);

  Transport& transport() { return transport_; }

  // --- input ---
  std::string_view pending() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t count) { begin_ += count; }
  // Room to receive into, after what is pending; moves and grows what is there, up to bytes_max.
  std::span<char> room(std::size_t bytes_max);
  // As room(), but nothing before begin_ + count moves until release(): views point there.
  // False when the bytes had to move to make `spare` bytes of room: scan again.
  bool pin(std::size_t count, std::size_t spare);
  void release() { pinned_ = 0; }
  std::span<char> pinned_room();
  void received(std::size_t count) { end_ += count; }
  // Gives the memory of a busy time back; nothing is pending.
  void shrink();

  // --- output ---
  std::string& out() { return out_; }
  std::size_t unsent() const { return out_.size() - out_sent_; }
  // Sends all output if it goes at once; false when some is left (or the link is broken).
  bool try_flush();
  // Output, then `body`; waits for the peer, each time until it makes progress or the time for
  // that is over. False: broken.
  runtime::Task<bool> send(std::string_view body, std::string_view tail);
  // Output leaves when the coroutine yields, if nothing sent it before.
  void flush_on_yield();

  // --- waiting ---
  // Waits for bytes until the deadline.
  runtime::Task<Io> receive(std::span<char> into, base::Timestamp deadline);
  base::Timestamp progress_deadline() const { return clock_.now() + progress_timeout_; }
  void set_deadline(base::Timestamp deadline) { deadline_ = deadline; }
  void clear_deadline() { deadline_ = base::Timestamp::max(); }
  // The sweep's: ends the wait in progress when its deadline has passed.
  void expire(base::Timestamp now);
  bool expired() const { return expired_; }
  // Ends the wait in progress and makes all later ones fail.
  void abort();
  bool aborted() const { return aborted_; }

 private:
  void resize(std::size_t capacity);

  Transport transport_;
  base::Clock& clock_;
  base::Duration progress_timeout_;
  base::Timestamp deadline_ = base::Timestamp::max();
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t pinned_ = 0;
  std::string out_;
  std::size_t out_sent_ = 0;
  bool flush_posted_ = false;
  bool sending_ = false;
  bool expired_ = false;
  bool aborted_ = false;
};

}  // namespace http
