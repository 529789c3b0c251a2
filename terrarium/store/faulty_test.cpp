#include "terrarium/store/faulty.h"

#include <gtest/gtest.h>

#include "lib/runtime/runtime.h"

namespace terrarium::store {
namespace {

bool write(FaultyStore& store, std::string key) {
  Batch batch;
  batch.put(Table::Sqs, std::move(key), "x");
  return store.write(std::move(batch)).has_value();
}

runtime::Task<void> sync_into(FaultyStore& store, bool& done) {
  done = (co_await store.sync()).has_value();
}

bool sync(FaultyStore& store) {
  bool done = false;
  runtime::block_on(sync_into(store, done));
  return done;
}

bool has(FaultyStore& store, std::string_view key) {
  return store.get(Table::Sqs, key)->has_value();
}

TEST(FaultyStore, CrashLosesWhatWasNotSynced) {
  FaultyStore store;
  ASSERT_TRUE(write(store, "a") && sync(store) && write(store, "b") && write(store, "c"));
  EXPECT_TRUE(has(store, "c"));
  EXPECT_EQ(store.unsynced(), 2U);
  store.crash(1);
  EXPECT_TRUE(has(store, "a"));
  EXPECT_TRUE(has(store, "b"));
  EXPECT_FALSE(has(store, "c"));
}

TEST(FaultyStore, WriteFailsBeforeItHappens) {
  FaultyStore store;
  store.fail_effect(1, FaultPoint::Before);
  EXPECT_TRUE(write(store, "a"));
  EXPECT_FALSE(write(store, "b"));
  EXPECT_FALSE(has(store, "b"));
  EXPECT_TRUE(store.fired());
  EXPECT_TRUE(write(store, "c"));
}

TEST(FaultyStore, WriteFailsAfterItHappened) {
  FaultyStore store;
  store.fail_effect(0, FaultPoint::After);
  EXPECT_FALSE(write(store, "a"));
  EXPECT_TRUE(has(store, "a"));
  EXPECT_FALSE(write(store, "b"));
  store.crash(1);
  EXPECT_TRUE(has(store, "a"));
  EXPECT_TRUE(write(store, "b"));
}

TEST(FaultyStore, FailedSyncPoisonsUntilTheCrash) {
  for (const FaultPoint point : {FaultPoint::Before, FaultPoint::After}) {
    FaultyStore store;
    store.fail_effect(1, point);
    ASSERT_TRUE(write(store, "a"));
    EXPECT_FALSE(sync(store));
    EXPECT_FALSE(write(store, "b"));
    EXPECT_FALSE(sync(store));
    store.crash();
    EXPECT_EQ(has(store, "a"), point == FaultPoint::After);
    EXPECT_TRUE(write(store, "b") && sync(store));
  }
}

TEST(FaultyStore, FaultThatNeverFiresSaysSo) {
  FaultyStore store;
  store.fail_effect(5, FaultPoint::Before);
  EXPECT_TRUE(write(store, "a") && sync(store));
  EXPECT_FALSE(store.fired());
}

}  // namespace
}  // namespace terrarium::store
