#include "terrarium/host/linux/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "lib/http/owned_fd.h"
#include "lib/runtime/blocking_pool.h"
#include "terrarium/host/linux/dns.h"
#include "terrarium/host/linux/internet.h"
#include "terrarium/host/linux/ipv4.h"
#include "terrarium/host/linux/network_names.h"
#include "terrarium/host/linux/network_plan.h"
#include "terrarium/host/linux/turns.h"
#include "terrarium/host/linux/vpc_router.h"
#include "terrarium/host/linux/vpc_rules.h"

namespace terrarium::host {
namespace {

namespace fs = std::filesystem;
using base::Result;
using linux_host::Internet;
using linux_host::NetworkNamespaces;
using linux_host::Turns;
using linux_host::VpcRouter;
using runtime::Task;

// Threads that enter namespaces: their own, so that no other call ever finds itself in one.
constexpr std::size_t kThreads = 2;
constexpr int kBacklog = 512;

Result<int> listening_socket(const std::string& address, std::uint16_t port) {
  http::OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  TRY(const std::uint32_t number, linux_host::parse_ipv4(address));
  at.sin_addr.s_addr = htonl(number);
  if (fd.get() < 0 || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return base::fail_errno("cannot listen on " + address + ":" + std::to_string(port), errno);
  }
  return fd.release();
}

class LinuxNetwork final : public Network {
 public:
  LinuxNetwork(base::Clock& clock, ProgramKeeper& programs, const LinuxNetworkOptions& options)
      : clock_(clock),
        programs_(programs),
        tag_(linux_host::region_tag(options.state)),
        state_(options.state / "network"),
        namespaces_(tag_),
        internet_turns_(clock) {}

  // On a thread that may block, in the internet's turn: what remove_all() took is made again.
  Result<void> open() {
    if (internet_) return {};
    std::error_code failure;
    fs::create_directories(state_ / "vpcs", failure);
    if (failure) return base::fail_errno("cannot make " + state_.string(), failure.value());
    TRY(internet_, Internet::open(namespaces_));
    return {};
  }

  Task<Result<void>> set_vpc(VpcSpec spec) override {
    const std::shared_ptr<Vpc> vpc = find(spec.id);
    CO_TRY(const Turns::Turn turn, co_await vpc->turns.wait());
    if (vpc->applied == spec) co_return Result<void>();
    vpc->applied.reset();
    CO_TRY_VOID(co_await open_internet());
    CO_TRY_VOID(co_await pool_.run([&] { return apply(*vpc, spec); }));
    CO_TRY_VOID(co_await set_names(spec));
    vpc->applied = std::move(spec);
    co_return Result<void>();
  }

  Task<Result<void>> remove_vpc(std::string vpc_id) override {
    if (!linux_host::is_plain_id(vpc_id)) co_return Result<void>();
    const std::shared_ptr<Vpc> vpc = find(vpc_id);
    CO_TRY(const Turns::Turn turn, co_await vpc->turns.wait());
    vpc->applied.reset();
    co_await programs_.stop(linux_host::dns_program_name(vpc_id));
    CO_TRY_VOID(co_await open_internet());
    co_return co_await pool_.run([&] { return remove(*vpc, vpc_id); });
  }

  Result<std::vector<std::string>> vpcs() const override {
    std::vector<std::string> ids;
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(state_ / "vpcs", failure)) {
      const std::string id = entry.path().filename();
      if (namespaces_.exists(id)) ids.push_back(id);
    }
    if (failure) return base::fail_errno("cannot read " + state_.string(), failure.value());
    std::ranges::sort(ids);
    return ids;
  }

  Task<Result<void>> add_isolated(std::string id) override {
    if (!linux_host::is_plain_id(id)) {
      co_return base::fail(base::ErrorKind::InvalidInput, "'" + id + "' names no namespace.");
    }
    CO_TRY_VOID(co_await open_internet());
    CO_TRY_VOID(
        co_await serve_names(std::string(linux_host::kInternetId), {std::string(kApiAddress)}, ""));
    CO_TRY(const Turns::Turn turn, co_await internet_turns_.wait());
    co_return co_await pool_.run([&] { return internet_->add_isolated(id); });
  }

  Task<Result<void>> remove_isolated(std::string id) override {
    if (!linux_host::is_plain_id(id)) co_return Result<void>();
    CO_TRY_VOID(co_await open_internet());
    CO_TRY(const Turns::Turn turn, co_await internet_turns_.wait());
    co_return co_await pool_.run([&] { return internet_->remove_isolated(id); });
  }

  fs::path namespace_path(const std::string& id) const override { return namespaces_.path(id); }
  fs::path internet_namespace_path() const override {
    return namespaces_.path(std::string(linux_host::kInternetId));
  }

  Result<int> listen_on_internet(std::string address, std::uint16_t port) override {
    return listen_in(std::string(linux_host::kInternetId), address, port);
  }
  Result<int> listen_in_vpc(const std::string& vpc_id, std::string address,
                            std::uint16_t port) override {
    return listen_in(vpc_id, address, port);
  }
  Result<int> listen_in_isolated(const std::string& id, std::string address,
                                 std::uint16_t port) override {
    return listen_in(id, address, port);
  }

