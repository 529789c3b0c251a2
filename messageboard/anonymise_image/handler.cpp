#include "messageboard/anonymise_image/handler.h"

#include <utility>

#include "lib/base/log.h"

namespace anonymise_image {
namespace {

namespace log = base::log;
using runtime::Task;

constexpr std::string_view kArea = "anonymise_image";
// This part of the invocation's time is kept for publishing, or for telling why not.
constexpr int kReservedPart = 8;

// One line, whatever a key contains.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  }
  return text;
}

// What S3 refuses now - keys that expired, a policy - says nothing about the picture.
base::Error not_final(base::Error error) {
  error.kind = base::ErrorKind::Unavailable;
  return error;
}

}  // namespace

Task<base::Result<std::string>> S3Objects::get(S3Object object, std::size_t bytes_max,
                                               base::Timestamp deadline) {
  CO_TRY(auto found, co_await client_.get_object(std::move(object.bucket), std::move(object.key),
                                                 bytes_max, deadline));
  co_return std::move(found.bytes);
}

Task<base::Result<void>> S3Objects::put(S3Object object, std::string bytes,
                                        std::string content_type, base::Timestamp deadline) {
  co_return co_await client_.put_object(
      std::move(object.bucket), std::move(object.key),
      aws::Object{.bytes = std::move(bytes), .content_type = std::move(content_type)}, deadline);
}

bool is_given_up(base::ErrorKind kind, unsigned receive_count, unsigned receives_max) {
  return is_final(kind) || receive_count >= receives_max;
}

Task<base::Result<std::string>> Handler::handle(std::string event, base::Timestamp deadline) {
  log::info(kArea, "SQS event: {}", for_log(event));
  CO_TRY(auto messages, parse_sqs_event(event));
  std::vector<std::string> failed;
  for (SqsMessage& message : messages) {
    std::string id = message.id;
    if (!co_await handle_message(std::move(message), deadline)) failed.push_back(std::move(id));
  }
  co_return batch_item_failures(failed);
}

// True when the message is done with. False brings it back, and in the end to the dead-letter
// queue.
Task<bool> Handler::handle_message(SqsMessage message, base::Timestamp deadline) {
  log::info(kArea, "S3 event: {}", for_log(message.body));
  auto objects = parse_s3_event(message.body);
  if (!objects) {
    log::error(kArea, "Message {} is not an S3 event: {}", message.id,
               base::describe(objects.error()));
    co_return false;
  }
  bool all_done = true;
  for (const S3Object& object : *objects) {
    const auto processed = co_await process(object, deadline);
    if (processed) continue;
    all_done = false;
    const base::Error& error = processed.error();
    log::error(kArea, "Could not anonymise {} of bucket {}: {}", printable(object.key),
               object.bucket, base::describe(error));
    if (is_given_up(error.kind, message.receive_count, settings_.receives_max)) {
      const bool ours = !is_final(error.kind);
      co_await mark_failed(object, ours ? "the picture could not be processed" : error.message,
                           deadline);
    }
  }
  co_return all_done;
}

Task<base::Result<void>> Handler::process(S3Object object, base::Timestamp deadline) {
  const base::Timestamp start = clock_.now();
  const base::Timestamp searched_by = deadline - (deadline - start) / kReservedPart;
  auto raw = co_await objects_.get(object, settings_.limits.bytes_max, deadline);
  if (!raw) {
    const base::ErrorKind kind = raw.error().kind;
    const bool about_object =
        kind == base::ErrorKind::NotFound || kind == base::ErrorKind::TooLarge;
    co_return std::unexpected(about_object ? std::move(raw).error()
                                           : not_final(std::move(raw).error()));
  }
  const auto out_of_time = [this, searched_by] { return clock_.now() > searched_by; };
  CO_TRY(auto picture, anonymiser_.anonymise(*raw, out_of_time));
  log::info(kArea, "Detected {} faces in image", picture.faces);
  log::info(kArea, "Uploading processed image {} to bucket {}", printable(object.key),
            settings_.processed_bucket);
  S3Object processed{settings_.processed_bucket, std::move(object.key)};
  auto put = co_await objects_.put(std::move(processed), std::move(picture.bytes),
                                   std::string(content_type(picture.format)), deadline);
  if (!put) co_return std::unexpected(not_final(std::move(put).error()));
  log::info(kArea, "Successfully uploaded anonymised image to processed bucket");
  co_return base::Result<void>();
}

Task<void> Handler::mark_failed(S3Object object, std::string reason, base::Timestamp deadline) {
  S3Object marker{std::move(object.bucket), failure_marker_key(object.key)};
  const auto put =
      co_await objects_.put(marker, failure_marker(reason), "application/json", deadline);
  if (!put) {
    log::error(kArea, "Could not write {} to bucket {}: {}", printable(marker.key), marker.bucket,
               base::describe(put.error()));
  }
}

}  // namespace anonymise_image
