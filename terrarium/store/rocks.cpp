#include "terrarium/store/rocks.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <filesystem>

#include "lib/base/log.h"
#include "terrarium/store/group_sync.h"

namespace terrarium::store {
namespace {

constexpr std::size_t kWriteBufferBytes = 8 << 20;
// Also what a restart replays at most: well under a second.
constexpr std::size_t kLogBytesMax = 32 << 20;
constexpr std::size_t kCacheBytes = 16 << 20;
constexpr int kCacheShardBits = 2;
constexpr int kOpenFilesMax = 256;
constexpr base::Duration kSlowSync = std::chrono::seconds(1);

// Column family names, in Table's order: part of the format on disk.
constexpr std::array<const char*, kTables> kNames = {"control", "s3",   "sqs",
                                                     "lambda",  "logs", "metrics"};

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

std::unexpected<base::Error> failed(const rocksdb::Status& status) {
  auto failure = base::fail(base::ErrorKind::Internal, "The region's storage failed.");
  failure.error().detail = status.ToString();
  return failure;
}

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_total_wal_size = kLogBytesMax;
  options.max_open_files = kOpenFilesMax;
  options.max_background_jobs = 2;
  // Stopping and starting must be quick: the log is replayed into memory, nothing is rewritten.
  options.avoid_flush_during_shutdown = true;
  options.avoid_flush_during_recovery = true;
  options.skip_stats_update_on_db_open = true;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  // A torn tail is what a power cut leaves of writes that nobody had acknowledged.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = 1 << 20;
  options.keep_log_file_num = 2;
  options.max_manifest_file_size = 4 << 20;
  return options;
}

rocksdb::ColumnFamilyOptions table_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  blocks.block_size = 8 << 10;
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  // In parts of a block each: the filter of one large file would fill a small cache by itself, and
  // be read again for every key.
  blocks.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  blocks.partition_filters = true;
  blocks.cache_index_and_filter_blocks = true;
  blocks.pin_l0_filter_and_index_blocks_in_cache = true;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  options.write_buffer_size = kWriteBufferBytes;
  options.arena_block_size = 64 << 10;
  options.compression = rocksdb::kLZ4Compression;
  return options;
}

