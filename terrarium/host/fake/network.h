// host::Network for simulations: keeps what it was told, makes nothing, and fails when it should.
// Rules and routes are the Linux implementation's to obey; a test that needs traffic needs a
// kernel.
#pragma once

#include <map>
#include <set>
#include <string>

#include "terrarium/host/network.h"

namespace terrarium::host {

class FakeNetwork final : public Network {
 public:
  // The call that comes after `calls` others fails once, having done nothing; `done`: having done
  // all, as when a daemon dies before it hears of it.
  void fail_after(int calls, bool done = false);
  bool failed() const { return failed_; }

  // Null: none.
  const VpcSpec* vpc(const std::string& id) const;
  const std::set<std::string>& isolated() const { return isolated_; }
  // Changes that were asked for, refused ones included.
  int calls() const { return calls_; }

  runtime::Task<base::Result<void>> set_vpc(VpcSpec spec) override;
  runtime::Task<base::Result<void>> remove_vpc(std::string vpc_id) override;
  base::Result<std::vector<std::string>> vpcs() const override;
  runtime::Task<base::Result<void>> add_isolated(std::string id) override;
  runtime::Task<base::Result<void>> remove_isolated(std::string id) override;
  std::filesystem::path namespace_path(const std::string& id) const override;
  std::filesystem::path internet_namespace_path() const override;
  // A real socket on 127.0.0.1, at a port of the kernel's choice.
  base::Result<int> listen_on_internet(std::string address, std::uint16_t port) override;
  base::Result<int> listen_in_vpc(const std::string& vpc_id, std::string address,
                                  std::uint16_t port) override;
  base::Result<int> listen_in_isolated(const std::string& id, std::string address,
                                       std::uint16_t port) override;
  runtime::Task<base::Result<void>> remove_all() override;

 private:
  enum class Fate : std::uint8_t { Works, FailsBefore, FailsAfter };
  Fate next_fate();

  std::map<std::string, VpcSpec> vpcs_;
  std::set<std::string> isolated_;
  int calls_ = 0;
  int fail_at_ = -1;
  bool fail_done_ = false;
  bool failed_ = false;
};

}  // namespace terrarium::host
