// The few S3 calls that our own programs make. Answers are AWS's: a missing object is NotFound.
// Tries again (3 times, backoff with jitter, within the deadline) what S3 says can be tried again:
// 500, 503, broken connections.
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
  runtime::Task<base::Result<http::ClientResponse>> send(Call call, base::Timestamp deadline);

  http::Client& http_;
  CredentialsProvider& credentials_;
  base::Clock& clock_;
  base::Random& random_;
  std::string region_;
};

}  // namespace aws
