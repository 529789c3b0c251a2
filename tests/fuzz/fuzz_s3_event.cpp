// Events as the function gets them: an SQS event whose messages hold S3 events.
#include <cstdint>
#include <string_view>

#include "lib/base/check.h"
#include "messageboard/anonymise_image/s3_event.h"

namespace {

void check_s3_event(std::string_view text) {
  const auto objects = anonymise_image::parse_s3_event(text);
  if (!objects) return;
  for (const auto& object : *objects) {
    CHECK(!object.bucket.empty() && !object.key.empty(), "an object has a bucket and a key");
    CHECK(!object.key.starts_with("failed/"), "a marker is no picture");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_s3_event(text);
  CHECK(anonymise_image::for_log(text).find('\n') == std::string::npos, "a log event is one line");
  const auto messages = anonymise_image::parse_sqs_event(text);
  if (!messages) return 0;
  for (const auto& message : *messages) {
    CHECK(!message.id.empty(), "a message that fails is reported by its id");
    check_s3_event(message.body);
  }
  return 0;
}
