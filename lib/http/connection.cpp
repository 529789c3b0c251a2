#include "lib/http/connection.h"

#include <algorithm>
#include <exception>

#include "lib/base/log.h"
#include "lib/http/stream_sender.h"

namespace http {
namespace {

constexpr std::string_view kArea = "http";
// Smaller bodies are copied behind their head: cheaper than a second piece for the kernel.
constexpr std::size_t kCopyBytes = 8 * 1024;
// Answers to pipelined requests are sent when this much has come together.
constexpr std::size_t kCoalesceBytes = 64 * 1024;
// Chunked bodies are decoded from a window of at least this size.
constexpr std::size_t kChunkWindowBytes = 16 * 1024;
// Room for header fields that an idle connection keeps.
constexpr std::size_t kIdleFields = 32;
// How long a client gets to read the last answer of a connection before the close cuts it off.
constexpr base::Duration kLingerTime = std::chrono::seconds(2);

Response plain_response(int status, std::string_view why) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::string(reason(status));
  if (!why.empty()) response.body += ": " + std::string(why);
  response.body += '\n';
  return response;
}

}  // namespace

Connection::Connection(std::shared_ptr<Core> core, Worker& worker, Transport transport, Peer peer)
    : core_(std::move(core)),
      worker_(worker),
      link_(std::make_shared<Link>(std::move(transport), core_->clock,
                                   core_->options.limits.body_timeout)),
      peer_(std::move(peer)),
      body_(*link_),
      place_(worker.open.insert(worker.open.end(), this)) {
  if (link_->transport().plain()) phase_ = Phase::Idle;
  request_.body = &body_;
  request_.peer = &peer_;
  request_.client = this;
}

Connection::~Connection() {
  worker_.open.erase(place_);
  worker_.load.fetch_sub(1, std::memory_order_relaxed);
  core_->connections.fetch_sub(1, std::memory_order_relaxed);
  if (worker_.open.empty()) worker_.emptied.notify_all();
}

runtime::Task<void> Connection::serve(std::unique_ptr<Connection> connection) {
  Connection& self = *connection;
  const Next next = co_await self.run();
  Transport& transport = self.link_->transport();
  if (next == Next::Reset) {
    transport.reset();
    co_return;
  }
  if (self.unread_input_) {
    transport.end_sending();
    co_await self.linger();
  }
  transport.close();
}

void Connection::drain() {
  // Bytes in the kernel are a request that came before the drain.
  const bool quiet = phase_ == Phase::Handshake || phase_ == Phase::Lingering ||
                     (phase_ == Phase::Idle && link_->transport().unread() == 0);
  if (quiet) link_->abort();
}

Scan Connection::scan() {
  const std::string_view pending = link_->pending();
  const HeadLimits limits{core_->options.limits.head_bytes_max, core_->options.limits.headers_max};
  // A head that comes in drops is scanned again only when a line of it has ended, and there are at
  // most headers_max lines: what a slow sender can cost is bounded.
  const bool worth_it =
      !pending.empty() && (scanned_ == 0 || pending.size() >= limits.bytes_max ||
                           pending.substr(scanned_).find('\n') != std::string_view::npos);
  scanned_ = pending.size();
  if (!worth_it) return {};
  return scan_request_head(pending, limits, head_, request_.headers);
}

runtime::Task<Connection::Next> Connection::run() {
  link_->set_deadline(core_->clock.now() + core_->options.limits.head_timeout);
  const Io shaken = co_await link_->transport().handshake();
  link_->clear_deadline();
  if (shaken.state != IoState::Done || link_->aborted()) co_return Next::Reset;
  now_ = core_->clock.now();
  for (;;) {
    const Scan found = scan();
    if (found.refusal != 0) co_return co_await refuse(found.refusal, found.why);
    if (found.consumed > 0) {
      const Next next = co_await exchange(found.consumed);
      if (next != Next::Continue) co_return next;
      continue;
    }
    if (link_->unsent() > 0 && !link_->try_flush() && !co_await link_->send({}, {})) break;
    const std::span<char> room = prepare_to_receive();
    if (room.empty()) break;
    Transport& transport = link_->transport();
    const Io io = transport.plain() ? Transport::outcome(co_await transport.read_plain(room))
                                    : co_await transport.read_some(room);
    link_->clear_deadline();
    if (io.state != IoState::Done) break;
    link_->received(io.count);
  }
  const bool late = phase_ == Phase::Head && link_->expired() && !link_->aborted();
  if (late) co_return co_await refuse(408, "the head did not arrive in time");
  co_return Next::Close;
}

std::span<char> Connection::prepare_to_receive() {
  if (link_->aborted()) return {};
  if (link_->pending().empty()) {
    const bool draining = core_->draining.load(std::memory_order_relaxed);
    if (draining && link_->transport().unread() == 0) return {};
    phase_ = Phase::Idle;
    link_->shrink();
    if (request_.headers.size() > kIdleFields) request_.headers = {};
    link_->set_deadline(now_ + core_->options.limits.idle_timeout);
  } else {
    if (phase_ != Phase::Head) head_begun_ = core_->clock.now();
    phase_ = Phase::Head;
    link_->set_deadline(head_begun_ + core_->options.limits.head_timeout);
  }
  return link_->room(core_->options.limits.head_bytes_max);
}