  Task<Result<void>> remove_all() override {
    std::vector<std::string> ids;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(state_ / "vpcs", none)) {
      ids.push_back(entry.path().filename());
    }
    for (const std::string& id : ids) CO_TRY_VOID(co_await remove_vpc(id));
    co_await programs_.stop(linux_host::dns_program_name(std::string(linux_host::kInternetId)));
    CO_TRY(const Turns::Turn turn, co_await internet_turns_.wait());
    co_return co_await pool_.run([this] { return remove_rest(); });
  }

 private:
  struct Vpc {
    explicit Vpc(base::Clock& clock) : turns(clock) {}
    Turns turns;
    std::unique_ptr<VpcRouter> router;
    std::optional<VpcSpec> applied;
  };

  std::shared_ptr<Vpc> find(const std::string& id) {
    std::shared_ptr<Vpc>& vpc = vpcs_[id];
    if (!vpc) vpc = std::make_shared<Vpc>(clock_);
    return vpc;
  }

  Task<Result<void>> open_internet() {
    if (internet_) co_return Result<void>();
    CO_TRY(const Turns::Turn turn, co_await internet_turns_.wait());
    co_return co_await pool_.run([this] { return open(); });
  }

  // Blocks.
  Result<void> apply(Vpc& vpc, const VpcSpec& spec) {
    TRY(const linux_host::RouterState wanted, linux_host::desired_state(spec));
    TRY(const linux_host::NftRuleset rules, linux_host::vpc_rules(spec));
    TRY_VOID(open_router(vpc, spec.id));
    return vpc.router->apply(wanted, rules);
  }

  Result<void> open_router(Vpc& vpc, const std::string& id) {
    if (vpc.router) return {};
    TRY(vpc.router, VpcRouter::open(namespaces_, *internet_, id, state_ / "vpcs" / id));
    return {};
  }

  // Blocks.
  Result<void> remove(Vpc& vpc, const std::string& id) {
    const fs::path files = state_ / "vpcs" / id;
    std::error_code none;
    if (!namespaces_.exists(id) && !fs::exists(files, none)) return {};
    TRY_VOID(open_router(vpc, id));
    TRY_VOID(vpc.router->remove());
    vpc.router.reset();
    fs::remove_all(names_folder(id), none);
    return {};
  }

  fs::path names_folder(const std::string& id) const { return fs::path("/run") / tag_ / id; }

  Task<Result<void>> set_names(const VpcSpec& spec) {
    if (!spec.dns) {
      co_await programs_.stop(linux_host::dns_program_name(spec.id));
      co_return Result<void>();
    }
    CO_TRY(std::string hosts, linux_host::dns_hosts_text(spec.dns_names));
    CO_TRY(const linux_host::Ipv4Range range, linux_host::parse_ipv4_range(spec.cidrs[0]));
    co_return co_await serve_names(
        spec.id, {linux_host::ipv4_text(range.first + 2), std::string(kDnsAddress)},
        std::move(hosts));
  }

  Task<Result<void>> serve_names(std::string id, std::vector<std::string> listen,
                                 std::string hosts) {
    CO_TRY(const fs::path configuration, co_await pool_.run([&] {
      return linux_host::write_dns_files(names_folder(id), listen, hosts);
    }));
    co_return co_await programs_.start(
        linux_host::dns_program(id, namespaces_.path(id), configuration));
  }

  // What no VPC owns: isolated namespaces, the internet, and what a state folder forgot. Blocks.
  Result<void> remove_rest() {
    internet_.reset();
    for (const std::string& id : namespaces_.list()) {
      namespaces_.kill_inside(id);
      TRY_VOID(namespaces_.remove(id));
    }
    std::error_code failure;
    fs::remove_all(fs::path("/run") / tag_, failure);
    if (!failure) fs::remove_all(state_, failure);
    if (failure) return base::fail_errno("cannot remove the networks' files", failure.value());
    return {};
  }

  Result<int> listen_in(const std::string& id, const std::string& address, std::uint16_t port) {
    int listening = -1;
    TRY_VOID(namespaces_.enter(id, [&]() -> Result<void> {
      TRY(listening, listening_socket(address, port));
      return {};
    }));
    return listening;
  }

  base::Clock& clock_;
  ProgramKeeper& programs_;
  std::string tag_;
  fs::path state_;
  NetworkNamespaces namespaces_;
  std::unique_ptr<Internet> internet_;
  Turns internet_turns_;
  std::map<std::string, std::shared_ptr<Vpc>> vpcs_;
  runtime::BlockingPool pool_{kThreads};
};

}  // namespace

Result<std::unique_ptr<Network>> open_linux_network(base::Clock& clock, ProgramKeeper& programs,
                                                    LinuxNetworkOptions options) {
  if (::geteuid() != 0) {
    return base::fail(base::ErrorKind::Denied,
                      "Networks need root: the daemon runs as another user.");
  }
  auto network = std::make_unique<LinuxNetwork>(clock, programs, options);
  if (auto opened = network->open(); !opened) {
    return std::unexpected(base::wrap(std::move(opened).error(), "opening the region's networks"));
  }
  return network;
}

}  // namespace terrarium::host
