// A server's connection: reads heads, calls the handler, sends its answers, in order, until either
// side wants to close. Internal to lib/http.
#pragma once

#include <list>
#include <memory>

#include "lib/http/link.h"
#include "lib/http/request_body.h"
#include "lib/http/response_head.h"
#include "lib/http/scanner.h"
#include "lib/http/worker.h"

namespace http {

class Connection final : private Presence {
 public:
  // Counted in core.connections by whoever accepted it; uncounted here, at the end.
  Connection(std::shared_ptr<Core> core, Worker& worker, Transport transport, Peer peer);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static runtime::Task<void> serve(std::unique_ptr<Connection> connection);

  // The worker's: ends a wait that has lasted too long.
  void expire(base::Timestamp now) { link_->expire(now); }
  // The server drains: a connection without a request ends now.
  void drain();
  // Whatever is under way fails.
  void abort() { link_->abort(); }

 private:
  enum class Phase : std::uint8_t { Handshake, Idle, Head, Request, Lingering };
  enum class Next : std::uint8_t { Continue, Close, Reset };

  bool gone() const override { return link_->transport().peer_gone(); }
  runtime::Task<Next> run();
  Scan scan();
  // Where to receive to, with the deadline set; empty: the connection has to end.
  std::span<char> prepare_to_receive();
  runtime::Task<Next> refuse(int status, std::string_view why);
  runtime::Task<Next> exchange(std::size_t head_bytes);
  void begin_request(std::size_t head_bytes);
  ResponsePlan begin_answer(Response& response, const std::string& thrown);
  runtime::Task<bool> send_body(Response& response, ResponsePlan plan);
  bool finish_at_once(const ResponsePlan& plan);
  runtime::Task<Next> finish(ResponsePlan plan);
  runtime::Task<void> linger();

  std::shared_ptr<Core> core_;
  Worker& worker_;
  std::shared_ptr<Link> link_;
  Peer peer_;
  RequestHead head_;
  Request request_;
  RequestBody body_;
  Phase phase_ = Phase::Handshake;
  bool unread_input_ = false;     // closing now would throw bytes of the client away
  std::size_t scanned_ = 0;       // pending bytes that the last scan has seen
  base::Timestamp head_begun_{};  // when the head being received had its first byte
  base::Timestamp now_{};         // when the last answer was given
  std::list<Connection*>::iterator place_;
};

}  // namespace http
