// NETLINK_ROUTE as far as the region's networks need it: requests are collected and sent in one
// call, which is what makes an interface a matter of milliseconds.
//
// A socket belongs to the network namespace that its maker was in, for ever. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

struct nlmsghdr;

namespace terrarium::host::linux_host {

// One request: a header of the family's own, then attributes.
class NetlinkMessage {
 public:
  NetlinkMessage(std::uint16_t type, std::uint16_t flags);

  // The family's header (ifinfomsg, rtmsg, ...), right after the netlink header; once.
  template <class Header>
  void header(const Header& value) {
    append(&value, sizeof value);
  }
  void attribute(std::uint16_t type, std::string_view bytes);
  void attribute(std::uint16_t type, std::uint32_t value);
  // With a terminating zero.
  void text(std::uint16_t type, const std::string& value);
  // A dotted IPv4 address, which the caller has checked.
  void address(std::uint16_t type, const std::string& dotted);
  std::size_t begin(std::uint16_t type);
  void end(std::size_t nest);
  // A header inside an attribute (a veth's peer is described by another ifinfomsg).
  void append(const void* bytes, std::size_t size);

  // The whole, with length and sequence number.
  std::string finish(std::uint32_t sequence) const;

 private:
  std::string bytes_;
};

// The attributes behind a header: calls `each` with type and payload of every well-formed one.
void for_each_attribute(
    std::string_view bytes,
    const std::function<void(std::uint16_t type, std::string_view payload)>& each);

// A request, and what the kernel may answer besides "done": an address that is there already, a
// route that has gone with its link.
struct NetlinkRequest {
  NetlinkMessage message;
  std::string doing;  // for the error
  std::vector<int> tolerated;
};

class NetlinkSocket {
 public:
  // In the calling thread's network namespace.
  static base::Result<NetlinkSocket> open();
  NetlinkSocket(NetlinkSocket&& other) noexcept;
  NetlinkSocket& operator=(NetlinkSocket&& other) noexcept;
  ~NetlinkSocket();

  // Carries out the requests in order; the first that fails is the result, and later ones have
  // been tried too.
  base::Result<void> run(std::span<const NetlinkRequest> requests);
  // Everything that the dump request yields, message by message: payload behind the netlink header.
  base::Result<void> dump(const NetlinkMessage& request,
                          const std::function<void(std::string_view payload)>& each);

 private:
  explicit NetlinkSocket(int fd) : fd_(fd) {}
  base::Result<void> run_some(std::span<const NetlinkRequest> requests);
  // Valid until the next call.
  base::Result<std::string_view> receive();

  int fd_ = -1;
  std::uint32_t sequence_ = 0;
  std::string buffer_;
};

}  // namespace terrarium::host::linux_host
