#include "terrarium/services/s3/service.h"

#include <boost/json.hpp>

#include <algorithm>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/keys.h"

namespace terrarium::s3 {

Service::Service(store::Store& store, base::Clock& clock, base::Random& random,
                 runtime::Runtime& runtime, sqs::Api& queues, Config config)
    : Settings(store, clock, random, runtime, queues, std::move(config)),
      tasks_(runtime.control()),
      rules_changed_(std::make_shared<runtime::Event>(clock)) {}

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
  tasks_.spawn("expire objects", expire_daily());
  return {};
}

runtime::Task<void> Service::stop() {
  co_await tasks_.stop();
  co_await outbox_.stop();
  if (bodies_) co_await bodies_->stop();
}

boost::json::array Service::status() const {
  boost::json::array buckets;
  const auto end = store::prefix_end(kBucketPrefix);
  for (auto at = store_.scan(store::Table::S3, kBucketPrefix, end); at->valid(); at->next()) {
    const auto bucket = decode_bucket(at->value());
    if (!bucket.has_value()) continue;
    const BucketCounts counts = find_counts(bucket->number).value_or(BucketCounts());
    buckets.push_back(boost::json::object{{"name", bucket->name},
                                          {"region", bucket->region},
                                          {"objects", counts.objects},
                                          {"bytes", counts.bytes}});
  }
  return buckets;
}

runtime::Task<base::Result<std::string>> Service::read_object(std::string bucket, std::string key,
                                                              std::optional<std::string> version_id,
                                                              std::size_t bytes_max) {
  for (int attempt = 0;; ++attempt) {
    CO_TRY(const BucketRecord record, find_bucket(bucket));
    CO_TRY(const std::optional<StoredVersion> found, find_version(record, key, version_id));
    if (!found && version_id) {
      co_return base::fail(errors::kNoSuchVersion, "The specified version does not exist.");
    }
    if (!found) {
      co_return with_field(base::fail(errors::kNoSuchKey, "The specified key does not exist."),
                           "Key", key);
    }
    if (found->record.delete_marker) {
      co_return base::fail(errors::kMethodNotAllowed,
                           "The specified method is not allowed against this resource.");
    }
    auto body = co_await open_body(found->record, {0, found->record.bytes});
    if (body.has_value()) co_return co_await http::read_all(**body, bytes_max);
    if (!is_replaced(body.error(), attempt)) co_return std::unexpected(std::move(body).error());
  }
}

runtime::Task<bool> Service::bucket_exists(std::string bucket) {
  co_return find_bucket(bucket).has_value();
}

}  // namespace terrarium::s3
