#include "terrarium/host/linux/testing/traffic.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <vector>

namespace terrarium::host::testing_network {
namespace {

// A dropped packet is told from a slow answer by this.
constexpr int kPatienceMs = 700;

// On a thread of its own, which ends inside the namespace.
void inside(const fs::path& network, const std::function<void()>& work) {
  std::thread([&] {
    const int fd = ::open(network.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && ::setns(fd, CLONE_NEWNET) == 0) work();
    if (fd >= 0) ::close(fd);
  }).join();
}

int socket_inside(const fs::path& network, int type, int protocol = 0) {
  int fd = -1;
  inside(network, [&] { fd = ::socket(AF_INET, type | SOCK_CLOEXEC, protocol); });
  return fd;
}

sockaddr_in at(const std::string& address, std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &where.sin_addr);
  return where;
}

const sockaddr* generic(const sockaddr_in& where) {
  return reinterpret_cast<const sockaddr*>(&where);
}

bool readable(int fd, int milliseconds) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, milliseconds) == 1;
}

std::string read_line(int fd) {
  std::string line;
  char byte = 0;
  while (readable(fd, kPatienceMs) && ::recv(fd, &byte, 1, 0) == 1 && byte != '\n') line += byte;
  return line;
}

// 0, or errno of what went wrong.
int connect_within(int fd, const sockaddr_in& where) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  if (::connect(fd, generic(where), sizeof where) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
  if (::poll(&waiting, 1, kPatienceMs) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

void echo_lines(int fd) {
  std::array<char, 256> bytes{};
  const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
  if (got > 0) ::send(fd, bytes.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
}

}  // namespace

Echo::Echo(const fs::path& network, std::uint16_t port)
    : listening_(socket_inside(network, SOCK_STREAM)) {
  const int on = 1;
  const sockaddr_in where = at("0.0.0.0", port);
  ::setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::bind(listening_, generic(where), sizeof where);
  ::listen(listening_, 64);
  thread_ = std::thread([this] { serve(); });
}

Echo::Echo(int listening) : listening_(listening) {
  thread_ = std::thread([this] { serve(); });
}

Echo::~Echo() {
  stopping_ = true;
  thread_.join();
  ::close(listening_);
}

void Echo::serve() {
  std::vector<pollfd> open{{.fd = listening_, .events = POLLIN, .revents = 0}};
  while (!stopping_) {
    if (::poll(open.data(), open.size(), 20) <= 0) continue;
    for (std::size_t i = open.size(); i-- > 1;) {
      if (open[i].revents & POLLIN) echo_lines(open[i].fd);
      if (open[i].revents & (POLLHUP | POLLERR)) {
        ::close(open[i].fd);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    if (!(open[0].revents & POLLIN)) continue;
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const int fd = ::accept4(listening_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC);
    if (fd < 0) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const std::string hello =
        std::string(::inet_ntop(AF_INET, &peer.sin_addr, text.data(), text.size())) + "\n";
    ::send(fd, hello.data(), hello.size(), MSG_NOSIGNAL);
    open.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  }
  for (std::size_t i = 1; i < open.size(); ++i) ::close(open[i].fd);
}

std::string ask(const fs::path& network, const std::string& address, std::uint16_t port) {
  const int fd = socket_inside(network, SOCK_STREAM);
  if (fd < 0) return "no namespace";
  const int error = connect_within(fd, at(address, port));
  const std::string answer = error == 0 ? read_line(fd) : "";
  ::close(fd);
  switch (error) {
    case 0: return answer.empty() ? "silence" : answer;
    case ECONNREFUSED: return "refused";
    case ETIMEDOUT: return "timeout";
    case ENETUNREACH:
    case EHOSTUNREACH: return "unreachable";
    default: return ::strerrordesc_np(error);
  }
}

Connection::Connection(const fs::path& network, const std::string& address, std::uint16_t port)
    : fd_(socket_inside(network, SOCK_STREAM)) {
  if (connect_within(fd_, at(address, port)) == 0 && !read_line(fd_).empty()) return;
  ::close(fd_);
  fd_ = -1;
}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

bool Connection::works() {
  const std::string_view text = "hello\n";
  return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()) &&
         read_line(fd_) == "hello";
}

void send_spoofed(const fs::path& network, const std::string& source, const std::string& address,
                  std::uint16_t port) {
  struct Packet {
    iphdr ip{};
    udphdr udp{};
    char text[4] = "hi";
  } packet;
  packet.ip.version = 4;
  packet.ip.ihl = 5;
  packet.ip.ttl = 64;
  packet.ip.protocol = IPPROTO_UDP;
  packet.ip.tot_len = htons(sizeof packet);
  packet.ip.saddr = at(source, 0).sin_addr.s_addr;
  packet.ip.daddr = at(address, 0).sin_addr.s_addr;
  packet.udp.source = htons(9);
  packet.udp.dest = htons(port);
  packet.udp.len = htons(sizeof packet.udp + sizeof packet.text);
  const int fd = socket_inside(network, SOCK_RAW, IPPROTO_RAW);
  const sockaddr_in where = at(address, 0);
  ::sendto(fd, &packet, sizeof packet, 0, generic(where), sizeof where);
  ::close(fd);
}

UdpSink::UdpSink(const fs::path& network, std::uint16_t port)
    : fd_(socket_inside(network, SOCK_DGRAM)) {
  const sockaddr_in where = at("0.0.0.0", port);
  ::bind(fd_, generic(where), sizeof where);
}

UdpSink::~UdpSink() { ::close(fd_); }

std::string UdpSink::next() {
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  char byte = 0;
  if (!readable(fd_, kPatienceMs) ||
      ::recvfrom(fd_, &byte, 1, 0, reinterpret_cast<sockaddr*>(&peer), &size) < 0) {
    return "timeout";
  }
  std::array<char, INET_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET, &peer.sin_addr, text.data(), text.size());
}

// Both ends on the caller's thread: what is measured is the way, not two threads' scheduling.
UdpTrip::UdpTrip(const fs::path& from, const fs::path& to, const std::string& address)
    : near_(socket_inside(from, SOCK_DGRAM)), far_(socket_inside(to, SOCK_DGRAM)) {
  const sockaddr_in any = at("0.0.0.0", 6000);
  const sockaddr_in where = at(address, 6000);
  ::bind(far_, generic(any), sizeof any);
  ::connect(near_, generic(where), sizeof where);
}

UdpTrip::~UdpTrip() {
  ::close(near_);
  ::close(far_);
}

bool UdpTrip::run(int packets) {
  for (int i = 0; i < packets; ++i) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    char byte = 'x';
    ::send(near_, &byte, 1, 0);
    if (!readable(far_, kPatienceMs) ||
        ::recvfrom(far_, &byte, 1, 0, reinterpret_cast<sockaddr*>(&peer), &size) != 1) {
      return false;
    }
    ::sendto(far_, &byte, 1, 0, generic(peer), size);
    if (!readable(near_, kPatienceMs) || ::recv(near_, &byte, 1, 0) != 1) return false;
  }
  return true;
}

std::string resolve(const fs::path& network, const std::string& server, const std::string& name,
                    std::uint16_t type) {
  std::string question("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    question += static_cast<char>(end - begin);
    question += name.substr(begin, end - begin);
    begin = end + 1;
  }
  question += std::string({'\0', '\0', static_cast<char>(type), '\0', '\1'});
  const int fd = socket_inside(network, SOCK_DGRAM);
  std::array<char, 512> answer{};
  ssize_t got = 0;
  const sockaddr_in where = at(server, 53);
  // A name server that is just starting misses the first datagrams.
  for (int attempt = 0; attempt < 5 && got <= 0; ++attempt) {
    ::sendto(fd, question.data(), question.size(), 0, generic(where), sizeof where);
    if (readable(fd, kPatienceMs)) got = ::recv(fd, answer.data(), answer.size(), 0);
    if (got <= 0) ::usleep(50'000);
  }
  ::close(fd);
  if (got < 12) return "no answer";
  if ((answer[3] & 15) == 3) return "no such name";
  const std::size_t data = question.size() + 12;
  if (answer[7] == 0 || static_cast<std::size_t>(got) < data + 4) return "no such record";
  if (type == 12) {
    std::string text;
    for (std::size_t i = data; i < answer.size() && answer[i] != 0; i += 1 + answer[i]) {
      text += (text.empty() ? "" : ".") + std::string(&answer[i + 1], answer[i]);
    }
    return text;
  }
  std::array<char, INET_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET, &answer[data], text.data(), text.size());
}

}  // namespace terrarium::host::testing_network
