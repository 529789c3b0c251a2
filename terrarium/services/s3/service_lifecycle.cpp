// Lifecycle: configured, and carried out. Once a day, at the midnight (UTC) to which days are
// rounded, and shortly after a configuration changed, every bucket that has rules is walked; what
// is due goes in small batches, each decided by what the store says then.
#include <algorithm>
#include <set>

#include "generated/s3/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/s3/expirer.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/service.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

// Removals of one batch: the control executor is busy with them for about a millisecond.
constexpr std::size_t kBatchMax = 100;
// After a change of rules: several changes at once are one walk.
constexpr base::Duration kChangeDelay = std::chrono::seconds(5);

// What the default is called; nothing here is ever moved.
constexpr std::string_view kTransitionMinimum = "all_storage_classes_128K";

std::unexpected<base::Error> no_configuration(const std::string& bucket) {
  return with_field(base::fail(errors::kNoSuchLifecycleConfiguration,
                               "The lifecycle configuration does not exist"),
                    "BucketName", bucket);
}

base::Timestamp next_midnight(base::Timestamp now) {
  return std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1);
}

// Who expires objects.
wire::Context expiring_context(base::Clock& clock, base::Random& random, const std::string& account,
                               const std::string& region) {
  wire::Context context;
  context.request_id = random.uuid();
  context.region = region;
  context.account = account;
  context.principal = {
      wire::PrincipalKind::Service, account, "s3.amazonaws.com", "s3.amazonaws.com", {}};
  context.now = clock.now();
  context.deadline = context.now + std::chrono::minutes(1);
  return context;
}

}  // namespace

Task<base::Result<GetBucketLifecycleConfigurationOutput>>
Service::get_bucket_lifecycle_configuration(const wire::Context& context,
                                            GetBucketLifecycleConfigurationRequest request) {
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:GetLifecycleConfiguration"));
  CO_TRY(BucketLifecycleConfiguration configuration, find_lifecycle(bucket));
  if (configuration.rules.empty()) co_return no_configuration(request.bucket);
  GetBucketLifecycleConfigurationOutput output;
  output.rules = std::move(configuration.rules);
  output.transition_default_minimum_object_size = kTransitionMinimum;
  co_return output;
}

