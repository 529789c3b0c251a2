#include "terrarium/services/lambda/scaling.h"

#include <algorithm>

namespace terrarium::lambda {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kGrowthInterval = 250ms;
// On a busy machine one more after so long: it may be busy with something else.
constexpr base::Duration kBusyInterval = 5s;
// And no more than this many times the cores.
constexpr std::size_t kBusyFactorMax = 2;

}  // namespace

base::Timestamp Scaling::full(base::Timestamp now) {
  if (!waiting_since_) {
    waiting_since_ = now;
    next_ = now + kGrowthInterval;
  }
  return next_;
}

void Scaling::grow(base::Timestamp now, bool machine_is_busy) {
  if (!waiting_since_ || now < next_) return;
  next_ = now + kGrowthInterval;
  if (!machine_is_busy) {
    allowed_ += std::max<std::size_t>(1, allowed_ / 4);
    waiting_since_ = now;
  } else if (now - *waiting_since_ >= kBusyInterval && allowed_ < kBusyFactorMax * eager_) {
    ++allowed_;
    waiting_since_ = now;
  }
}

void Scaling::rest() {
  allowed_ = eager_;
  waiting_since_.reset();
}

}  // namespace terrarium::lambda
