// How many bytes of uploads may be in memory at once, over all threads: past it uploads are refused
// with 503 instead of driving a small instance out of memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace messageboard {

class UploadBudget {
 public:
  explicit UploadBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  std::size_t used() const { return used_; }

 private:
  friend class UploadLease;
  const std::size_t bytes_max_;
  std::atomic<std::size_t> used_ = 0;
};

// A share of the budget, given back when it goes.
class UploadLease {
 public:
  UploadLease() = default;
  explicit UploadLease(UploadBudget& budget) : budget_(&budget) {}
  UploadLease(UploadLease&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  UploadLease& operator=(UploadLease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~UploadLease() {
    if (budget_ != nullptr) budget_->used_ -= bytes_;
  }

  // False when the budget has no room.
  bool grow(std::size_t bytes) {
    if (budget_->used_.fetch_add(bytes) + bytes > budget_->bytes_max_) {
      budget_->used_ -= bytes;
      return false;
    }
    bytes_ += bytes;
    return true;
  }

 private:
  UploadBudget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace messageboard