runtime::Task<Connection::Next> Connection::refuse(int status, std::string_view why) {
  base::log::debug(kArea, "{}:{}: {}: {}", peer_.address, peer_.port, status, why);
  phase_ = Phase::Request;
  unread_input_ = true;
  const Response response = plain_response(status, why);
  const ResponsePlan plan = plan_response(response, head_.method, 1, false);
  append_response_head(link_->out(), response, plan, 1,
                       worker_.fixed_lines(core_->clock.now(), core_->options.server_name));
  co_return co_await link_->send(plan.send_body ? response.body : std::string_view(), {})
      ? Next::Close
      : Next::Reset;
}

void Connection::begin_request(std::size_t head_bytes) {
  scanned_ = 0;
  if (head_.framing.chunked && !link_->pin(head_bytes, kChunkWindowBytes)) {
    scan();
    scanned_ = 0;
  }
  link_->consume(head_bytes);
  request_.method = head_.method;
  request_.target = head_.target;
  request_.path = head_.path;
  request_.query = head_.query;
  body_.begin(head_.framing, core_->options.limits.body_bytes_max);
}

runtime::Task<Connection::Next> Connection::exchange(std::size_t head_bytes) {
  phase_ = Phase::Request;
  if (head_.framing.content_length.value_or(0) > core_->options.limits.body_bytes_max) {
    co_return co_await refuse(413, "the body is larger than allowed");
  }
  begin_request(head_bytes);
  link_->flush_on_yield();
  Response response;
  std::string thrown;
  try {
    response = co_await core_->handler(request_);
  } catch (const std::exception& surprise) {
    thrown = surprise.what();
  } catch (...) {
    thrown = "something that is no std::exception";
  }
  const ResponsePlan plan = begin_answer(response, thrown);
  if (plan.send_body) {
    if (!response.stream && response.body.size() <= kCopyBytes) {
      link_->out() += response.body;
    } else if (!co_await send_body(response, plan)) {
      co_return Next::Reset;
    }
  }
  if (finish_at_once(plan)) co_return Next::Continue;
  co_return co_await finish(plan);
}

ResponsePlan Connection::begin_answer(Response& response, const std::string& thrown) {
  const std::string flaw = thrown.empty() ? response_flaw(response) : std::string();
  if (!thrown.empty() || !flaw.empty()) {
    base::log::error(kArea, "{} {}: {}{}", request_.method, request_.path,
                     thrown.empty() ? "the handler's response has " : "the handler threw: ",
                     thrown.empty() ? flaw : thrown);
    response = plain_response(500, {});
  }
  now_ = core_->clock.now();
  const bool keep_alive = head_.framing.keep_alive &&
                          !core_->draining.load(std::memory_order_relaxed) &&
                          body_.skippable(core_->options.limits.drain_bytes_max);
  const ResponsePlan plan = plan_response(response, request_.method, head_.minor, keep_alive);
  append_response_head(link_->out(), response, plan, head_.minor,
                       worker_.fixed_lines(now_, core_->options.server_name));
  return plan;
}

runtime::Task<bool> Connection::send_body(Response& response, ResponsePlan plan) {
  if (!response.stream) co_return co_await link_->send(response.body, {});
  const auto sent = co_await send_stream(*link_, *response.stream, plan);
  if (!sent) {
    base::log::info(kArea, "{} {}: the response broke off: {}", request_.method, request_.path,
                    base::describe(sent.error()));
  }
  co_return sent.has_value();
}

// The usual case of finish(), without a coroutine. False: nothing is decided.
bool Connection::finish_at_once(const ResponsePlan& plan) {
  if (!plan.keep_alive || !body_.whole()) return false;
  const bool gather = !link_->pending().empty() && link_->unsent() <= kCoalesceBytes;
  if (!gather && !link_->try_flush()) return false;
  link_->release();
  return true;
}

// The response is in the output or sent. What is left of the request goes; then the next, or the
// end.
runtime::Task<Connection::Next> Connection::finish(ResponsePlan plan) {
  if (!link_->try_flush() && !co_await link_->send({}, {})) co_return Next::Reset;
  if (plan.keep_alive && co_await body_.skip(core_->options.limits.drain_bytes_max)) {
    link_->release();
    co_return Next::Continue;
  }
  unread_input_ = !body_.whole() || !link_->pending().empty();
  co_return Next::Close;
}

runtime::Task<void> Connection::linger() {
  phase_ = Phase::Lingering;
  const base::Timestamp deadline = core_->clock.now() + kLingerTime;
  const auto scratch = std::make_unique_for_overwrite<char[]>(kCopyBytes);
  while (!core_->draining.load(std::memory_order_relaxed) && core_->clock.now() < deadline) {
    const Io io = co_await link_->receive({scratch.get(), kCopyBytes}, deadline);
    if (io.state != IoState::Done) break;
  }
}

}  // namespace http
