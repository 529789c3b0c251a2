// What the operations of service.h stand on: buckets and versions found, bodies opened, changes
// made.
//
// Reading functions run on any executor. What takes a Change runs where it is decided: on the
// control executor, between reading and writing, without an await.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generated/s3/model.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/runtime/runtime.h"
#include "terrarium/services/s3/bodies.h"
#include "terrarium/services/s3/conditions.h"
#include "terrarium/services/s3/notification.h"
#include "terrarium/services/s3/outbox.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/services/sqs/api.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/policy.h"
#include "terrarium/wire/service.h"

namespace terrarium::s3 {

struct Config {
  std::string state_directory;  // where bodies lie
  std::string account = "000000000000";
};

class Core {
 protected:
  template <class T>
  using Later = runtime::Task<base::Result<T>>;

  Core(store::Store& store, base::Clock& clock, base::Random& random, runtime::Runtime& runtime,
       sqs::Api& queues, Config config);
  ~Core();

  // What a change leaves to do once it is on disk.
  struct Aftermath {
    std::vector<BodyFiles> released;
    std::vector<std::string> woken;  // destinations with a new event
  };
  // A bucket and a change of it: the parts of a request that every batch needs.
  struct Change {
    const wire::Context& context;
    BucketRecord bucket;  // as it is now
    store::Batch batch;
    Aftermath aftermath;
    BucketCounts added;    // what the batch adds to the bucket's counts,
    BucketCounts removed;  // and what it takes from them
  };

  struct StoredVersion {
    ObjectRecord record;
    std::string row;  // the key under which it lies
  };

  // Reading: core.cpp. Any executor.
  base::Result<BucketRecord> find_bucket(std::string_view name) const;
  // With the checks that every operation on a bucket begins with: it is there, the request was
  // signed for its region, it belongs to whom the client expects, the policy allows the action.
  base::Result<BucketRecord> enter(const wire::Context& context, const std::string& bucket,
                                   const std::optional<std::string>& expected_owner,
                                   std::string_view action, std::string_view key = {},
                                   wire::ConditionContext conditions = {}) const;
  // The same wherever the request was signed for.
  base::Result<BucketRecord> enter_from_anywhere(const wire::Context& context,
                                                 const std::string& bucket,
                                                 const std::optional<std::string>& expected_owner,
                                                 std::string_view action, std::string_view key,
                                                 wire::ConditionContext conditions = {}) const;
  // What the policy, the lists and the bucket's owner say.
  base::Result<void> admit(const wire::Context& context, const BucketRecord& bucket,
                           const std::optional<std::string>& expected_owner,
                           std::string_view action, std::string_view key,
                           const wire::ConditionContext& conditions) const;
  // `conditions`, and the tags of the object where the policy asks about them.
  base::Result<wire::ConditionContext> with_existing_tags(
      const BucketRecord& bucket, std::string_view action, std::string_view key,
      const wire::ConditionContext& conditions) const;
  // The current object.
  base::Result<std::optional<ObjectRecord>> find_object(BucketNumber bucket,
                                                        std::string_view key) const;

  // Versions: core_version.cpp. Any executor, but for what takes a Change.
  // The version that an id names, or the current object; nothing when there is no such.
  // InvalidArgument for what is no id. May be a delete marker.
  base::Result<std::optional<StoredVersion>> find_version(
      const BucketRecord& bucket, const std::string& key,
      const std::optional<std::string>& version_id) const;
  // An object: NoSuchKey, NoSuchVersion, or AccessDenied for those who may not know; for a delete
  // marker, named or found instead of an object, with the headers that tell of it.
  base::Result<StoredVersion> require_version(const wire::Context& context,
                                              const BucketRecord& bucket, const std::string& key,
                                              const std::optional<std::string>& version_id) const;
  // Puts an edited version back where it lies.
  static void rewrite_version(Change& change, const StoredVersion& version);
  // Makes `record` the newest version of the key; `current`: find_object() just now.
  base::Result<void> add_version(Change& change, const std::string& key,
                                 const std::optional<ObjectRecord>& current, ObjectRecord& record);
  base::Result<ObjectRecord> add_delete_marker(Change& change, const std::string& key,
                                               const std::optional<ObjectRecord>& current);
  // For good; what it hid becomes current.
  base::Result<void> remove_version(Change& change, const std::string& key,
                                    const StoredVersion& version);
  base::Result<std::optional<StoredVersion>> read_version(std::string row) const;
  // The newest version under `v`, but for that of row `but_for`.
  base::Result<std::optional<StoredVersion>> newest_kept(BucketNumber bucket,
                                                         const std::string& key,
                                                         std::string_view but_for) const;
  static void keep_version(Change& change, const std::string& key, const ObjectRecord& record);
  base::Result<void> drop_version(Change& change, const std::string& key,
                                  const StoredVersion& version);
  base::Result<void> make_room(Change& change, const std::string& key,
                               const std::optional<ObjectRecord>& current, ObjectRecord& newest);

