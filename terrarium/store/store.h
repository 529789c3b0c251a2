// The region's memory: ordered keys in named tables, changed by atomic batches.
//
// Two steps make a change: write() applies a batch at once - every later read, from any thread,
// sees it - and commit() also waits until it is on disk. A service decides and writes without an
// await between reading and writing, so that decisions on its strand are atomic, and answers its
// client only after commit(): acknowledged means durable. Commits that arrive while a sync runs
// share the next one (group commit).
//
// Implementations: RocksDB (rocks.h), memory (memory.h), FaultyStore for tests (faulty.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::store {

// One column family each: what is scanned together lies together.
enum class Table : std::uint8_t { Control, S3, Sqs, Lambda, Logs, Metrics };
inline constexpr std::size_t kTables = 6;

struct Change {
  enum class Kind : std::uint8_t { Put, Delete, DeleteRange };
  Kind kind;
  Table table;
  std::string key;    // DeleteRange: the first key
  std::string value;  // DeleteRange: the end, exclusive
};

class Batch {
 public:
  void put(Table table, std::string key, std::string value) {
    changes_.push_back({Change::Kind::Put, table, std::move(key), std::move(value)});
  }
  void erase(Table table, std::string key) {
    changes_.push_back({Change::Kind::Delete, table, std::move(key), {}});
  }
  // Every key in [begin, end).
  void erase_range(Table table, std::string begin, std::string end) {
    changes_.push_back({Change::Kind::DeleteRange, table, std::move(begin), std::move(end)});
  }
  void append(Batch other) {
    for (Change& change : other.changes_) changes_.push_back(std::move(change));
  }
  bool empty() const { return changes_.empty(); }
  const std::vector<Change>& changes() const { return changes_; }

 private:
  std::vector<Change> changes_;
};

// A position in one table, over a snapshot taken when the cursor was made. Views are valid until
// the cursor moves.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool valid() const = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual void next() = 0;
  // To the first key >= `key`.
  virtual void seek(std::string_view key) = 0;
  // To the last key <= `key`.
  virtual void seek_for_previous(std::string_view key) = 0;
  virtual void previous() = 0;
  // Why a scan ended early: whoever concludes something from a key's absence asks once the cursor
  // is no longer valid. (A read that failed also stops the store from taking changes.)
  virtual base::Result<void> status() const { return {}; }
};

class Store {
 public:
  virtual ~Store() = default;
  // Any thread may call any of these.
  virtual base::Result<std::optional<std::string>> get(Table table, std::string_view key) const = 0;
  // Placed at the first key >= `begin`; invalid once past the last key < `end` (empty: no end), or
  // before the first: the cursor never leaves the range, wherever it is told to seek.
  virtual std::unique_ptr<Cursor> scan(Table table, std::string_view begin,
                                       std::string_view end) const = 0;
  // Applied and visible, not yet durable. A failure may have been applied all the same; it stops
  // the store.
  virtual base::Result<void> write(Batch batch) = 0;
  // Returns when everything written before this call is durable.
  virtual runtime::Task<base::Result<void>> sync() = 0;
  // write() then sync().
  runtime::Task<base::Result<void>> commit(Batch batch);
};

// The first key after all keys that start with `prefix`: the end of a prefix scan.
std::string prefix_end(std::string_view prefix);

}  // namespace terrarium::store