class RocksCursor final : public Cursor {
 public:
  RocksCursor(rocksdb::DB& database, rocksdb::ColumnFamilyHandle* table, GroupSync& group,
              std::string_view begin, std::string_view end)
      : group_(group), begin_(begin), end_(end), begin_slice_(begin_), end_slice_(end_) {
    rocksdb::ReadOptions options;
    if (!begin_.empty()) options.iterate_lower_bound = &begin_slice_;
    if (!end_.empty()) options.iterate_upper_bound = &end_slice_;
    iterator_.reset(database.NewIterator(options, table));
    iterator_->Seek(begin_slice_);
    check();
  }

  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return view(iterator_->key()); }
  std::string_view value() const override { return view(iterator_->value()); }
  void next() override {
    iterator_->Next();
    check();
  }
  void previous() override {
    iterator_->Prev();
    check();
  }
  void seek(std::string_view key) override {
    iterator_->Seek(slice(key));
    check();
  }
  void seek_for_previous(std::string_view key) override {
    iterator_->SeekForPrev(slice(key));
    check();
  }
  base::Result<void> status() const override {
    if (iterator_->status().ok()) return {};
    return failed(iterator_->status());
  }

 private:
  // A table that cannot be read looks shorter than it is: nothing may be decided on that.
  void check() {
    if (iterator_->Valid() || iterator_->status().ok()) return;
    base::log::error("store", "a scan failed, no later change will be accepted: {}",
                     iterator_->status().ToString());
    group_.fail();
  }

  GroupSync& group_;
  // The iterator keeps pointers to both bounds.
  const std::string begin_;
  const std::string end_;
  const rocksdb::Slice begin_slice_;
  const rocksdb::Slice end_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksStore final : public Store {
 public:
  RocksStore(std::unique_ptr<rocksdb::DB> database,
             std::vector<rocksdb::ColumnFamilyHandle*> tables, base::Clock& clock,
             std::function<void()> on_failure)
      : database_(std::move(database)),
        tables_(std::move(tables)),
        clock_(clock),
        group_([this] { return sync_now(); }, std::move(on_failure)) {}

  ~RocksStore() override {
    for (rocksdb::ColumnFamilyHandle* table : tables_) {
      if (const auto status = database_->DestroyColumnFamilyHandle(table); !status.ok()) {
        base::log::warning("store", "closing a table: {}", status.ToString());
      }
    }
  }

  base::Result<std::optional<std::string>> get(Table table, std::string_view key) const override {
    std::string value;
    const auto status = database_->Get(rocksdb::ReadOptions(), handle(table), slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return failed(status);
    return value;
  }

  std::unique_ptr<Cursor> scan(Table table, std::string_view begin,
                               std::string_view end) const override {
    return std::make_unique<RocksCursor>(*database_, handle(table), group_, begin, end);
  }

  base::Result<void> write(Batch batch) override {
    if (group_.failed())
      return base::fail(base::ErrorKind::Internal, "The region's storage failed.");
    rocksdb::WriteBatch changes;
    for (const Change& change : batch.changes()) TRY_VOID(add(changes, change));
    const auto status = database_->Write(rocksdb::WriteOptions(), &changes);
    if (!status.ok()) {
      // It may have reached the log all the same: what memory says and what the disk says are two
      // things until the daemon starts again.
      base::log::error("store", "a write failed, no later change will be accepted: {}",
                       status.ToString());
      group_.fail();
      return failed(status);
    }
    group_.note_write();
    return {};
  }

  runtime::Task<base::Result<void>> sync() override { return group_.wait(); }

 private:
  rocksdb::ColumnFamilyHandle* handle(Table table) const {
    return tables_[static_cast<std::size_t>(table)];
  }

  base::Result<void> add(rocksdb::WriteBatch& changes, const Change& change) const {
    rocksdb::ColumnFamilyHandle* table = handle(change.table);
    rocksdb::Status status;
    switch (change.kind) {
      case Change::Kind::Put: status = changes.Put(table, change.key, change.value); break;
      case Change::Kind::Delete: status = changes.Delete(table, change.key); break;
      case Change::Kind::DeleteRange:
        if (change.key < change.value) {
          status = changes.DeleteRange(table, change.key, change.value);
        }
        break;
    }
    if (!status.ok()) return failed(status);
    return {};
  }

  base::Result<void> sync_now() {
    const base::Timestamp begun = clock_.now();
    const auto status = database_->SyncWAL();
    if (!status.ok()) return failed(status);
    const base::Duration took = clock_.now() - begun;
    if (took > kSlowSync) {
      base::log::warning("store", "a sync took {} ms: the disk is slow or overloaded",
                         took / std::chrono::milliseconds(1));
    }
    return {};
  }

  std::unique_ptr<rocksdb::DB> database_;
  std::vector<rocksdb::ColumnFamilyHandle*> tables_;
  base::Clock& clock_;
  // Last: its thread ends before the database closes.
  mutable GroupSync group_;
};

std::unexpected<base::Error> cannot_open(const std::string& path, const rocksdb::Status& status) {
  const std::string text = status.ToString();
  auto refuse = [&](base::ErrorKind kind, std::string message) {
    auto failure = base::fail(kind, std::move(message));
    failure.error().detail = text;
    return failure;
  };
  if (status.IsIOError() && text.find("/LOCK") != std::string::npos &&
      text.find("ermission denied") == std::string::npos) {
    return refuse(base::ErrorKind::Conflict,
                  "The state folder " + path + " is in use by another process.");
  }
  if (status.IsCorruption()) {
    return refuse(base::ErrorKind::Internal,
                  "The state folder " + path + " is damaged and was left as it is: " + text);
  }
  return refuse(base::ErrorKind::Internal,
                "The state folder " + path + " cannot be opened: " + text);
}

}  // namespace

base::Result<std::unique_ptr<Store>> open_rocks_store(const std::string& path, base::Clock& clock,
                                                      std::function<void()> on_failure) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) return base::fail_errno("make the state folder " + path, failure.value());
  const auto cache = rocksdb::NewLRUCache(kCacheBytes, kCacheShardBits);
  std::vector<rocksdb::ColumnFamilyDescriptor> tables;
  // RocksDB insists on its default one, which stays empty.
  tables.emplace_back(rocksdb::kDefaultColumnFamilyName, table_options(cache));
  for (const char* name : kNames) tables.emplace_back(name, table_options(cache));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(database_options(), path, tables, &handles, &opened);
  if (!status.ok()) return cannot_open(path, status);
  std::unique_ptr<rocksdb::DB> database(opened);
  if (const auto closed = database->DestroyColumnFamilyHandle(handles.front()); !closed.ok()) {
    return cannot_open(path, closed);
  }
  handles.erase(handles.begin());
  return std::make_unique<RocksStore>(std::move(database), std::move(handles), clock,
                                      std::move(on_failure));
}

}  // namespace terrarium::store