  // Bodies: core_body.cpp. An error that is_replaced(): the record is history, read it again.
  Later<std::unique_ptr<http::BodyReader>> open_body(ObjectRecord record, ByteRange range);
  static bool is_replaced(const base::Error& error, int attempt);
  struct FoundParts {
    std::vector<Segment> segments;
    std::uint64_t first_byte = 0;    // of the first of them
    std::uint32_t parts_before = 0;  // it
  };
  // The parts of a multipart object that hold bytes of `range`, and some around them.
  base::Result<FoundParts> find_segments(const ObjectRecord& record, ByteRange range) const;
  struct FoundPart {
    Segment segment;
    ByteRange range;  // in the object
  };
  // Of a multipart object, counted from 1.
  base::Result<FoundPart> find_part(const ObjectRecord& record, std::uint32_t number) const;
  static void put_body(store::Batch& batch, ObjectRecord& record, const NewBody& body);
  void put_parts(store::Batch& batch, ObjectRecord& record, const std::vector<Segment>& parts);
  base::Result<void> erase_body(Change& change, const ObjectRecord& record);

  // Changing: core.cpp. Runs `decide` on the control executor with the bucket as it is there,
  // writes the batch that it fills and returns once that is on disk.
  using Decide = std::function<base::Result<void>(Change& change)>;
  Later<void> change(const wire::Context& context, BucketRecord bucket, Decide decide);
  base::Result<Aftermath> decide_now(const wire::Context& context, const BucketRecord& bucket,
                                     const Decide& decide);
  Later<Aftermath> decide_on_control(const wire::Context& context, const BucketRecord& bucket,
                                     const Decide& decide);
  // Writes what the batch holds so far, with the bucket's counts after it.
  base::Result<void> write(Change& change);
  base::Result<BucketCounts> find_counts(BucketNumber bucket) const;
  std::uint64_t next_sequence(base::Timestamp now, std::uint64_t above);
  // Writes an edited bucket record.
  Later<void> edit(const wire::Context& context, BucketRecord bucket,
                   std::function<base::Result<void>(BucketRecord& bucket)> edit);
  void add_events(Change& change, ObjectEvent event, const std::string& key,
                  const ObjectRecord& object, std::uint64_t sequence);

  // Lifecycle: core_lifecycle.cpp. The rules of a bucket that is there, perhaps none.
  base::Result<BucketLifecycleConfiguration> find_lifecycle(const BucketRecord& bucket) const;
  // x-amz-expiration of a current object.
  base::Result<std::optional<std::string>> expiration_of(const BucketRecord& bucket,
                                                         const std::string& key,
                                                         const ObjectRecord& record) const;

  store::Store& store_;
  base::Clock& clock_;
  base::Random& random_;
  runtime::Runtime& runtime_;
  sqs::Api& queues_;
  const Config config_;
  std::unique_ptr<Bodies> bodies_;  // from start() on
  Outbox outbox_;
  std::uint64_t last_sequence_ = 0;              // control executor
  std::map<BucketNumber, BucketCounts> counts_;  // of buckets that change; control executor
};

}  // namespace terrarium::s3
