#include "terrarium/services/s3/version_listing.h"

#include <limits>
#include <memory>

#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/listing.h"

namespace terrarium::s3 {
namespace {

// Both ranges of a bucket side by side.
class Merge {
 public:
  Merge(const store::Store& store, BucketNumber bucket, const std::string& prefix)
      : bucket_(bucket), before_keys_(object_prefix(bucket)) {
    const std::string objects = before_keys_ + prefix;
    current_ = store.scan(store::Table::S3, objects, store::prefix_end(objects));
    const std::string versions = version_scan_prefix(bucket, prefix);
    kept_ = store.scan(store::Table::S3, versions, store::prefix_end(versions));
    read();
  }

  bool valid() const { return current_->valid() || kept_->valid(); }
  base::Result<void> status() const {
    TRY_VOID(current_->status());
    return kept_->status();
  }
  // The next version's key, and whether it is the current object.
  const std::string& key() const { return is_current() ? current_key_ : place_.key; }
  bool is_current() const {
    return current_->valid() && (!kept_->valid() || current_key_ <= place_.key);
  }
  std::string_view value() const { return is_current() ? current_->value() : kept_->value(); }

  void next() {
    (is_current() ? current_ : kept_)->next();
    read();
  }
  // To the first key that is `key` or sorts after it.
  void seek(const std::string& key) {
    current_->seek(before_keys_ + key);
    kept_->seek(version_scan_prefix(bucket_, key));
    read();
  }
  // Past every key that starts with `prefix`.
  void pass(const std::string& prefix) {
    current_->seek(store::prefix_end(before_keys_ + prefix));
    kept_->seek(store::prefix_end(version_scan_prefix(bucket_, prefix)));
    read();
  }
  // Past the kept versions of `key` down to and with that of `sequence`.
  void pass_kept(const std::string& key, std::uint64_t sequence) {
    kept_->seek(store::prefix_end(version_key(bucket_, key, sequence)));
    read();
  }

 private:
  void read() {
    if (current_->valid()) current_key_ = current_->key().substr(before_keys_.size());
    if (kept_->valid()) place_ = parse_version_key(kept_->key()).value_or(VersionPlace());
  }

  const BucketNumber bucket_;
  const std::string before_keys_;
  std::unique_ptr<store::Cursor> current_;
  std::unique_ptr<store::Cursor> kept_;
  std::string current_key_;
  VersionPlace place_;
};

// The sequence after which a page goes on within its first key; 0 when that key is past.
base::Result<std::uint64_t> resume_sequence(const store::Store& store, BucketNumber bucket,
                                            const VersionQuery& query) {
  if (!query.after_version) return std::uint64_t{0};
  if (query.after_version->sequence != 0) return query.after_version->sequence;
  TRY(const auto place, store.get(store::Table::S3, null_version_key(bucket, query.after_key)));
  if (place) return decode_sequence(*place);
  TRY(const auto current, store.get(store::Table::S3, object_key(bucket, query.after_key)));
  if (!current) return std::uint64_t{0};
  TRY(const ObjectRecord record, decode_object(*current));
  return record.version_nonce.empty() ? record.sequence : std::uint64_t{0};
}

base::Result<void> begin(Merge& merge, const store::Store& store, BucketNumber bucket,
                         const VersionQuery& query) {
  if (query.after_key.empty() || query.after_key < query.prefix) return {};
  TRY(const std::uint64_t after, resume_sequence(store, bucket, query));
  merge.seek(query.after_key);
  if (merge.valid() && merge.is_current() && merge.key() == query.after_key) {
    TRY(const ObjectRecord current, decode_object(merge.value()));
    // One that was written since the last page comes before the marker.
    if (current.sequence >= after) merge.next();
  }
  // No version is older than the sequence 1: with 0 none of the key is left.
  merge.pass_kept(query.after_key, after);
  return {};
}

}  // namespace

base::Result<VersionPage> list_versions(const store::Store& store, BucketNumber bucket,
                                        const VersionQuery& query) {
  VersionPage page;
  if (query.entries_max == 0) return page;
  Merge merge(store, bucket, query.prefix);
  TRY_VOID(begin(merge, store, bucket, query));
  std::string previous = query.after_key;
  while (merge.valid()) {
    const auto rolled = common_prefix(merge.key(), query.prefix, query.delimiter);
    // A marker inside a common prefix says that the prefix was on an earlier page.
    const bool seen = rolled && *rolled <= query.after_key;
    if (!seen && page.versions.size() + page.common_prefixes.size() == query.entries_max) {
      page.truncated = true;
      return page;
    }
    if (rolled) {
      const std::string passed(*rolled);
      if (!seen) {
        page.common_prefixes.push_back(passed);
        page.last_key = passed;
        page.last_version_id.clear();
      }
      merge.pass(passed);
      continue;
    }
    TRY(ObjectRecord record, decode_object(merge.value()));
    const bool latest = merge.is_current() || merge.key() != previous;
    previous = page.last_key = merge.key();
    page.last_version_id = version_id_of(record);
    page.versions.push_back({previous, std::move(record), latest});
    merge.next();
  }
  TRY_VOID(merge.status());
  return page;
}

}  // namespace terrarium::s3