Task<base::Result<PutBucketLifecycleConfigurationOutput>>
Service::put_bucket_lifecycle_configuration(const wire::Context& context,
                                            PutBucketLifecycleConfigurationRequest request) {
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutLifecycleConfiguration"));
  const auto& minimum = request.transition_default_minimum_object_size;
  if (minimum && *minimum != kTransitionMinimum) {
    co_return not_supported("A transition to another storage class");
  }
  BucketLifecycleConfiguration configuration =
      request.lifecycle_configuration.value_or(BucketLifecycleConfiguration());
  CO_TRY_VOID(check_lifecycle(configuration, random_));
  const std::string rules = encode(configuration);
  const auto decide = [&rules](Change& change) -> base::Result<void> {
    change.bucket.has_lifecycle = true;
    change.batch.put(store::Table::S3, lifecycle_key(change.bucket.number), rules);
    change.batch.put(store::Table::S3, bucket_key(change.bucket.name), encode(change.bucket));
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  runtime::asio::post(runtime_.control(), [changed = rules_changed_] { changed->notify_all(); });
  PutBucketLifecycleConfigurationOutput output;
  output.transition_default_minimum_object_size = kTransitionMinimum;
  co_return output;
}

Task<base::Result<wire::Empty>> Service::delete_bucket_lifecycle(
    const wire::Context& context, DeleteBucketLifecycleRequest request) {
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutLifecycleConfiguration"));
  const auto decide = [](Change& change) -> base::Result<void> {
    change.bucket.has_lifecycle = false;
    change.batch.erase(store::Table::S3, lifecycle_key(change.bucket.number));
    change.batch.put(store::Table::S3, bucket_key(change.bucket.name), encode(change.bucket));
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  co_return wire::Empty{};
}

// Control executor.
Task<void> Service::expire_daily() {
  const std::shared_ptr<runtime::Event> changed = rules_changed_;
  while (!tasks_.stopping()) {
    co_await expire_due();
    if (tasks_.stopping()) co_return;
    if (co_await changed->wait_until(next_midnight(clock_.now()))) {
      co_await runtime::sleep_until(clock_, clock_.now() + kChangeDelay);
    }
  }
}

Task<void> Service::expire_due() {
  std::string after;
  while (!tasks_.stopping()) {
    // One bucket at a time, read anew: this takes long, and buckets come and go meanwhile.
    const auto at =
        store_.scan(store::Table::S3, bucket_key(after + '\0'), store::prefix_end(kBucketPrefix));
    if (!at->valid()) co_return;
    auto bucket = decode_bucket(at->value());
    if (!bucket.has_value()) co_return base::log::error("s3", "{}", base::describe(bucket.error()));
    after = bucket->name;
    if (!bucket->has_lifecycle) continue;
    const auto done = co_await expire_bucket(*std::move(bucket));
    if (!done.has_value()) {
      base::log::warning("s3", "lifecycle of bucket {}: {}", after, base::describe(done.error()));
    }
  }
}

Task<base::Result<void>> Service::expire_bucket(BucketRecord bucket) {
  CO_TRY(const BucketLifecycleConfiguration configuration, find_lifecycle(bucket));
  const base::Timestamp now = clock_.now();
  Expirer expirer(configuration, now);
  VersionQuery query;
  VersionPage page;
  do {
    CO_TRY(page, co_await runtime_.blocking().run([this, number = bucket.number, &query] {
      return list_versions(store_, number, query);
    }));
    for (const ListedVersion& entry : page.versions) expirer.take(entry);
    if (!page.truncated) expirer.finish();
    CO_TRY_VOID(co_await expire(bucket, expirer.found()));
    query.after_key = page.last_key;
    if (!page.versions.empty()) {
      const ObjectRecord& last = page.versions.back().record;
      query.after_version = VersionName{last.sequence, last.version_nonce};
    }
  } while (page.truncated && !tasks_.stopping());
  co_return co_await expire_uploads(bucket, configuration, now);
}

Task<base::Result<void>> Service::expire(const BucketRecord& bucket,
                                         std::vector<Expiring> expiring) {
  for (std::size_t at = 0; at < expiring.size() && !tasks_.stopping(); at += kBatchMax) {
    const std::span<const Expiring> some =
        std::span(expiring).subspan(at, std::min(kBatchMax, expiring.size() - at));
    const wire::Context context = expiring_context(clock_, random_, config_.account, bucket.region);
    const auto decide = [this, some](Change& change) -> base::Result<void> {
      TRY(const BucketLifecycleConfiguration configuration, find_lifecycle(change.bucket));
      std::set<std::string> touched;
      for (const Expiring& one : some) {
        TRY_VOID(write_before(change, touched, one.key));
        TRY_VOID(expire_one(change, configuration, one));
      }
      return {};
    };
    CO_TRY_VOID(co_await change(context, bucket, decide));
  }
  co_return base::Result<void>();
}

base::Result<void> Service::expire_one(Change& change,
                                       const BucketLifecycleConfiguration& configuration,
                                       const Expiring& one) {
  TRY(const auto version, find_version(change.bucket, one.key, one.version_id));
  if (!version) return {};
  const ObjectRecord& record = version->record;
  const bool current = version->row == object_key(change.bucket.number, one.key);
  if (one.what == Expiring::What::Object) {
    const auto due = object_due(configuration, one.key, record);
    if (!current || !due || due->at > change.context.now) return {};
    if (change.bucket.versioning != Versioning::Never) {
      TRY(const ObjectRecord marker, add_delete_marker(change, one.key, record));
      add_events(change, ObjectEvent::LifecycleDeleteMarkerCreated, one.key, marker,
                 marker.sequence);
      return {};
    }
  } else if (current) {
    return {};
  }
  if (one.what == Expiring::What::Marker) {
    TRY(const auto other, newest_kept(change.bucket.number, one.key, version->row));
    TRY(const auto object, find_object(change.bucket.number, one.key));
    if (!record.delete_marker || other || object) return {};
  }
  TRY_VOID(remove_version(change, one.key, *version));
  add_events(change, ObjectEvent::LifecycleDelete, one.key, record,
             next_sequence(change.context.now, record.sequence));
  return {};
}

Task<base::Result<void>> Service::expire_uploads(const BucketRecord& bucket,
                                                 const BucketLifecycleConfiguration& configuration,
                                                 base::Timestamp now) {
  UploadQuery query;
  UploadPage page;
  do {
    CO_TRY(page, co_await runtime_.blocking().run([this, number = bucket.number, &query] {
      return list_uploads(store_, number, query);
    }));
    for (const ListedUpload& upload : page.uploads) {
      const auto due = upload_due(configuration, upload.key, upload.record.initiated);
      if (!due || due->at > now) continue;
      const wire::Context context =
          expiring_context(clock_, random_, config_.account, bucket.region);
      CO_TRY_VOID(
          co_await change(context, bucket, [this, &upload](Change& change) -> base::Result<void> {
            const auto found = find_upload(change.bucket.number, upload.key, upload.upload_id);
            if (!found.has_value()) return {};
            TRY(const auto parts, find_parts(upload.upload_id));
            erase_upload(change, upload.key, upload.upload_id, parts, {});
            return {};
          }));
    }
    query.after_key = page.last_key;
    query.after_upload_id = page.last_upload_id;
  } while (page.truncated && !tasks_.stopping());
  co_return base::Result<void>();
}

}  // namespace terrarium::s3
