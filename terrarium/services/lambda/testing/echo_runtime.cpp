// A custom runtime as small as it can be, for tests: answers every event with itself, and does a
// few things on request. Plain sockets, one connection, so that what a test measures is the
// service.
//
//   "sleep"   never answers             "exit"    ends with status 3
//   "crash"   aborts                    "eat"     takes all the memory there is
//   "fail"    reports an error          "look"    answers what it sees of its surroundings
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace {

struct Answer {
  std::string head;
  std::string body;
};

int connect_to_api() {
  const std::string api = std::getenv("AWS_LAMBDA_RUNTIME_API");
  const int port = std::atoi(api.substr(api.find(':') + 1).c_str());
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::exit(10);
  return fd;
}

std::string header(const std::string& head, const std::string& name) {
  const std::size_t at = head.find(name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t from = at + name.size() + 2;
  return head.substr(from, head.find('\r', from) - from);
}

Answer call(int fd, const std::string& request) {
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t put = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) std::exit(11);
    sent += static_cast<std::size_t>(put);
  }
  std::string read;
  char piece[65536];
  for (;;) {
    const std::size_t end = read.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::size_t length = std::strtoul(header(read, "Content-Length").c_str(), nullptr, 10);
      if (read.size() >= end + 4 + length) {
        return {read.substr(0, end + 2), read.substr(end + 4, length)};
      }
    }
    const ssize_t got = ::recv(fd, piece, sizeof piece, 0);
    if (got <= 0) std::exit(12);
    read.append(piece, static_cast<std::size_t>(got));
  }
}

std::string post(const std::string& id, const char* what, const std::string& body) {
  return "POST /2018-06-01/runtime/invocation/" + id + "/" + what +
         " HTTP/1.1\r\nHost: api\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// {uid, whether its code can be written, whether /tmp can, entries of /tmp before that}
std::string look() {
  const bool code = std::ofstream(std::string(std::getenv("LAMBDA_TASK_ROOT")) + "/x").good();
  const bool seen = ::access("/tmp/left-behind", F_OK) == 0;
  const bool scratch = std::ofstream("/tmp/left-behind").good();
  return "[" + std::to_string(::getuid()) + "," + std::to_string(code) + "," +
         std::to_string(scratch) + "," + std::to_string(seen) + "]";
}

void eat() {
  std::vector<char*> taken;
  for (;;) {
    constexpr std::size_t kPiece = 16 << 20;
    char* piece = static_cast<char*>(std::malloc(kPiece));
    if (piece == nullptr) std::abort();
    std::memset(piece, 1, kPiece);
    taken.push_back(piece);
  }
}

}  // namespace

int main() {
  const int fd = connect_to_api();
  for (;;) {
    const Answer event =
        call(fd, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: api\r\n\r\n");
    const std::string id = header(event.head, "Lambda-Runtime-Aws-Request-Id");
    if (id.empty()) return 13;
    std::string answer = event.body;
    if (answer == "\"sleep\"") ::pause();
    if (answer == "\"exit\"") return 3;
    if (answer == "\"crash\"") std::abort();
    if (answer == "\"eat\"") eat();
    if (answer == "\"look\"") answer = look();
    std::printf("got %zu bytes\n", event.body.size());
    std::fflush(stdout);
    const bool fails = answer == "\"fail\"";
    if (fails) answer = R"({"errorMessage":"asked to","errorType":"Asked"})";
    const Answer done = call(fd, post(id, fails ? "error" : "response", answer));
    if (done.head.find(" 202 ") == std::string::npos) return 14;
  }
}
