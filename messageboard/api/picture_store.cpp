#include "messageboard/api/picture_store.h"

#include <fmt/core.h>
#include <boost/describe/enum_from_string.hpp>

#include "lib/aws/endpoint.h"
#include "lib/base/encoding.h"

namespace messageboard {

using namespace std::chrono_literals;

std::string new_picture_key(base::Random& random, PictureFormat format) {
  return fmt::format("pictures/{}.{}", random.uuid(), extension(format));
}

std::string failure_marker(std::string_view key) { return fmt::format("failed/{}", key); }

std::string picture_url(const Config& config, std::string_view bucket, std::string_view key) {
  if (!config.picture_url.empty()) {
    return fmt::format("{}/{}/{}", config.picture_url, bucket, base::percent_encode_path(key));
  }
  const auto url = aws::object_url(bucket, key, config.region);
  if (!url || url->host.ends_with(".amazonaws.com")) {
    return fmt::format("https://{}.s3.amazonaws.com/{}", bucket, base::percent_encode_path(key));
  }
  return fmt::format("{}://{}{}", url->tls ? "https" : "http", url->authority(), url->target);
}

std::optional<ImageStatus> parse_status(std::string_view text) {
  ImageStatus status{};
  if (!boost::describe::enum_from_string(std::string(text).c_str(), status)) return std::nullopt;
  return status;
}

runtime::Task<base::Result<ImageStatus>> look_up(Worker& worker, std::string key,
                                                 base::Timestamp deadline) {
  const Config& config = worker.shared.config;
  CO_TRY(const bool processed,
         co_await worker.s3.head_object(config.processed_bucket, key, deadline));
  if (processed) co_return ImageStatus::processed;
  CO_TRY(const bool failed,
         co_await worker.s3.head_object(config.raw_bucket, failure_marker(key), deadline));
  co_return failed ? ImageStatus::failed : ImageStatus::pending;
}

base::Duration pause_before_look(base::Duration age) {
  if (age < 10s) return 200ms;
  if (age < 1min) return 1s;
  if (age < 10min) return 10s;
  return 1min;
}

}  // namespace messageboard
