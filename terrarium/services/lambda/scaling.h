// How many invocations one queue may have under way. It starts with as many as the machine has
// cores: more of what computes would only make each slower. While messages still wait after that,
// it grows by a quarter, four times a second - what waits for others rather than for the processor
// soon has all the machine holds - but slowly once the processor has nothing left. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "lib/base/clock.h"

namespace terrarium::lambda {

class Scaling {
 public:
  explicit Scaling(std::size_t eager) : eager_(eager), allowed_(eager) {}

  std::size_t allowed() const { return allowed_; }
  // All that is allowed is under way, and there is more to do. When to come back with grow().
  base::Timestamp full(base::Timestamp now);
  void grow(base::Timestamp now, bool machine_is_busy);
  // Everything that was there has been taken.
  void caught_up() { waiting_since_.reset(); }
  // Nothing is under way.
  void rest();

 private:
  std::size_t eager_;
  std::size_t allowed_;
  // That there is more to do than is allowed; or the last growth.
  std::optional<base::Timestamp> waiting_since_;
  base::Timestamp next_;
};

}  // namespace terrarium::lambda
