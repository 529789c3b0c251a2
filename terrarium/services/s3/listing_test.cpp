#include "terrarium/services/s3/listing.h"

#include <gtest/gtest.h>

#include <set>

#include "lib/base/random.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/store/memory.h"

namespace terrarium::s3 {
namespace {

constexpr BucketNumber kBucket{1};

struct Listing {
  std::vector<std::string> keys;
  std::vector<std::string> prefixes;
};

// All of a bucket, the slow way: every key is looked at.
Listing naive_listing(const std::set<std::string>& keys, const ListQuery& query) {
  Listing listing;
  std::set<std::string> prefixes;
  for (const std::string& key : keys) {
    if (!key.starts_with(query.prefix) || (!query.after.empty() && key <= query.after)) continue;
    const std::size_t at = query.delimiter.empty() ? std::string::npos
                                                   : key.find(query.delimiter, query.prefix.size());
    if (at == std::string::npos) {
      listing.keys.push_back(key);
      continue;
    }
    const std::string prefix = key.substr(0, at + query.delimiter.size());
    if (!query.after.starts_with(prefix)) prefixes.insert(prefix);
  }
  listing.prefixes.assign(prefixes.begin(), prefixes.end());
  return listing;
}

Listing paged_listing(const store::Store& store, ListQuery query) {
  Listing listing;
  for (;;) {
    const auto page = list_objects(store, kBucket, query);
    EXPECT_TRUE(page.has_value());
    EXPECT_LE(page->objects.size() + page->common_prefixes.size(), query.entries_max);
    for (const ListedObject& object : page->objects) listing.keys.push_back(object.key);
    for (const std::string& prefix : page->common_prefixes) listing.prefixes.push_back(prefix);
    if (!page->truncated) return listing;
    EXPECT_EQ(page->objects.size() + page->common_prefixes.size(), query.entries_max);
    EXPECT_GT(page->last, query.after);
    query.after = page->last;
  }
}

std::string random_text(base::Random& random, std::size_t length_max) {
  return random.text(random.below(length_max + 1), "ab/\x01\xc3");
}

TEST(S3Listing, PagesAddUpToWhatANaiveListingFinds) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    base::SeededRandom random(seed);
    const auto store = store::open_memory_store();
    std::set<std::string> keys;
    store::Batch batch;
    for (std::uint64_t count = random.below(40); count > 0; --count) {
      const std::string key = random_text(random, 6) + "x";
      keys.insert(key);
      batch.put(store::Table::S3, object_key(kBucket, key), encode(ObjectRecord()));
    }
    // Neighbours that must not be seen.
    batch.put(store::Table::S3, object_key(BucketNumber{0}, "zz"), encode(ObjectRecord()));
    batch.put(store::Table::S3, object_key(BucketNumber{2}, "a"), encode(ObjectRecord()));
    ASSERT_TRUE(store->write(std::move(batch)).has_value());
    for (int round = 0; round < 10; ++round) {
      ListQuery query;
      query.prefix = random_text(random, 2);
      if (random.below(3) > 0) query.delimiter = random.below(4) == 0 ? "ab" : "/";
      if (random.below(3) == 0) query.after = random_text(random, 4);
      query.entries_max = 1 + random.below(6);
      const Listing expected = naive_listing(keys, query);
      const Listing got = paged_listing(*store, query);
      EXPECT_EQ(got.keys, expected.keys) << "seed " << seed << " round " << round;
      EXPECT_EQ(got.prefixes, expected.prefixes) << "seed " << seed << " round " << round;
    }
  }
}

// Counts the steps of the cursors it hands out.
class CountingStore final : public store::Store {
 public:
  std::unique_ptr<store::Store> inner = store::open_memory_store();
  mutable int steps = 0;

  base::Result<std::optional<std::string>> get(store::Table table,
                                               std::string_view key) const override {
    return inner->get(table, key);
  }
  std::unique_ptr<store::Cursor> scan(store::Table table, std::string_view begin,
                                      std::string_view end) const override {
    return std::make_unique<Counting>(*this, inner->scan(table, begin, end));
  }
  base::Result<void> write(store::Batch batch) override { return inner->write(std::move(batch)); }
  runtime::Task<base::Result<void>> sync() override { return inner->sync(); }

