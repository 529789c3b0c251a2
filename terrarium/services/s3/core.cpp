#include "terrarium/services/s3/core.h"

#include <algorithm>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/names.h"

namespace terrarium::s3 {
namespace {

std::unexpected<base::Error> no_such_bucket(std::string_view name) {
  return with_field(base::fail(errors::kNoSuchBucket, "The specified bucket does not exist"),
                    "BucketName", std::string(name));
}

// Clients that signed for another region learn the right one and sign again.
base::Result<void> check_region(const wire::Context& context, const BucketRecord& bucket) {
  using wire::PrincipalKind;
  const PrincipalKind kind = context.principal.kind;
  if (kind == PrincipalKind::Anonymous || kind == PrincipalKind::Service) return {};
  if (context.region == bucket.region) return {};
  return with_field(
      with_field(base::fail(errors::kAuthorizationHeaderMalformed,
                            "The authorization header is malformed; the region '" + context.region +
                                "' is wrong; expecting '" + bucket.region + "'"),
                 "Region", bucket.region),
      "header:x-amz-bucket-region", bucket.region);
}

// Told even to those who may do nothing: how SDKs find a bucket's region.
std::unexpected<base::Error> with_region(base::Error error, const BucketRecord& bucket) {
  return with_field(std::unexpected(std::move(error)), "header:x-amz-bucket-region", bucket.region);
}

base::Result<void> check_owner(const std::optional<std::string>& expected,
                               std::string_view account) {
  if (!expected) return {};
  if (!is_account_id(*expected)) {
    return with_field(base::fail(errors::kInvalidBucketOwnerAWSAccountID,
                                 "The value of the expected bucket owner parameter must be an AWS "
                                 "account ID."),
                      "BucketOwner", *expected);
  }
  if (*expected == account) return {};
  return base::fail(errors::kAccessDenied, "Access Denied");
}

std::optional<std::string> version_named(const wire::ConditionContext& conditions) {
  const auto named = conditions.find(kVersionCondition);
  if (named == conditions.end()) return std::nullopt;
  return named->second.front();
}

}  // namespace

Core::Core(store::Store& store, base::Clock& clock, base::Random& random, runtime::Runtime& runtime,
           sqs::Api& queues, Config config)
    : store_(store),
      clock_(clock),
      random_(random),
      runtime_(runtime),
      queues_(queues),
      config_(std::move(config)),
      outbox_(store, clock, runtime.control(), queues, config_.account) {}

Core::~Core() = default;

base::Result<BucketRecord> Core::find_bucket(std::string_view name) const {
  TRY(const std::optional<std::string> stored, store_.get(store::Table::S3, bucket_key(name)));
  if (!stored) return no_such_bucket(name);
  return decode_bucket(*stored);
}

base::Result<wire::ConditionContext> Core::with_existing_tags(
    const BucketRecord& bucket, std::string_view action, std::string_view key,
    const wire::ConditionContext& conditions) const {
  wire::ConditionContext known = conditions;
  if (key.empty() || !knows_existing_tags(action) || !mentions_existing_tags(bucket.policy)) {
    return known;
  }
  // What can't be found has no tags: whoever answers the request says what is wrong with it.
  const auto version = find_version(bucket, std::string(key), version_named(conditions));
  if (version.has_value() && *version) add_existing_tags(known, (*version)->record.tags);
  return known;
}

base::Result<void> Core::admit(const wire::Context& context, const BucketRecord& bucket,
                               const std::optional<std::string>& expected_owner,
                               std::string_view action, std::string_view key,
                               const wire::ConditionContext& conditions) const {
  // Operations that name several keys ask about each by itself.
  if (action.empty()) return check_owner(expected_owner, context.account);
  TRY(const wire::ConditionContext known, with_existing_tags(bucket, action, key, conditions));
  const Judgement judgement = judge(context, bucket, action, key, known);
  bool allowed = judgement.verdict == Verdict::Allowed;
  if (judgement.verdict == Verdict::Unspoken && is_object_action(action)) {
    const auto version = find_version(bucket, std::string(key), version_named(conditions));
    if (version.has_value()) {
      // Who may list learns that there is nothing; the list of nothing allows nothing.
      allowed = *version ? object_acl_allows(context, bucket, (*version)->record.acl, action)
                         : may_list(context, bucket);
    }
  }
  if (!allowed) return access_denied(context, bucket, action, key, judgement);
  return check_owner(expected_owner, context.account);
}

base::Result<BucketRecord> Core::enter(const wire::Context& context, const std::string& bucket,
                                       const std::optional<std::string>& expected_owner,
                                       std::string_view action, std::string_view key,
                                       wire::ConditionContext conditions) const {
  TRY_VOID(check_bucket_name(bucket));
  TRY(BucketRecord record, find_bucket(bucket));
  TRY_VOID(check_region(context, record));
  const auto admitted = admit(context, record, expected_owner, action, key, conditions);
  if (!admitted.has_value()) return with_region(admitted.error(), record);
  return record;
}

base::Result<BucketRecord> Core::enter_from_anywhere(
    const wire::Context& context, const std::string& bucket,
    const std::optional<std::string>& expected_owner, std::string_view action, std::string_view key,
    wire::ConditionContext conditions) const {
  TRY_VOID(check_bucket_name(bucket));
  TRY(BucketRecord record, find_bucket(bucket));
  const auto admitted = admit(context, record, expected_owner, action, key, conditions);
  if (!admitted.has_value()) return with_region(admitted.error(), record);
  return record;
}

base::Result<std::optional<ObjectRecord>> Core::find_object(BucketNumber bucket,
                                                            std::string_view key) const {
  TRY(const std::optional<std::string> stored,
      store_.get(store::Table::S3, object_key(bucket, key)));
  if (!stored) return std::nullopt;
  TRY(ObjectRecord record, decode_object(*stored));
  return record;
}

base::Result<Core::Aftermath> Core::decide_now(const wire::Context& context,
                                               const BucketRecord& bucket, const Decide& decide) {
  // The bucket that the request was checked against may be gone, or another of its name be there.
  TRY(BucketRecord now, find_bucket(bucket.name));
  if (now.number != bucket.number) return no_such_bucket(bucket.name);
  Change change{context, std::move(now), {}, {}, {}, {}};
  TRY_VOID(decide(change));
  TRY_VOID(write(change));
  // Before the sync: the queue's own sync covers the event and what it tells of.
  for (const std::string& destination : change.aftermath.woken) outbox_.wake(destination);
  return std::move(change.aftermath);
}

base::Result<BucketCounts> Core::find_counts(BucketNumber bucket) const {
  TRY(const std::optional<std::string> stored, store_.get(store::Table::S3, counts_key(bucket)));
  if (!stored) return BucketCounts();
  return decode_counts(*stored);
}

base::Result<void> Core::write(Change& change) {
  store::Batch batch = std::exchange(change.batch, store::Batch());
  const BucketCounts added = std::exchange(change.added, BucketCounts());
  const BucketCounts removed = std::exchange(change.removed, BucketCounts());
  if (batch.empty()) return {};
  const BucketNumber bucket = change.bucket.number;
  if (added.objects == 0 && removed.objects == 0) return store_.write(std::move(batch));
  auto counts = counts_.find(bucket);
  if (counts == counts_.end()) {
    TRY(const BucketCounts found, find_counts(bucket));
    counts = counts_.emplace(bucket, found).first;
  }
  counts->second.objects += added.objects - removed.objects;
  counts->second.bytes += added.bytes - removed.bytes;
  batch.put(store::Table::S3, counts_key(bucket), encode(counts->second));
  auto written = store_.write(std::move(batch));
  // Whether it is there after all, the store knows.
  if (!written.has_value()) counts_.erase(counts);
  return written;
}

runtime::Task<base::Result<Core::Aftermath>> Core::decide_on_control(const wire::Context& context,
                                                                     const BucketRecord& bucket,
                                                                     const Decide& decide) {
  co_return decide_now(context, bucket, decide);
}

runtime::Task<base::Result<void>> Core::change(const wire::Context& context, BucketRecord bucket,
                                               Decide decide) {
  auto aftermath =
      co_await runtime::run_on(runtime_.control(), decide_on_control(context, bucket, decide));
  // A refusal too may rest on a change that is not on disk yet.
  CO_TRY_VOID(co_await store_.sync());
  if (!aftermath.has_value()) co_return std::unexpected(std::move(aftermath).error());
  for (BodyFiles& body : aftermath->released) bodies_->release(std::move(body));
  co_return base::Result<void>();
}

std::uint64_t Core::next_sequence(base::Timestamp now, std::uint64_t above) {
  const auto time = static_cast<std::uint64_t>(now.time_since_epoch().count());
  last_sequence_ = std::max({time, last_sequence_ + 1, above + 1});
  return last_sequence_;
}

runtime::Task<base::Result<void>> Core::edit(
    const wire::Context& context, BucketRecord bucket,
    std::function<base::Result<void>(BucketRecord& bucket)> edit) {
  co_return co_await change(
      context, std::move(bucket), [&edit](Change& change) -> base::Result<void> {
        TRY_VOID(edit(change.bucket));
        change.batch.put(store::Table::S3, bucket_key(change.bucket.name), encode(change.bucket));
        return {};
      });
}

void Core::add_events(Change& change, ObjectEvent event, const std::string& key,
                      const ObjectRecord& object, std::uint64_t sequence) {
  std::uint8_t index = 0;
  for (const NotificationRule& rule : change.bucket.notifications) {
    const std::uint8_t own = index++;
    if (!matches(rule, event, key)) continue;
    EventRecord record;
    record.since = change.context.now;
    record.bucket = change.bucket.name;
    record.body = event_document(change.context, change.bucket, rule, event, key, object, sequence);
    change.batch.put(store::Table::S3, event_key(rule.destination_arn, sequence, own),
                     encode(record));
    change.aftermath.woken.push_back(rule.destination_arn);
  }
}

}  // namespace terrarium::s3
