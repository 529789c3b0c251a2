// A store that fails on demand, for tests: the Nth effect (a write or a sync, counted together) can
// fail before it happens or after it happened but before its answer, and crash() loses what was
// never synced - what a power cut does.
//
// The exhaustive driver: for N = 0, 1, 2, ... run the scenario with fail_effect(N, ...), crash(),
// start the service again, check what must hold; stop when fired() is false.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "terrarium/store/store.h"

namespace terrarium::store {

enum class FaultPoint : std::uint8_t { Before, After };

class FaultyStore final : public Store {
 public:
  FaultyStore();

  // The effect number `n` (from 0, counted from this call) fails once.
  void fail_effect(std::uint64_t n, FaultPoint point);
  bool fired() const;
  // Every write since the last sync is lost, but for the first `kept` of them: a disk may have
  // written some. Heals the store: what was poisoned works again, as after a restart.
  void crash(std::size_t kept = 0);
  std::size_t unsynced() const;

  base::Result<std::optional<std::string>> get(Table table, std::string_view key) const override;
  std::unique_ptr<Cursor> scan(Table table, std::string_view begin,
                               std::string_view end) const override;
  // A write that fails after it happened, and a sync that fails, poison the store as they do
  // RocksDB's: every later change fails until crash().
  base::Result<void> write(Batch batch) override;
  runtime::Task<base::Result<void>> sync() override;

 private:
  bool strikes(FaultPoint point);
  void copy_durable();

  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  mutable std::mutex mutex_;
  std::unique_ptr<Store> durable_;
  std::unique_ptr<Store> visible_;
  std::vector<Batch> unsynced_;
  std::uint64_t effect_ = 0;
  std::uint64_t fail_at_ = kNever;
  FaultPoint point_ = FaultPoint::Before;
  bool fired_ = false;
  bool poisoned_ = false;
};

}  // namespace terrarium::store
