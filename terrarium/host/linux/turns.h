// Whose turn it is: callers are served one after another in the order in which they came. On one
// executor.
#pragma once

#include <cstdint>
#include <set>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/event.h"

namespace terrarium::host::linux_host {

class Turns {
 public:
  explicit Turns(base::Clock& clock) : clock_(clock), changed_(clock) {}

  // A turn that has come; it ends with the object.
  class Turn {
   public:
    explicit Turn(Turns* turns) : turns_(turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->end();
    }

   private:
    Turns* turns_;
  };

  // Refuses more than a bounded number of waiting callers, and those cancelled while waiting.
  runtime::Task<base::Result<Turn>> wait();
  bool idle() const { return serving_ == next_; }

 private:
  void end();

  base::Clock& clock_;
  runtime::Event changed_;
  std::uint64_t next_ = 0;
  std::uint64_t serving_ = 0;
  std::set<std::uint64_t> given_up_;
};

}  // namespace terrarium::host::linux_host
