// Real traffic inside network namespaces, for tests: a server that says who asked, and what asking
// it from somewhere leads to. Every wait is short and bounded.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

namespace terrarium::host::testing_network {

namespace fs = std::filesystem;

// Answers every TCP connection with the peer's address and stays connected: each line that comes is
// sent back. Runs until destroyed.
class Echo {
 public:
  // Listens inside `network` at every address.
  Echo(const fs::path& network, std::uint16_t port);
  // Takes over a listening socket.
  explicit Echo(int listening);
  ~Echo();
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;

 private:
  void serve();

  int listening_ = -1;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// The peer's address as the server saw it; or "refused", "timeout", "unreachable".
std::string ask(const fs::path& network, const std::string& address, std::uint16_t port);

// A connection that stays open.
class Connection {
 public:
  Connection(const fs::path& network, const std::string& address, std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  bool open() const { return fd_ >= 0; }
  // A line goes there and comes back.
  bool works();

 private:
  int fd_ = -1;
};

// Sends a UDP datagram with any source address, from inside `network` (as root, by a raw socket).
void send_spoofed(const fs::path& network, const std::string& source, const std::string& address,
                  std::uint16_t port);
// A UDP socket inside `network` that counts what arrives within a moment.
class UdpSink {
 public:
  UdpSink(const fs::path& network, std::uint16_t port);
  ~UdpSink();
  UdpSink(const UdpSink&) = delete;
  UdpSink& operator=(const UdpSink&) = delete;
  // The next datagram's source address, or "timeout".
  std::string next();

 private:
  int fd_ = -1;
};

// Datagrams there and back between two namespaces, one at a time, for measuring.
class UdpTrip {
 public:
  UdpTrip(const fs::path& from, const fs::path& to, const std::string& address);
  ~UdpTrip();
  UdpTrip(const UdpTrip&) = delete;
  UdpTrip& operator=(const UdpTrip&) = delete;
  // False when one was lost.
  bool run(int packets);

 private:
  int near_ = -1;
  int far_ = -1;
};

// Asks the name server: the first answer's address (A) or name (PTR, for type 12), "no such name",
// "no answer".
std::string resolve(const fs::path& network, const std::string& server, const std::string& name,
                    std::uint16_t type = 1);

}  // namespace terrarium::host::testing_network
