// One suite for every implementation of Store.
#include "terrarium/store/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "lib/runtime/runtime.h"
#include "terrarium/store/faulty.h"
#include "terrarium/store/memory.h"
#include "terrarium/store/rocks.h"

namespace terrarium::store {
namespace {

enum class Implementation : std::uint8_t { Memory, Rocks, Faulty };

class StoreTest : public testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override {
    switch (GetParam()) {
      case Implementation::Memory: store_ = open_memory_store(); break;
      case Implementation::Faulty: store_ = std::make_unique<FaultyStore>(); break;
      case Implementation::Rocks: {
        std::string pattern = testing::TempDir() + "store-XXXXXX";
        path_ = mkdtemp(pattern.data());
        auto opened = open_rocks_store(path_ + "/db", clock_);
        ASSERT_TRUE(opened.has_value()) << base::describe(opened.error());
        store_ = std::move(*opened);
      }
    }
  }
  void TearDown() override {
    store_.reset();
    if (!path_.empty()) std::filesystem::remove_all(path_);
  }

  void put(std::string key, std::string value, Table table = Table::Sqs) {
    Batch batch;
    batch.put(table, std::move(key), std::move(value));
    ASSERT_TRUE(store_->write(std::move(batch)).has_value());
  }
  std::string read(std::string_view key, Table table = Table::Sqs) {
    return store_->get(table, key)->value_or("(nothing)");
  }
  std::string keys(std::string_view begin, std::string_view end) {
    std::string all;
    for (auto at = store_->scan(Table::Sqs, begin, end); at->valid(); at->next()) {
      all.append(at->key()).append("=").append(at->value()).append(" ");
    }
    return all;
  }

  base::SystemClock clock_;
  std::string path_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreTest, WrittenIsVisibleAtOnceAndTablesAreApart) {
  put("a", "1");
  put("a", "2", Table::S3);
  EXPECT_EQ(read("a"), "1");
  EXPECT_EQ(read("a", Table::S3), "2");
  EXPECT_EQ(read("a", Table::Control), "(nothing)");
}

TEST_P(StoreTest, BatchAppliesInOrder) {
  put("a", "old");
  Batch batch;
  batch.put(Table::Sqs, "a", "new");
  batch.erase(Table::Sqs, "a");
  batch.put(Table::Sqs, "b", "1");
  batch.put(Table::Sqs, "b", "2");
  ASSERT_TRUE(store_->write(std::move(batch)).has_value());
  EXPECT_EQ(keys("", ""), "b=2 ");
}

TEST_P(StoreTest, RangesAreErasedUpToTheirEnd) {
  for (const char* key : {"a", "b", "b1", "b2", "c"}) put(key, "x");
  Batch batch;
  batch.erase_range(Table::Sqs, "b", prefix_end("b"));
  batch.erase_range(Table::Sqs, "z", "a");
  ASSERT_TRUE(store_->write(std::move(batch)).has_value());
  EXPECT_EQ(keys("", ""), "a=x c=x ");
}

TEST_P(StoreTest, KeysAndValuesHoldAnyBytes) {
  const std::string key("a\0\xff\n", 4);
  put(key, std::string("\0", 1));
  put("", "empty");
  EXPECT_EQ(read(key), std::string("\0", 1));
  EXPECT_EQ(read(""), "empty");
  EXPECT_EQ(store_->scan(Table::Sqs, "a", "b")->key(), key);
}

TEST_P(StoreTest, ScansSeeTheStoreAsItWasWhenTheyBegan) {
  put("a", "1");
  put("b", "2");
  const auto cursor = store_->scan(Table::Sqs, "", "");
  put("a", "changed");
  put("c", "3");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->value(), "1");
  cursor->next();
  EXPECT_EQ(cursor->key(), "b");
  cursor->next();
  EXPECT_FALSE(cursor->valid());
  EXPECT_TRUE(cursor->status().has_value());
}

TEST_P(StoreTest, CursorsMoveBothWaysAndStayInTheirRange) {
  for (const char* key : {"a", "b1", "b3", "b5", "c"}) put(key, "x");
  const auto cursor = store_->scan(Table::Sqs, "b", "c");
  EXPECT_EQ(cursor->key(), "b1");
  cursor->seek("b2");
  EXPECT_EQ(cursor->key(), "b3");
  cursor->previous();
  EXPECT_EQ(cursor->key(), "b1");
  cursor->previous();
  EXPECT_FALSE(cursor->valid());
  cursor->seek_for_previous("b4");
  EXPECT_EQ(cursor->key(), "b3");
  cursor->seek_for_previous("b5");
  EXPECT_EQ(cursor->key(), "b5");
  cursor->next();
  EXPECT_FALSE(cursor->valid());
  cursor->seek_for_previous("z");
  EXPECT_EQ(cursor->key(), "b5");
  cursor->seek("a");
  EXPECT_EQ(cursor->key(), "b1");
  cursor->seek_for_previous("a");
  EXPECT_FALSE(cursor->valid());
  cursor->seek("c");
  EXPECT_FALSE(cursor->valid());
}

TEST_P(StoreTest, EmptyRangesHaveNothing) {
  put("b", "x");
  EXPECT_FALSE(store_->scan(Table::Sqs, "c", "")->valid());
  EXPECT_FALSE(store_->scan(Table::Sqs, "", "b")->valid());
  EXPECT_FALSE(store_->scan(Table::Sqs, "b", "b")->valid());
  EXPECT_FALSE(store_->scan(Table::S3, "", "")->valid());
}

runtime::Task<void> commit_one(Store& store, std::string key, bool& done) {
  Batch batch;
  batch.put(Table::Sqs, std::move(key), "x");
  done = (co_await store.commit(std::move(batch))).has_value();
}

TEST_P(StoreTest, CommitWritesAndSyncs) {
  bool done = false;
  runtime::block_on(commit_one(*store_, "a", done));
  EXPECT_TRUE(done);
  EXPECT_EQ(read("a"), "x");
}

INSTANTIATE_TEST_SUITE_P(All, StoreTest,
                         testing::Values(Implementation::Memory, Implementation::Rocks,
                                         Implementation::Faulty),
                         [](const auto& info) -> std::string {
                           switch (info.param) {
                             case Implementation::Memory: return "Memory";
                             case Implementation::Rocks: return "Rocks";
                             case Implementation::Faulty: return "Faulty";
                           }
                           return "Unknown";
                         });

TEST(StorePrefix, EndIsTheFirstKeyPastThePrefix) {
  EXPECT_EQ(prefix_end("a"), "b");
  EXPECT_EQ(prefix_end("a\xff"), "b");
  EXPECT_EQ(prefix_end("\xff\xff"), "");
  EXPECT_EQ(prefix_end(""), "");
  EXPECT_EQ(prefix_end("a\x7f"), "a\x80");
}

}  // namespace
}  // namespace terrarium::store
