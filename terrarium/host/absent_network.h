// The network of a daemon that may not make one (it is not root): nothing is there, and everything
// is refused with the reason.
#pragma once

#include <string>
#include <utility>

#include "terrarium/host/network.h"

namespace terrarium::host {

class AbsentNetwork final : public Network {
 public:
  explicit AbsentNetwork(base::Error reason) : reason_(std::move(reason)) {}

  runtime::Task<base::Result<void>> set_vpc(VpcSpec) override { co_return refused(); }
  runtime::Task<base::Result<void>> remove_vpc(std::string) override {
    co_return base::Result<void>();
  }
  base::Result<std::vector<std::string>> vpcs() const override {
    return std::vector<std::string>();
  }
  runtime::Task<base::Result<void>> add_isolated(std::string) override { co_return refused(); }
  runtime::Task<base::Result<void>> remove_isolated(std::string) override {
    co_return base::Result<void>();
  }
  std::filesystem::path namespace_path(const std::string&) const override { return {}; }
  std::filesystem::path internet_namespace_path() const override { return {}; }
  base::Result<int> listen_on_internet(std::string, std::uint16_t) override { return refused(); }
  base::Result<int> listen_in_vpc(const std::string&, std::string, std::uint16_t) override {
    return refused();
  }
  base::Result<int> listen_in_isolated(const std::string&, std::string, std::uint16_t) override {
    return refused();
  }
  runtime::Task<base::Result<void>> remove_all() override { co_return base::Result<void>(); }

 private:
  std::unexpected<base::Error> refused() const { return std::unexpected(reason_); }

  base::Error reason_;
};

}  // namespace terrarium::host
