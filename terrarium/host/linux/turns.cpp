#include "terrarium/host/linux/turns.h"

namespace terrarium::host::linux_host {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kWaitingMax = 1024;
// Longer than all callers before can take.
constexpr base::Duration kWaitMax = 10min;

}  // namespace

runtime::Task<base::Result<Turns::Turn>> Turns::wait() {
  if (next_ - serving_ >= kWaitingMax) {
    co_return base::fail(base::ErrorKind::Throttled, "Too many changes of this network at once.");
  }
  const std::uint64_t mine = next_++;
  const base::Timestamp deadline = clock_.now() + kWaitMax;
  while (serving_ != mine) {
    if (co_await changed_.wait_until(deadline) || serving_ == mine) continue;
    given_up_.insert(mine);
    co_return base::fail(base::ErrorKind::Cancelled, "The wait for a network's turn has ended.");
  }
  co_return Turn(this);
}

void Turns::end() {
  ++serving_;
  while (given_up_.erase(serving_) > 0) ++serving_;
  changed_.notify_all();
}

}  // namespace terrarium::host::linux_host
