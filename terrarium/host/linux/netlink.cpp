#include "terrarium/host/linux/netlink.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "lib/base/check.h"

namespace terrarium::host::linux_host {
namespace {

// Requests in one call: their acknowledgements must fit the socket's receive buffer.
constexpr std::size_t kBatchMax = 64;
// The kernel fills at most 32 KiB at once.
constexpr std::size_t kReceiveBytes = 64 * 1024;
// The kernel answers at once; whatever takes longer is broken.
constexpr timeval kAnswerTimeout{.tv_sec = 10, .tv_usec = 0};

std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

}  // namespace

NetlinkMessage::NetlinkMessage(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr head{};
  head.nlmsg_type = type;
  head.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  append(&head, sizeof head);
}

void NetlinkMessage::append(const void* bytes, std::size_t size) {
  bytes_.append(static_cast<const char*>(bytes), size);
  bytes_.resize(aligned(bytes_.size()), '\0');
}

void NetlinkMessage::attribute(std::uint16_t type, std::string_view bytes) {
  const nlattr head{.nla_len = static_cast<std::uint16_t>(sizeof(nlattr) + bytes.size()),
                    .nla_type = type};
  append(&head, sizeof head);
  append(bytes.data(), bytes.size());
}

void NetlinkMessage::attribute(std::uint16_t type, std::uint32_t value) {
  attribute(type, std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
}

void NetlinkMessage::text(std::uint16_t type, const std::string& value) {
  attribute(type, std::string_view(value.c_str(), value.size() + 1));
}

void NetlinkMessage::address(std::uint16_t type, const std::string& dotted) {
  in_addr parsed{};
  CHECK(::inet_pton(AF_INET, dotted.c_str(), &parsed) == 1, "the plan checked every address");
  attribute(type, std::uint32_t{parsed.s_addr});
}

std::size_t NetlinkMessage::begin(std::uint16_t type) {
  const std::size_t nest = bytes_.size();
  attribute(type, std::string_view());
  return nest;
}

void NetlinkMessage::end(std::size_t nest) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - nest);
  std::memcpy(bytes_.data() + nest, &length, sizeof length);
}

std::string NetlinkMessage::finish(std::uint32_t sequence) const {
  std::string whole = bytes_;
  nlmsghdr head{};
  std::memcpy(&head, whole.data(), sizeof head);
  head.nlmsg_len = static_cast<std::uint32_t>(whole.size());
  head.nlmsg_seq = sequence;
  std::memcpy(whole.data(), &head, sizeof head);
  return whole;
}

void for_each_attribute(
    std::string_view bytes,
    const std::function<void(std::uint16_t type, std::string_view payload)>& each) {
  nlattr head{};
  while (bytes.size() >= sizeof head) {
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.nla_len < sizeof head || head.nla_len > bytes.size()) return;
    each(head.nla_type & NLA_TYPE_MASK, bytes.substr(sizeof head, head.nla_len - sizeof head));
    bytes.remove_prefix(std::min(aligned(head.nla_len), bytes.size()));
  }
}

