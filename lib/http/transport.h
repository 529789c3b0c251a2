// A connected TCP socket, with TLS or without: what server and client send and receive through.
// Lives on one executor; no timers of its own. Includes Asio's sockets: internal to lib/http.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>

#include <array>
#include <span>
#include <string_view>
#include <tuple>

#include "lib/http/tls.h"
#include "lib/runtime/task.h"

namespace http {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, runtime::Executor>;
// What is still to be sent, in order; sending takes from the front.
using Parts = std::array<std::string_view, 3>;

class Transport {
 public:
  // The socket is connected and non-blocking.
  Transport(Socket socket, TlsSession tls);

  runtime::Task<Io> handshake();
  // Waits for bytes: Done with count > 0, Eof or Failed.
  runtime::Task<Io> read_some(std::span<char> into);
  // The same without TLS and without a coroutine of our own in between, which a small request
  // would notice.
  using PlainRead = std::tuple<boost::system::error_code, std::size_t>;
  runtime::Task<PlainRead> read_plain(std::span<char> into);
  static Io outcome(const PlainRead& read);
  // Sends what goes at once and takes it off `parts`: Done when nothing is left.
  Io try_write(Parts& parts);
  // Waits until the socket is ready for what `want` says; false when cancelled or broken.
  runtime::Task<bool> wait(IoState want);

  bool plain() const { return !tls_; }
  Socket& socket() { return socket_; }
  void secure(TlsSession tls) { tls_ = std::move(tls); }
  const TlsSession& tls() const { return tls_; }
  // Everything waiting ends as Failed.
  void cancel();
  // Bytes that the kernel has received and nobody has read.
  std::size_t unread() const;
  // True when the peer closed or sent something: an idle connection that is not idle any more.
  bool disturbed() const;
  // The peer has closed, half or whole, or the connection broke, whether or not there are bytes
  // left to read. From any thread, while the socket is open.
  bool peer_gone() const;
  // No more will be sent; the peer reads to the end.
  void end_sending();
  // Ends both directions; the peer reads a proper end when nothing it sent was left unread.
  void close();
  // Closes so that the peer sees an error, never a proper end.
  void reset();

 private:
  Socket socket_;
  TlsSession tls_;
};

}  // namespace http
