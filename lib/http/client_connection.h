// A client's connection to one host: opened, used for one exchange after another, watched by one
// deadline at a time. Internal to lib/http.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/http/client.h"
#include "lib/http/scanner.h"
#include "lib/http/transport.h"

namespace http {

class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  ClientConnection(runtime::Executor executor, base::Clock& clock, Url url);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // From now on every wait fails when the deadline passes; until disarm().
  void arm(base::Timestamp deadline);
  void disarm();
  bool expired() const { return expired_; }

  // Resolves, connects, and shakes hands when `tls` is given.
  runtime::Task<base::Result<void>> connect(std::shared_ptr<TlsContext> tls);
  runtime::Task<base::Result<void>> send(std::string_view first, std::string_view second,
                                         std::string_view third);
  // The next head: 1xx ones come too. Nothing is consumed beyond it.
  runtime::Task<base::Result<ResponseHead>> receive_head(std::size_t bytes_max, Headers& headers);
  // Received and not consumed.
  std::string_view pending() const { return std::string_view(buffer_).substr(at_); }
  void consume(std::size_t count) { at_ += count; }
  // Waits for more bytes into pending().
  runtime::Task<Io> receive_more();
  // Waits for more bytes, past the buffer; nothing is pending.
  runtime::Task<Io> receive_into(std::span<char> into);

  // Whether a byte came since the last call of expect_answer().
  bool answered() const { return answered_; }
  void expect_answer() { answered_ = false; }
  // The peer has closed, or says something unasked.
  bool disturbed() const { return !transport_ || transport_->disturbed(); }
  // While a body is being sent: an answer is there already, or the end.
  bool interrupted() const { return transport_->plain() && transport_->disturbed(); }
  // Why a wait failed: the deadline, or the peer.
  std::unexpected<base::Error> failure(std::string what) const;
  // Idle now: gives memory back.
  void rest();
  const Url& url() const { return url_; }

 private:
  using Endpoint = boost::asio::ip::tcp::endpoint;
  struct Lookup;
  runtime::Task<base::Result<std::vector<Endpoint>>> resolve();
  runtime::Task<base::Result<void>> connect_to(Endpoint endpoint);
  void expire();

  runtime::Executor executor_;
  base::Clock& clock_;
  const Url url_;  // scheme, host and port count
  std::optional<Transport> transport_;
  std::string buffer_;
  std::size_t at_ = 0;
  base::Timestamp deadline_ = base::Timestamp::max();
  std::optional<base::TimerId> timer_;
  bool expired_ = false;
  bool answered_ = false;
};

}  // namespace http
