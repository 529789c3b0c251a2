#include "lib/http/transport.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

namespace http {
namespace {

namespace asio = boost::asio;

Io send_parts(int fd, const Parts& parts) {
  std::array<iovec, std::tuple_size_v<Parts>> pieces;
  msghdr message{};
  message.msg_iov = pieces.data();
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    pieces[message.msg_iovlen++] = {const_cast<char*>(part.data()), part.size()};
  }
  if (message.msg_iovlen == 0) return {IoState::Done, 0};
  for (;;) {
    const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return {IoState::Done, static_cast<std::size_t>(sent)};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoState::WantWrite, 0};
    return {IoState::Failed, 0};
  }
}

void take(Parts& parts, std::size_t count) {
  for (std::string_view& part : parts) {
    const std::size_t taken = std::min(count, part.size());
    part.remove_prefix(taken);
    count -= taken;
  }
}

std::string_view first_of(const Parts& parts) {
  for (const std::string_view part : parts) {
    if (!part.empty()) return part;
  }
  return {};
}

}  // namespace

Transport::Transport(Socket socket, TlsSession tls)
    : socket_(std::move(socket)), tls_(std::move(tls)) {}

runtime::Task<Io> Transport::handshake() {
  if (!tls_) co_return Io{IoState::Done, 0};
  for (;;) {
    const Io io = tls_.handshake();
    if (io.state != IoState::WantRead && io.state != IoState::WantWrite) co_return io;
    if (!co_await wait(io.state)) co_return Io{IoState::Failed, 0};
  }
}

runtime::Task<Io> Transport::read_some(std::span<char> into) {
  if (!tls_) co_return outcome(co_await read_plain(into));
  for (;;) {
    const Io io = tls_.read(into);
    if (io.state != IoState::WantRead && io.state != IoState::WantWrite) co_return io;
    if (!co_await wait(io.state)) co_return Io{IoState::Failed, 0};
  }
}

runtime::Task<Transport::PlainRead> Transport::read_plain(std::span<char> into) {
  return socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                 asio::as_tuple(runtime::use_task));
}

Io Transport::outcome(const PlainRead& read) {
  const auto& [error, count] = read;
  if (!error) return {IoState::Done, count};
  return {error == asio::error::eof ? IoState::Eof : IoState::Failed, 0};
}

Io Transport::try_write(Parts& parts) {
  std::size_t total = 0;
  for (;;) {
    const std::string_view first = first_of(parts);
    if (first.empty()) return {IoState::Done, total};
    const Io io = tls_ ? tls_.write(first) : send_parts(socket_.native_handle(), parts);
    if (io.state != IoState::Done) return {io.state, total};
    take(parts, io.count);
    total += io.count;
  }
}

runtime::Task<bool> Transport::wait(IoState want) {
  boost::system::error_code error;
  const auto what = want == IoState::WantRead ? Socket::wait_read : Socket::wait_write;
  co_await socket_.async_wait(what, asio::redirect_error(runtime::use_task, error));
  co_return !error;
}

void Transport::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

std::size_t Transport::unread() const {
  int count = 0;
  const int fd = const_cast<Socket&>(socket_).native_handle();
  return ::ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

bool Transport::disturbed() const {
  char byte = 0;
  const int fd = const_cast<Socket&>(socket_).native_handle();
  const ssize_t got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool Transport::peer_gone() const {
  pollfd asked{const_cast<Socket&>(socket_).native_handle(), POLLRDHUP, 0};
  return ::poll(&asked, 1, 0) > 0;
}

void Transport::end_sending() {
  if (tls_) tls_.close_notify();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::close() {
  if (tls_) tls_.close_notify();
  // The session knows the socket by its number only, which the kernel is about to give away.
  tls_ = {};
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Transport::reset() {
  tls_ = {};  // without close_notify
  boost::system::error_code ignored;
  socket_.set_option(Socket::linger(true, 0), ignored);
  close();
}

}  // namespace http
