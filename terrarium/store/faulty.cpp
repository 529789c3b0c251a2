#include "terrarium/store/faulty.h"

#include <algorithm>

#include "lib/base/check.h"
#include "terrarium/store/memory.h"

namespace terrarium::store {
namespace {

std::unexpected<base::Error> injected() {
  return base::fail(base::ErrorKind::Internal, "The region's storage failed.");
}

}  // namespace

FaultyStore::FaultyStore() : durable_(open_memory_store()), visible_(open_memory_store()) {}

void FaultyStore::fail_effect(std::uint64_t n, FaultPoint point) {
  const std::lock_guard lock(mutex_);
  fail_at_ = effect_ + n;
  point_ = point;
  fired_ = false;
}

bool FaultyStore::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

std::size_t FaultyStore::unsynced() const {
  const std::lock_guard lock(mutex_);
  return unsynced_.size();
}

void FaultyStore::crash(std::size_t kept) {
  const std::lock_guard lock(mutex_);
  const std::size_t survivors = std::min(kept, unsynced_.size());
  for (std::size_t i = 0; i < survivors; ++i) {
    CHECK(durable_->write(unsynced_[i]).has_value(), "memory takes every write");
  }
  unsynced_.clear();
  poisoned_ = false;
  fail_at_ = kNever;
  visible_ = open_memory_store();
  copy_durable();
}

void FaultyStore::copy_durable() {
  Batch all;
  for (std::size_t i = 0; i < kTables; ++i) {
    const auto table = static_cast<Table>(i);
    for (auto at = durable_->scan(table, {}, {}); at->valid(); at->next()) {
      all.put(table, std::string(at->key()), std::string(at->value()));
    }
  }
  CHECK(visible_->write(std::move(all)).has_value(), "memory takes every write");
}

bool FaultyStore::strikes(FaultPoint point) {
  if (fired_ || effect_ != fail_at_ || point != point_) return false;
  fired_ = true;
  return true;
}

base::Result<std::optional<std::string>> FaultyStore::get(Table table, std::string_view key) const {
  const std::lock_guard lock(mutex_);
  return visible_->get(table, key);
}

std::unique_ptr<Cursor> FaultyStore::scan(Table table, std::string_view begin,
                                          std::string_view end) const {
  const std::lock_guard lock(mutex_);
  return visible_->scan(table, begin, end);
}

base::Result<void> FaultyStore::write(Batch batch) {
  const std::lock_guard lock(mutex_);
  if (poisoned_) return injected();
  const bool before = strikes(FaultPoint::Before);
  const bool after = strikes(FaultPoint::After);
  ++effect_;
  if (before) return injected();
  TRY_VOID(visible_->write(batch));
  unsynced_.push_back(std::move(batch));
  poisoned_ = after;
  if (after) return injected();
  return {};
}

runtime::Task<base::Result<void>> FaultyStore::sync() {
  const std::lock_guard lock(mutex_);
  if (poisoned_) co_return injected();
  const bool before = strikes(FaultPoint::Before);
  const bool after = strikes(FaultPoint::After);
  ++effect_;
  if (!before) {
    for (Batch& batch : unsynced_) CO_TRY_VOID(durable_->write(std::move(batch)));
    unsynced_.clear();
  }
  poisoned_ = before || after;
  if (poisoned_) co_return injected();
  co_return base::Result<void>();
}

}  // namespace terrarium::store
