#include "terrarium/store/memory.h"

#include <array>
#include <iterator>
#include <map>
#include <mutex>

namespace terrarium::store {
namespace {

using Keys = std::map<std::string, std::string, std::less<>>;

// Holds the table as it was when the cursor was made: a write while any cursor lives copies the
// table first.
class MemoryCursor final : public Cursor {
 public:
  MemoryCursor(std::shared_ptr<const Keys> keys, std::string_view begin, std::string_view end)
      : keys_(std::move(keys)),
        first_(keys_->lower_bound(begin)),
        last_(end.empty() ? keys_->end() : keys_->lower_bound(end)) {
    if (!end.empty() && end <= begin) last_ = first_;
    begin_ = begin;
    end_ = end;
    at_ = first_;
    valid_ = at_ != last_;
  }

  bool valid() const override { return valid_; }
  std::string_view key() const override { return at_->first; }
  std::string_view value() const override { return at_->second; }
  void next() override { valid_ = ++at_ != last_; }
  void previous() override {
    valid_ = at_ != first_;
    if (valid_) --at_;
  }
  void seek(std::string_view key) override {
    if (first_ == last_ || key <= begin_) {
      at_ = first_;
    } else {
      at_ = !end_.empty() && key >= end_ ? last_ : keys_->lower_bound(key);
    }
    valid_ = at_ != last_;
  }
  void seek_for_previous(std::string_view key) override {
    valid_ = first_ != last_ && first_->first <= key;
    if (!valid_) return;
    at_ = !end_.empty() && key >= end_ ? last_ : keys_->upper_bound(key);
    --at_;
  }

 private:
  std::shared_ptr<const Keys> keys_;
  Keys::const_iterator first_;
  Keys::const_iterator last_;
  Keys::const_iterator at_;
  std::string begin_;
  std::string end_;
  bool valid_ = false;
};

class MemoryStore final : public Store {
 public:
  MemoryStore() {
    for (auto& table : tables_) table = std::make_shared<Keys>();
  }

  base::Result<std::optional<std::string>> get(Table table, std::string_view key) const override {
    const std::lock_guard lock(mutex_);
    const Keys& keys = *tables_[static_cast<std::size_t>(table)];
    const auto found = keys.find(key);
    if (found == keys.end()) return std::nullopt;
    return found->second;
  }

  std::unique_ptr<Cursor> scan(Table table, std::string_view begin,
                               std::string_view end) const override {
    const std::lock_guard lock(mutex_);
    return std::make_unique<MemoryCursor>(tables_[static_cast<std::size_t>(table)], begin, end);
  }

  base::Result<void> write(Batch batch) override {
    const std::lock_guard lock(mutex_);
    for (const Change& change : batch.changes()) {
      Keys& keys = writable(change.table);
      switch (change.kind) {
        case Change::Kind::Put: keys.insert_or_assign(change.key, change.value); break;
        case Change::Kind::Delete: keys.erase(change.key); break;
        case Change::Kind::DeleteRange:
          if (change.key < change.value) {
            keys.erase(keys.lower_bound(change.key), keys.lower_bound(change.value));
          }
          break;
      }
    }
    return {};
  }

  runtime::Task<base::Result<void>> sync() override { co_return base::Result<void>(); }

 private:
  // Cursors are made under the lock, so a count of one cannot grow here; one that falls meanwhile
  // costs a needless copy.
  Keys& writable(Table table) {
    auto& keys = tables_[static_cast<std::size_t>(table)];
    if (keys.use_count() > 1) keys = std::make_shared<Keys>(*keys);
    return *keys;
  }

  mutable std::mutex mutex_;
  std::array<std::shared_ptr<Keys>, kTables> tables_;
};

}  // namespace

std::unique_ptr<Store> open_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace terrarium::store
