// The few S3 calls that our own programs make. Answers are AWS's: a missing object is NotFound; an
// error's message holds S3's code and message. Tries again (3 times in all, backoff with jitter,
// within the deadline) what S3 says can be tried again: 429, 5xx, RequestTimeout, broken
// connections. What is sent is protected by its SHA-256 in the signature and by a CRC-32 that S3
// keeps.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/aws/credentials.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/http/client.h"
#include "lib/runtime/task.h"

namespace aws {

struct Object {
  std::string bytes;
  std::string content_type;
  std::map<std::string, std::string> metadata;  // x-amz-meta-*, names in lower case
};

class S3Client {
 public:
  // Everything outlives the client; used on http's executor.
  S3Client(http::Client& http, CredentialsProvider& credentials, base::Clock& clock,
           base::Random& random, std::string region);

  runtime::Task<base::Result<void>> put_object(std::string bucket, std::string key, Object object,
                                               base::Timestamp deadline);
  // TooLarge when the object has more than bytes_max bytes.
  runtime::Task<base::Result<Object>> get_object(std::string bucket, std::string key,
                                                 std::size_t bytes_max, base::Timestamp deadline);
  // Whether the object is there.
  runtime::Task<base::Result<bool>> head_object(std::string bucket, std::string key,
                                                base::Timestamp deadline);

 private:
  struct Call;
  struct Answer;
  runtime::Task<base::Result<Answer>> send(Call call, base::Timestamp deadline);
  runtime::Task<base::Result<Answer>> send_once(const Call& call, base::Timestamp deadline);

  http::Client& http_;
  CredentialsProvider& credentials_;
  base::Clock& clock_;
  base::Random& random_;
  std::string region_;
};

}  // namespace aws
