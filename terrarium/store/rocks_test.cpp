// What only a store on disk can do: survive its process, refuse a second owner, share syncs.
#include "terrarium/store/rocks.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "lib/runtime/runtime.h"
#include "terrarium/store/group_sync.h"

namespace terrarium::store {
namespace {

class RocksStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "rocks-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  std::unique_ptr<Store> open() {
    auto opened = open_rocks_store(path_ + "/db", clock_);
    if (!opened.has_value()) {
      ADD_FAILURE() << base::describe(opened.error());
      return nullptr;
    }
    return std::move(*opened);
  }

  base::SystemClock clock_;
  std::string path_;
};

runtime::Task<void> commit_many(Store& store, std::string prefix, int count, int& done) {
  for (int i = 0; i < count; ++i) {
    Batch batch;
    batch.put(Table::Sqs, prefix + std::to_string(i), "x");
    if ((co_await store.commit(std::move(batch))).has_value()) ++done;
  }
}

TEST_F(RocksStoreTest, CommittedSurvivesAProcessThatDies) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int done = 0;
    base::SystemClock clock;
    auto store = open_rocks_store(path_ + "/db", clock);
    if (!store.has_value()) _exit(1);
    runtime::block_on(commit_many(**store, "key", 20, done));
    // No destructor runs, as after kill -9.
    _exit(done == 20 ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  const auto store = open();
  ASSERT_NE(store, nullptr);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(store->get(Table::Sqs, "key" + std::to_string(i))->has_value()) << i;
  }
}

TEST_F(RocksStoreTest, ClosingAndOpeningKeepsEveryTable) {
  {
    const auto store = open();
    ASSERT_NE(store, nullptr);
    Batch batch;
    for (std::size_t i = 0; i < kTables; ++i) {
      batch.put(static_cast<Table>(i), "key", std::to_string(i));
    }
    ASSERT_TRUE(store->write(std::move(batch)).has_value());
  }
  const auto store = open();
  ASSERT_NE(store, nullptr);
  for (std::size_t i = 0; i < kTables; ++i) {
    EXPECT_EQ(store->get(static_cast<Table>(i), "key")->value(), std::to_string(i));
  }
}

TEST_F(RocksStoreTest, SecondOwnerIsRefused) {
  const auto first = open();
  ASSERT_NE(first, nullptr);
  const auto second = open_rocks_store(path_ + "/db", clock_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, base::ErrorKind::Conflict);
  EXPECT_NE(second.error().message.find("in use"), std::string::npos);
}

TEST_F(RocksStoreTest, DamageIsReportedAndLeftAsItIs) {
  ASSERT_NE(open(), nullptr);
  for (const auto& entry : std::filesystem::directory_iterator(path_ + "/db")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::ofstream(entry.path(), std::ios::trunc) << "not a manifest at all, certainly not one";
    }
  }
  const auto damaged = open_rocks_store(path_ + "/db", clock_);
  ASSERT_FALSE(damaged.has_value());
  EXPECT_NE(damaged.error().message.find("damaged"), std::string::npos) << damaged.error().message;
}

TEST_F(RocksStoreTest, CommitsFromManyThreadsAreAllAnswered) {
  auto store = open();
  ASSERT_NE(store, nullptr);
  std::atomic<int> total = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        int done = 0;
        runtime::block_on(commit_many(*store, std::to_string(t) + "-", 50, done));
        total += done;
      });
    }
  }
  EXPECT_EQ(total, 400);
}

// Waits for a GroupSync many times over and counts how often that succeeded.
runtime::Task<void> wait_many(GroupSync& group, int count, std::atomic<int>& done) {
  for (int i = 0; i < count; ++i) {
    group.note_write();
    if ((co_await group.wait()).has_value()) ++done;
  }
}

TEST(StoreGroupSync, CallersThatComeDuringASyncShareTheNext) {
  std::atomic<int> syncs = 0;
  std::atomic<int> done = 0;
  std::atomic<bool> open = false;
  GroupSync group([&]() -> base::Result<void> {
    ++syncs;
    open.wait(false);
    return {};
  });
  std::vector<std::jthread> threads;
  const auto start = [&] {
    threads.emplace_back([&] { runtime::block_on(wait_many(group, 1, done)); });
  };
  start();
  while (syncs == 0) std::this_thread::yield();
  for (int i = 0; i < 9; ++i) start();
  while (group.waiting() < 9) std::this_thread::yield();
  EXPECT_EQ(done, 0);
  open = true;
  open.notify_all();
  threads.clear();
  EXPECT_EQ(done, 10);
  EXPECT_EQ(syncs, 2);
}

TEST(StoreGroupSync, NothingWrittenNeedsNoSync) {
  int syncs = 0;
  std::atomic<int> done = 0;
  GroupSync group([&]() -> base::Result<void> {
    ++syncs;
    return {};
  });
  runtime::block_on(wait_many(group, 3, done));
  EXPECT_EQ(syncs, 3);
  EXPECT_EQ(done, 3);
  bool idle = false;
  runtime::block_on([](GroupSync& quiet, bool& out) -> runtime::Task<void> {
    out = (co_await quiet.wait()).has_value();
  }(group, idle));
  EXPECT_TRUE(idle);
  EXPECT_EQ(syncs, 3);
}

TEST(StoreGroupSync, FailedSyncFailsEveryLaterWaitAndIsToldOnce) {
  int syncs = 0;
  std::atomic<int> done = 0;
  std::atomic<int> told = 0;
  GroupSync group(
      [&]() -> base::Result<void> {
        if (++syncs == 2) return base::fail(base::ErrorKind::Internal, "the disk is gone");
        return {};
      },
      [&] { ++told; });
  runtime::block_on(wait_many(group, 5, done));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(syncs, 2);
  EXPECT_TRUE(group.failed());
  group.fail();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace terrarium::store
