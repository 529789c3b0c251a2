// The store that IAM writes through: counts the changes of its records, so that whoever keeps what
// it read of them knows when that is old. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "terrarium/store/store.h"

namespace terrarium::iam {

class ObservedStore final : public store::Store {
 public:
  // `inner` outlives it.
  explicit ObservedStore(store::Store& inner) : inner_(inner) {}

  // Grows when a change of users, groups, roles, policies or keys can be read. Sessions and uses of
  // keys do not count: they are never changed, and narrow nobody else.
  std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

  base::Result<std::optional<std::string>> get(store::Table table,
                                               std::string_view key) const override {
    return inner_.get(table, key);
  }
  std::unique_ptr<store::Cursor> scan(store::Table table, std::string_view begin,
                                      std::string_view end) const override {
    return inner_.scan(table, begin, end);
  }
  base::Result<void> write(store::Batch batch) override;
  runtime::Task<base::Result<void>> sync() override { return inner_.sync(); }

 private:
  store::Store& inner_;
  std::atomic<std::uint64_t> changes_{0};
};

}  // namespace terrarium::iam
