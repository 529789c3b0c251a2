// What the rest of the region asks of S3: Lambda fetches function code from it.
//
// Any executor may call. No policy is asked: the caller has checked who it acts for.
#pragma once

#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::s3 {

class Api {
 public:
  virtual ~Api() = default;

  // The whole body, of the current object unless a version is named. NoSuchBucket, NoSuchKey,
  // NoSuchVersion, MethodNotAllowed for a delete marker; ErrorKind::TooLarge past bytes_max bytes.
  virtual runtime::Task<base::Result<std::string>> read_object(
      std::string bucket, std::string key, std::optional<std::string> version_id,
      std::size_t bytes_max) = 0;
  virtual runtime::Task<bool> bucket_exists(std::string bucket) = 0;
};

}  // namespace terrarium::s3
