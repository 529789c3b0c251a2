#include "terrarium/services/iam/observed_store.h"

#include <algorithm>

#include "terrarium/services/iam/records.h"

namespace terrarium::iam {
namespace {

bool counts(const store::Change& change) {
  return !change.key.starts_with(kSessionPrefix) && !change.key.starts_with(kExpiryPrefix) &&
         !change.key.starts_with(kUsedPrefix);
}

}  // namespace

base::Result<void> ObservedStore::write(store::Batch batch) {
  const bool counted = std::ranges::any_of(batch.changes(), counts);
  auto done = inner_.write(std::move(batch));
  // Also after a failure: it may have been applied all the same.
  if (counted) changes_.fetch_add(1, std::memory_order_release);
  return done;
}

}  // namespace terrarium::iam
