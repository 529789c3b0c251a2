// What a bucket's lifecycle says of an object that is read or written.
#include "terrarium/services/s3/core.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/lifecycle.h"

namespace terrarium::s3 {

base::Result<BucketLifecycleConfiguration> Core::find_lifecycle(const BucketRecord& bucket) const {
  if (!bucket.has_lifecycle) return BucketLifecycleConfiguration{};
  TRY(const std::optional<std::string> stored,
      store_.get(store::Table::S3, lifecycle_key(bucket.number)));
  // Taken away since the bucket was read.
  if (!stored) return BucketLifecycleConfiguration{};
  return decode_lifecycle(*stored);
}

base::Result<std::optional<std::string>> Core::expiration_of(const BucketRecord& bucket,
                                                             const std::string& key,
                                                             const ObjectRecord& record) const {
  if (!bucket.has_lifecycle) return std::nullopt;
  TRY(const BucketLifecycleConfiguration configuration, find_lifecycle(bucket));
  const std::optional<Due> due = object_due(configuration, key, record);
  if (!due) return std::nullopt;
  return expiration_header(*due);
}

}  // namespace terrarium::s3
