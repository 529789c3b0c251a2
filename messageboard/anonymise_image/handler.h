// The function: for every picture that an event names, fetch, anonymise, publish. One message that
// fails neither stops nor repeats the others. Runs on the executor of its Objects; may run again
// for the same event at any time, with the same outcome.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/aws/s3_client.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "messageboard/anonymise_image/anonymiser.h"
#include "messageboard/anonymise_image/s3_event.h"

namespace anonymise_image {

// The two calls to S3 that the function makes.
class Objects {
 public:
  virtual ~Objects() = default;
  // NotFound when there is none, TooLarge when it has more than bytes_max bytes.
  virtual runtime::Task<base::Result<std::string>> get(S3Object object, std::size_t bytes_max,
                                                       base::Timestamp deadline) = 0;
  virtual runtime::Task<base::Result<void>> put(S3Object object, std::string bytes,
                                                std::string content_type,
                                                base::Timestamp deadline) = 0;
};

class S3Objects final : public Objects {
 public:
  explicit S3Objects(aws::S3Client& client) : client_(client) {}
  runtime::Task<base::Result<std::string>> get(S3Object object, std::size_t bytes_max,
                                               base::Timestamp deadline) override;
  runtime::Task<base::Result<void>> put(S3Object object, std::string bytes,
                                        std::string content_type,
                                        base::Timestamp deadline) override;

 private:
  aws::S3Client& client_;
};

struct Settings {
  std::string processed_bucket;
  // After this many receives the queue moves a message to its dead-letter queue.
  unsigned receives_max = 3;
  DecodeLimits limits;
};

// Whether the people who wait for the picture must be told that it will never come.
bool is_given_up(base::ErrorKind kind, unsigned receive_count, unsigned receives_max);

class Handler {
 public:
  Handler(Anonymiser& anonymiser, Objects& objects, base::Clock& clock, Settings settings)
      : anonymiser_(anonymiser), objects_(objects), clock_(clock), settings_(std::move(settings)) {}

  // The event's JSON -> the answer's. An error only when it is no SQS event at all.
  runtime::Task<base::Result<std::string>> handle(std::string event, base::Timestamp deadline);

 private:
  runtime::Task<bool> handle_message(SqsMessage message, base::Timestamp deadline);
  runtime::Task<base::Result<void>> process(S3Object object, base::Timestamp deadline);
  runtime::Task<void> mark_failed(S3Object object, std::string reason, base::Timestamp deadline);

  Anonymiser& anonymiser_;
  Objects& objects_;
  base::Clock& clock_;
  Settings settings_;
};

}  // namespace anonymise_image
