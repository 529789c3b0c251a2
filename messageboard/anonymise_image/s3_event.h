// What an invocation asks for: the SQS event, and the S3 event inside each of its messages. Pure.
// Both come from outside: names of the wrong type, missing members and broken escapes are errors,
// members that nobody here reads are skipped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace anonymise_image {

struct SqsMessage {
  std::string id;
  std::string body;
  unsigned receive_count = 1;
};

struct S3Object {
  std::string bucket;
  std::string key;  // decoded

  bool operator==(const S3Object&) const = default;
};

// {"Records":[{"messageId":...,"body":...,"attributes":{"ApproximateReceiveCount":"1"}}]}
base::Result<std::vector<SqsMessage>> parse_sqs_event(std::string_view json);

// The objects that the event says were created. Empty for s3:TestEvent, for other events (removals)
// and for our own failure markers.
base::Result<std::vector<S3Object>> parse_s3_event(std::string_view json);

// The answer of a function whose event source mapping has ReportBatchItemFailures.
std::string batch_item_failures(const std::vector<std::string>& message_ids);

// The same JSON on one line and not longer than a log event may be.
std::string for_log(std::string_view json);

// Where the reason lies why the picture under `key` will never be processed; in the same bucket.
std::string failure_marker_key(std::string_view key);
std::string failure_marker(std::string_view reason);

}  // namespace anonymise_image
