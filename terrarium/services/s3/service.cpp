#include "terrarium/services/s3/service.h"

#include <boost/json.hpp>

#include <algorithm>

#include "generated/s3/errors.h"
#include "lib/base/check.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/keys.h"

namespace terrarium::s3 {
namespace {

// A body that is replaced again and again while it is read: then the reader gives up.
constexpr int kReadAttemptsMax = 8;

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

base::Result<void> admit(const wire::Context& context, const BucketRecord& bucket,
                         const std::optional<std::string>& expected_owner, std::string_view action,
                         std::string_view key, wire::ConditionContext conditions) {
  base::Result<void> allowed;
  // Operations that name several keys ask about each by itself.
  if (!action.empty()) {
    allowed = check_access(context, bucket, action, key, std::move(conditions));
  }
  if (allowed.has_value() && expected_owner && *expected_owner != context.account) {
    allowed = base::fail(errors::kAccessDenied, "Access Denied");
  }
  if (allowed.has_value()) return {};
  // Told even to those who may do nothing: how SDKs find a bucket's region.
  return with_field(std::unexpected(std::move(allowed).error()), "header:x-amz-bucket-region",
                    bucket.region);
}

}  // namespace

Service::Service(store::Store& store, base::Clock& clock, base::Random& random,
                 runtime::Runtime& runtime, sqs::Api& queues, Config config)
    : store_(store),
      random_(random),
      runtime_(runtime),
      queues_(queues),
      config_(std::move(config)),
      outbox_(store, clock, runtime.control(), queues, config_.account) {}

Service::~Service() = default;

base::Result<void> Service::start() {
  TRY(bodies_, Bodies::open(config_.state_directory, runtime_, random_));
  // Sequence numbers are times; where the clock was set back, they go on from the highest known.
  last_sequence_ = outbox_.last_sequence();
  const auto end = store::prefix_end(kBucketPrefix);
  for (auto at = store_.scan(store::Table::S3, kBucketPrefix, end); at->valid(); at->next()) {
    TRY(const BucketRecord bucket, decode_bucket(at->value()));
    last_sequence_ = std::max(last_sequence_, static_cast<std::uint64_t>(bucket.number));
  }
  bodies_->start(store_);
  outbox_.start();
  return {};
}

runtime::Task<void> Service::stop() {
  co_await outbox_.stop();
  if (bodies_) co_await bodies_->stop();
}

boost::json::array Service::status() const {
  boost::json::array buckets;
  const auto end = store::prefix_end(kBucketPrefix);
  for (auto at = store_.scan(store::Table::S3, kBucketPrefix, end); at->valid(); at->next()) {
    const auto bucket = decode_bucket(at->value());
    if (!bucket.has_value()) continue;
    buckets.push_back(boost::json::object{{"name", bucket->name}, {"region", bucket->region}});
  }
  return buckets;
}

base::Result<BucketRecord> Service::find_bucket(std::string_view name) const {
  TRY(const std::optional<std::string> stored, store_.get(store::Table::S3, bucket_key(name)));
  if (!stored) return no_such_bucket(name);
  return decode_bucket(*stored);
}

base::Result<BucketRecord> Service::enter(const wire::Context& context, const std::string& bucket,
                                          const std::optional<std::string>& expected_owner,
                                          std::string_view action, std::string_view key,
                                          wire::ConditionContext conditions) const {
  TRY_VOID(check_bucket_name(bucket));
  TRY(BucketRecord record, find_bucket(bucket));
  TRY_VOID(check_region(context, record));
  TRY_VOID(admit(context, record, expected_owner, action, key, std::move(conditions)));
  return record;
}

base::Result<BucketRecord> Service::enter_from_anywhere(
    const wire::Context& context, const std::string& bucket,
    const std::optional<std::string>& expected_owner, std::string_view action,
    std::string_view key) const {
  TRY_VOID(check_bucket_name(bucket));
  TRY(BucketRecord record, find_bucket(bucket));
  TRY_VOID(admit(context, record, expected_owner, action, key, {}));
  return record;
}

base::Result<std::optional<ObjectRecord>> Service::find_object(BucketNumber bucket,
                                                               std::string_view key) const {
  TRY(const std::optional<std::string> stored,
      store_.get(store::Table::S3, object_key(bucket, key)));
  if (!stored) return std::nullopt;
  TRY(ObjectRecord record, decode_object(*stored));
  return record;
}

base::Result<ObjectRecord> Service::require_object(const wire::Context& context,
                                                   const BucketRecord& bucket,
                                                   const std::string& key) const {
  TRY(std::optional<ObjectRecord> record, find_object(bucket.number, key));
  if (record) return *std::move(record);
  if (!may_list(context, bucket)) return base::fail(errors::kAccessDenied, "Access Denied");
  return with_field(base::fail(errors::kNoSuchKey, "The specified key does not exist."), "Key",
                    key);
}

runtime::Task<base::Result<std::unique_ptr<http::BodyReader>>> Service::open_body(
    ObjectRecord record, ByteRange range) {
  if (record.bytes == 0 || range.bytes == 0) co_return http::body_of({});
  if (record.inline_body) {
    CO_TRY(std::optional<std::string> bytes,
           store_.get(store::Table::S3, inline_body_key(*record.inline_body)));
    if (!bytes) co_return base::fail(base::ErrorKind::NotFound, "The body was replaced.");
    if (range.bytes == bytes->size()) co_return http::body_of(*std::move(bytes));
    co_return http::body_of(bytes->substr(range.first, range.bytes));
  }
  Bodies::Pin pin = bodies_->pin(record.segments);
  if (!pin) co_return base::fail(base::ErrorKind::NotFound, "The body was replaced.");
  co_return co_await bodies_->read(std::move(record.segments), std::move(pin), range.first,
                                   range.bytes);
}

base::Result<Service::Aftermath> Service::decide_now(const wire::Context& context,
                                                     const BucketRecord& bucket,
                                                     const Decide& decide) {
  // The bucket that the request was checked against may be gone, or another of its name be there.
  TRY(BucketRecord now, find_bucket(bucket.name));
  if (now.number != bucket.number) return no_such_bucket(bucket.name);
  Change change{context, std::move(now), {}, {}};
  TRY_VOID(decide(change));
  if (!change.batch.empty()) TRY_VOID(store_.write(std::move(change.batch)));
  // Before the sync: the queue's own sync covers the event and what it tells of.
  for (const std::string& destination : change.aftermath.woken) outbox_.wake(destination);
  return std::move(change.aftermath);
}

runtime::Task<base::Result<Service::Aftermath>> Service::decide_on_control(
    const wire::Context& context, const BucketRecord& bucket, const Decide& decide) {
  co_return decide_now(context, bucket, decide);
}

runtime::Task<base::Result<void>> Service::change(const wire::Context& context, BucketRecord bucket,
                                                  Decide decide) {
  auto aftermath =
      co_await runtime::run_on(runtime_.control(), decide_on_control(context, bucket, decide));
  // A refusal too may rest on a change that is not on disk yet.
  CO_TRY_VOID(co_await store_.sync());
  if (!aftermath.has_value()) co_return std::unexpected(std::move(aftermath).error());
  for (std::vector<Segment>& body : aftermath->released) bodies_->release(std::move(body));
  co_return base::Result<void>();
}

std::uint64_t Service::next_sequence(base::Timestamp now, std::uint64_t above) {
  const auto time = static_cast<std::uint64_t>(now.time_since_epoch().count());
  last_sequence_ = std::max({time, last_sequence_ + 1, above + 1});
  return last_sequence_;
}

runtime::Task<base::Result<void>> Service::edit(
    const wire::Context& context, BucketRecord bucket,
    std::function<base::Result<void>(BucketRecord& bucket)> edit) {
  co_return co_await change(
      context, std::move(bucket), [&edit](Change& change) -> base::Result<void> {
        TRY_VOID(edit(change.bucket));
        change.batch.put(store::Table::S3, bucket_key(change.bucket.name), encode(change.bucket));
        return {};
      });
}

void Service::add_events(Change& change, ObjectEvent event, const std::string& key,
                         const ObjectRecord* object, std::uint64_t sequence) {
  std::uint8_t index = 0;
  for (const NotificationRule& rule : change.bucket.notifications) {
    const std::uint8_t own = index++;
    if (!matches(rule, event, key)) continue;
    EventRecord record;
    record.since = change.context.now;
    record.bucket = change.bucket.name;
    record.body = event_document(change.context, change.bucket, rule, event, key, object, sequence);
    change.batch.put(store::Table::S3, event_key(rule.queue_arn, sequence, own), encode(record));
    change.aftermath.woken.push_back(rule.queue_arn);
  }
}

runtime::Task<base::Result<std::string>> Service::read_object(std::string bucket, std::string key,
                                                              std::size_t bytes_max) {
  for (int attempt = 0;; ++attempt) {
    CO_TRY(const BucketRecord record, find_bucket(bucket));
    CO_TRY(std::optional<ObjectRecord> object, find_object(record.number, key));
    if (!object) {
      co_return with_field(base::fail(errors::kNoSuchKey, "The specified key does not exist."),
                           "Key", key);
    }
    auto body = co_await open_body(*object, {0, object->bytes});
    if (body.has_value()) co_return co_await http::read_all(**body, bytes_max);
    if (!is_replaced(body.error(), attempt)) co_return std::unexpected(std::move(body).error());
  }
}

runtime::Task<bool> Service::bucket_exists(std::string bucket) {
  co_return find_bucket(bucket).has_value();
}

bool Service::is_replaced(const base::Error& error, int attempt) {
  return error.kind == base::ErrorKind::NotFound && error.row == nullptr &&
         attempt < kReadAttemptsMax;
}

}  // namespace terrarium::s3
