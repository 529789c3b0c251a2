// host::Machines for tests: machines in memory that boot after a pause of the injected clock, end
// when the test says so, and fail when it wants them to.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/runtime/event.h"
#include "terrarium/host/machine.h"

namespace terrarium::host {

class FakeMachines final : public Machines {
 public:
  explicit FakeMachines(base::Clock& clock) : clock_(clock) {}

  // How long start() takes from now on.
  void set_start_time(base::Duration time) { start_time_ = time; }
  // The call with this number fails, counted from now: 0 is the next. Every call that changes
  // something counts.
  void fail_call(std::size_t number) { fail_at_ = calls_ + number; }
  std::size_t calls() const { return calls_; }
  // Ends a running machine as if it had done so itself.
  void end(const std::string& name, std::string last_exit);
  void write_console(const std::string& name, std::string_view text);
  void set_usage(const std::string& name, MachineUsage usage);
  // As start() was given it; nothing when there is no such machine.
  const MachineSpec* spec(const std::string& name) const;
  void set_refusal(std::string why) { refusal_ = std::move(why); }

  void on_ended(std::function<void(std::string name)> callback) override {
    on_ended_.push_back(std::move(callback));
  }
  runtime::Task<base::Result<void>> start(MachineSpec spec) override;
  runtime::Task<base::Result<void>> stop(std::string name, base::Duration grace) override;
  runtime::Task<base::Result<void>> remove(std::string name) override;
  base::Result<std::vector<MachineStatus>> list() const override;
  base::Result<MachineUsage> usage(const std::string& name) const override;
  base::Result<std::string> console(const std::string& name) const override;
  runtime::Task<base::Result<void>> save_image(std::string name, std::string image_id) override;
  runtime::Task<base::Result<void>> remove_image(std::string image_id) override;
  base::Result<std::vector<std::string>> images() const override;
  runtime::Task<base::Result<void>> remove_all() override;
  base::Result<std::string> description() const override;

 private:
  struct Machine {
    MachineSpec spec;
    MachineStatus status;
    MachineUsage usage;
    std::string console;
  };
  base::Result<void> count_call();
  base::Result<void> allowed() const;

  base::Clock& clock_;
  base::Duration start_time_{};
  std::size_t calls_ = 0;
  std::optional<std::size_t> fail_at_;
  int next_pid_ = 1000;
  std::string refusal_;
  std::vector<std::function<void(std::string)>> on_ended_;
  std::map<std::string, Machine> machines_;
  std::set<std::string> images_;
};

}  // namespace terrarium::host
