// exec, ssh and enter: programs inside the region's networks.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "terrarium/cli/commands.h"
#include "terrarium/cli/control_client.h"

namespace terrarium::cli {
namespace {

using namespace std::chrono_literals;
using boost::json::object;

constexpr const char* kLoginUser = "ec2-user";
constexpr int kInheritedFd = 3;

std::string member(const object& from, std::string_view name) {
  const auto* const value = from.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

base::Result<object> region_status(const Options& options) {
  TRY(const boost::json::value answer, call_control(options, "GET", "status", nullptr, 5s));
  if (!answer.is_object()) {
    return base::fail(base::ErrorKind::Internal, "the daemon's status is no object");
  }
  return answer.as_object();
}

// Returns only when it failed.
int become_in(const std::string& path, const std::vector<std::string>& words) {
  const int name_space = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (name_space < 0 || ::setns(name_space, CLONE_NEWNET) != 0) {
    std::fprintf(stderr, "error: cannot enter %s: %s\n", path.c_str(), std::strerror(errno));
    return 1;
  }
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  std::fprintf(stderr, "error: cannot run %s: %s\n", argv[0], std::strerror(errno));
  return 127;
}

int become_inside(const object& status, const std::vector<std::string>& words) {
  const std::string path = member(status, "internet namespace");
  if (path.empty()) {
    std::fprintf(stderr, "error: the region has no network of its own (it does not run as root)\n");
    return 1;
  }
  return become_in(path, words);
}

// A listening socket on the machine's loopback, as descriptor kInheritedFd; false when it failed.
bool listen_on_loopback(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
         ::listen(listener, SOMAXCONN) == 0 &&
         (listener == kInheritedFd || ::dup2(listener, kInheritedFd) == kInheritedFd);
}

std::vector<object> rows_of(const object& from, std::string_view name) {
  std::vector<object> rows;
  const auto* const value = from.if_contains(name);
  if (value == nullptr || !value->is_array()) return rows;
  for (const auto& row : value->as_array()) {
    if (row.is_object()) rows.push_back(row.as_object());
  }
  return rows;
}

// Each with its "vpc".
std::vector<object> running_instances(const object& status) {
  std::vector<object> running;
  for (const object& vpc : rows_of(status, "vpcs")) {
    for (const object& subnet : rows_of(vpc, "subnets")) {
      for (object& one : rows_of(subnet, "members")) {
        if (member(one, "instance").empty() || member(one, "state") != "running") continue;
        one["vpc"] = member(vpc, "vpc");
        running.push_back(std::move(one));
      }
    }
  }
  return running;
}

const object* find_instance(const std::vector<object>& instances, const std::string& wanted) {
  for (const object& one : instances) {
    if (member(one, "instance") == wanted || member(one, "name") == wanted) return &one;
  }
  return nullptr;
}

// The way in, as an operator goes: an instance of the VPC that the internet reaches, one that is
// called bastion before any other.
const object* find_bastion(const std::vector<object>& instances, const object& target) {
  const object* found = nullptr;
  for (const object& one : instances) {
    if (member(one, "vpc") != member(target, "vpc") || member(one, "public address").empty()) {
      continue;
    }
    const bool named = member(one, "name").find("bastion") != std::string::npos;
    if (named) return &one;
    if (found == nullptr) found = &one;
  }
  return found;
}

}  // namespace

int exec_inside(const Options& options, const std::vector<std::string>& argv) {
  const auto status = region_status(options);
  if (!status.has_value()) {
    std::fprintf(stderr, "error: %s\n", status.error().message.c_str());
    return 1;
  }
  return become_inside(*status, argv);
}

int enter(std::uint16_t port, const std::string& network_namespace,
          const std::vector<std::string>& argv) {
  if (!listen_on_loopback(port)) {
    std::fprintf(stderr, "error: cannot listen on 127.0.0.1:%u: %s\n", port, std::strerror(errno));
    return 1;
  }
  return become_in(network_namespace, argv);
}

int ssh(const Options& options, const Ssh& wanted) {
  const auto status = region_status(options);
  if (!status.has_value()) {
    std::fprintf(stderr, "error: %s\n", status.error().message.c_str());
    return 1;
  }
  const std::vector<object> instances = running_instances(*status);
  const object* const target = find_instance(instances, wanted.instance);
  if (target == nullptr) {
    std::fprintf(stderr, "error: no instance '%s' runs; `terrarium status` shows those that do\n",
                 wanted.instance.c_str());
    return 1;
  }
  // Host keys are new with every instance, and addresses are given again.
  std::vector<std::string> words{"ssh", "-A",
                                 "-o",  "StrictHostKeyChecking=no",
                                 "-o",  "UserKnownHostsFile=/dev/null",
                                 "-o",  "LogLevel=ERROR"};
  if (!wanted.key.empty()) words.insert(words.end(), {"-i", wanted.key});
  const std::string public_address = member(*target, "public address");
  std::string host = public_address;
  if (public_address.empty()) {
    const object* const bastion = find_bastion(instances, *target);
    if (bastion == nullptr) {
      std::fprintf(stderr, "error: %s has no public address, and its VPC no bastion\n",
                   wanted.instance.c_str());
      return 1;
    }
    host = member(*target, "private address");
    std::string hop;
    for (const std::string& word : words) hop += word + " ";
    words.insert(words.end(), {"-o", "ProxyCommand=" + hop + "-W %h:%p " + kLoginUser + "@" +
                                         member(*bastion, "public address")});
  }
  words.push_back(std::string(kLoginUser) + "@" + host);
  words.insert(words.end(), wanted.command.begin(), wanted.command.end());
  return become_inside(*status, words);
}

}  // namespace terrarium::cli
