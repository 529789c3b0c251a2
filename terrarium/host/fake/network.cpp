#include "terrarium/host/fake/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "lib/http/owned_fd.h"

namespace terrarium::host {
namespace {

using base::Result;
using runtime::Task;

std::unexpected<base::Error> failure() {
  return base::fail(base::ErrorKind::Unavailable, "the fake network fails this call");
}

std::unexpected<base::Error> missing(const std::string& id) {
  return base::fail(base::ErrorKind::NotFound, "no network " + id);
}

Result<int> listen_on_loopback() {
  http::OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd.get() < 0 || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      ::listen(fd.get(), 16) != 0) {
    return base::fail_errno("cannot listen on 127.0.0.1", errno);
  }
  return fd.release();
}

}  // namespace

void FakeNetwork::fail_after(int calls, bool done) {
  fail_at_ = calls_ + calls;
  fail_done_ = done;
  failed_ = false;
}

FakeNetwork::Fate FakeNetwork::next_fate() {
  if (calls_++ != fail_at_) return Fate::Works;
  failed_ = true;
  return fail_done_ ? Fate::FailsAfter : Fate::FailsBefore;
}

const VpcSpec* FakeNetwork::vpc(const std::string& id) const {
  const auto found = vpcs_.find(id);
  return found == vpcs_.end() ? nullptr : &found->second;
}

Task<Result<void>> FakeNetwork::set_vpc(VpcSpec spec) {
  const Fate fate = next_fate();
  if (fate == Fate::FailsBefore) co_return failure();
  const std::string id = spec.id;
  vpcs_.insert_or_assign(id, std::move(spec));
  if (fate == Fate::FailsAfter) co_return failure();
  co_return Result<void>();
}

Task<Result<void>> FakeNetwork::remove_vpc(std::string vpc_id) {
  const Fate fate = next_fate();
  if (fate == Fate::FailsBefore) co_return failure();
  vpcs_.erase(vpc_id);
  if (fate == Fate::FailsAfter) co_return failure();
  co_return Result<void>();
}

Result<std::vector<std::string>> FakeNetwork::vpcs() const {
  std::vector<std::string> ids;
  for (const auto& [id, spec] : vpcs_) ids.push_back(id);
  return ids;
}

Task<Result<void>> FakeNetwork::add_isolated(std::string id) {
  const Fate fate = next_fate();
  if (fate == Fate::FailsBefore) co_return failure();
  isolated_.insert(id);
  if (fate == Fate::FailsAfter) co_return failure();
  co_return Result<void>();
}

Task<Result<void>> FakeNetwork::remove_isolated(std::string id) {
  const Fate fate = next_fate();
  if (fate == Fate::FailsBefore) co_return failure();
  isolated_.erase(id);
  if (fate == Fate::FailsAfter) co_return failure();
  co_return Result<void>();
}

std::filesystem::path FakeNetwork::namespace_path(const std::string& id) const {
  return "/fake/netns/" + id;
}

std::filesystem::path FakeNetwork::internet_namespace_path() const {
  return "/fake/netns/internet";
}

Result<int> FakeNetwork::listen_on_internet(std::string, std::uint16_t) {
  return listen_on_loopback();
}

Result<int> FakeNetwork::listen_in_vpc(const std::string& vpc_id, std::string, std::uint16_t) {
  if (vpc(vpc_id) == nullptr) return missing(vpc_id);
  return listen_on_loopback();
}

Result<int> FakeNetwork::listen_in_isolated(const std::string& id, std::string, std::uint16_t) {
  if (!isolated_.contains(id)) return missing(id);
  return listen_on_loopback();
}

Task<Result<void>> FakeNetwork::remove_all() {
  const Fate fate = next_fate();
  if (fate == Fate::FailsBefore) co_return failure();
  vpcs_.clear();
  isolated_.clear();
  if (fate == Fate::FailsAfter) co_return failure();
  co_return Result<void>();
}

}  // namespace terrarium::host