base::Result<NetlinkSocket> NetlinkSocket::open() {
  NetlinkSocket made(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (made.fd_ < 0) return base::fail_errno("cannot open a netlink socket", errno);
  const int bytes = 1024 * 1024;
  const int on = 1;
  ::setsockopt(made.fd_, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  ::setsockopt(made.fd_, SOL_SOCKET, SO_RCVTIMEO, &kAnswerTimeout, sizeof kAnswerTimeout);
  // An error repeats only the header of what failed.
  ::setsockopt(made.fd_, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  // Dumps filter by what the request names (a table, a link) instead of yielding everything.
  ::setsockopt(made.fd_, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  sockaddr_nl self{};
  self.nl_family = AF_NETLINK;
  if (::bind(made.fd_, reinterpret_cast<const sockaddr*>(&self), sizeof self) != 0) {
    return base::fail_errno("cannot bind a netlink socket", errno);
  }
  return made;
}

NetlinkSocket::NetlinkSocket(NetlinkSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      sequence_(other.sequence_),
      buffer_(std::move(other.buffer_)) {}

NetlinkSocket& NetlinkSocket::operator=(NetlinkSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(sequence_, other.sequence_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

NetlinkSocket::~NetlinkSocket() {
  if (fd_ >= 0) ::close(fd_);
}

base::Result<std::string_view> NetlinkSocket::receive() {
  buffer_.resize(kReceiveBytes);
  for (;;) {
    const ssize_t got = ::recv(fd_, buffer_.data(), buffer_.size(), MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno("the kernel's answer to a netlink request", errno);
    const auto size = static_cast<std::size_t>(got);
    if (size > buffer_.size()) return base::fail_errno("a netlink answer", EMSGSIZE);
    return std::string_view(buffer_).substr(0, size);
  }
}

base::Result<void> NetlinkSocket::run(std::span<const NetlinkRequest> requests) {
  base::Result<void> first;
  while (!requests.empty()) {
    const std::size_t count = std::min(requests.size(), kBatchMax);
    auto done = run_some(requests.first(count));
    if (!done && first) first = std::move(done);
    requests = requests.subspan(count);
  }
  return first;
}

base::Result<void> NetlinkSocket::run_some(std::span<const NetlinkRequest> requests) {
  std::string batch;
  const std::uint32_t base_sequence = sequence_ + 1;
  for (const NetlinkRequest& request : requests) batch += request.message.finish(++sequence_);
  if (::send(fd_, batch.data(), batch.size(), 0) != static_cast<ssize_t>(batch.size())) {
    return base::fail_errno("cannot send " + std::to_string(requests.size()) + " netlink requests",
                            errno);
  }
  base::Result<void> first;
  std::size_t answered = 0;
  while (answered < requests.size()) {
    TRY(std::string_view rest, receive());
    nlmsghdr head{};
    while (rest.size() >= sizeof head + sizeof(int)) {
      std::memcpy(&head, rest.data(), sizeof head);
      if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.size()) break;
      const std::uint32_t index = head.nlmsg_seq - base_sequence;
      if (head.nlmsg_type == NLMSG_ERROR && index < requests.size()) {
        ++answered;
        int code = 0;
        std::memcpy(&code, rest.data() + sizeof head, sizeof code);
        const NetlinkRequest& request = requests[index];
        if (code != 0 && first &&
            std::ranges::find(request.tolerated, -code) == request.tolerated.end()) {
          first = base::fail_errno(request.doing, -code);
        }
      }
      rest.remove_prefix(std::min(aligned(head.nlmsg_len), rest.size()));
    }
  }
  return first;
}

base::Result<void> NetlinkSocket::dump(const NetlinkMessage& request,
                                       const std::function<void(std::string_view payload)>& each) {
  const std::string bytes = request.finish(++sequence_);
  if (::send(fd_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return base::fail_errno("cannot send a netlink dump request", errno);
  }
  for (;;) {
    TRY(std::string_view rest, receive());
    nlmsghdr head{};
    while (rest.size() >= sizeof head) {
      std::memcpy(&head, rest.data(), sizeof head);
      if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.size()) break;
      const std::string_view payload = rest.substr(sizeof head, head.nlmsg_len - sizeof head);
      rest.remove_prefix(std::min(aligned(head.nlmsg_len), rest.size()));
      if (head.nlmsg_seq != sequence_) continue;
      if (head.nlmsg_type == NLMSG_DONE) return {};
      if (head.nlmsg_type == NLMSG_ERROR) {
        int code = EPROTO;
        if (payload.size() >= sizeof code) std::memcpy(&code, payload.data(), sizeof code);
        if (code == 0) return {};  // the acknowledgement behind a single answer
        return base::fail_errno("a netlink dump", -code);
      }
      each(payload);
    }
  }
}

}  // namespace terrarium::host::linux_host