 private:
  class Counting final : public store::Cursor {
   public:
    Counting(const CountingStore& owner, std::unique_ptr<store::Cursor> cursor)
        : owner_(owner), cursor_(std::move(cursor)) {}
    bool valid() const override { return cursor_->valid(); }
    std::string_view key() const override { return cursor_->key(); }
    std::string_view value() const override { return cursor_->value(); }
    void next() override { ++owner_.steps, cursor_->next(); }
    void seek(std::string_view key) override { ++owner_.steps, cursor_->seek(key); }
    void seek_for_previous(std::string_view key) override {
      ++owner_.steps, cursor_->seek_for_previous(key);
    }
    void previous() override { ++owner_.steps, cursor_->previous(); }

   private:
    const CountingStore& owner_;
    std::unique_ptr<store::Cursor> cursor_;
  };
};

TEST(S3Listing, CostsWhatItReturnsAndNotWhatItSkips) {
  CountingStore store;
  store::Batch batch;
  for (int folder = 0; folder < 10; ++folder) {
    for (int i = 0; i < 1000; ++i) {
      batch.put(store::Table::S3,
                object_key(kBucket, std::to_string(folder) + "/" + std::to_string(i)),
                encode(ObjectRecord()));
    }
  }
  ASSERT_TRUE(store.write(std::move(batch)).has_value());
  const auto page = list_objects(store, kBucket, {.delimiter = "/"});
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->common_prefixes.size(), 10U);
  EXPECT_LE(store.steps, 20);
  store.steps = 0;
  const auto late = list_objects(store, kBucket, {.prefix = "9/", .after = "9/990"});
  EXPECT_EQ(late->objects.size(), 9U);
  EXPECT_LE(store.steps, 20);
}

TEST(S3Listing, AsksForNothingWhenNothingIsWanted) {
  const auto store = store::open_memory_store();
  const auto page = list_objects(*store, kBucket, {.entries_max = 0});
  EXPECT_FALSE(page->truncated);
}

struct Uploaded {
  std::string key;
  std::string id;
  friend auto operator<=>(const Uploaded&, const Uploaded&) = default;
};

TEST(S3Listing, UploadsAreListedByKeyThenAgeInPages) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    base::SeededRandom random(seed);
    const auto store = store::open_memory_store();
    std::set<Uploaded> uploads;
    store::Batch batch;
    for (std::uint64_t count = random.below(30); count > 0; --count) {
      const Uploaded upload{random.text(1 + random.below(3), "ab/"),
                            random.hex(kUploadIdCharacters / 2)};
      uploads.insert(upload);
      batch.put(store::Table::S3, upload_key(kBucket, upload.key, upload.id),
                encode(UploadRecord()));
    }
    ASSERT_TRUE(store->write(std::move(batch)).has_value());
    UploadQuery query;
    query.prefix = random.text(random.below(2), "ab/");
    query.entries_max = 1 + random.below(4);
    std::vector<Uploaded> got;
    for (;;) {
      const auto page = list_uploads(*store, kBucket, query);
      ASSERT_TRUE(page.has_value());
      for (const ListedUpload& upload : page->uploads)
        got.push_back({upload.key, upload.upload_id});
      if (!page->truncated) break;
      query.after_key = page->last_key;
      query.after_upload_id = page->last_upload_id;
    }
    std::vector<Uploaded> expected;
    for (const Uploaded& upload : uploads) {
      if (upload.key.starts_with(query.prefix)) expected.push_back(upload);
    }
    EXPECT_EQ(got.size(), expected.size()) << "seed " << seed;
    EXPECT_TRUE(got == expected) << "seed " << seed;
  }
}

TEST(S3Listing, UploadsRollUpIntoCommonPrefixes) {
  const auto store = store::open_memory_store();
  store::Batch batch;
  const std::string id(kUploadIdCharacters, '1');
  for (const std::string key : {"a/1", "a/2", "b", "c/1"}) {
    batch.put(store::Table::S3, upload_key(kBucket, key, id), encode(UploadRecord()));
  }
  ASSERT_TRUE(store->write(std::move(batch)).has_value());
  const auto page = list_uploads(*store, kBucket, {.delimiter = "/", .entries_max = 2});
  EXPECT_EQ(page->common_prefixes, std::vector<std::string>{"a/"});
  EXPECT_EQ(page->uploads.size(), 1U);
  EXPECT_TRUE(page->truncated);
  const auto rest = list_uploads(
      *store, kBucket,
      {.delimiter = "/", .after_key = page->last_key, .after_upload_id = page->last_upload_id});
  EXPECT_EQ(rest->common_prefixes, std::vector<std::string>{"c/"});
  EXPECT_FALSE(rest->truncated);
}

}  // namespace
}  // namespace terrarium::s3
