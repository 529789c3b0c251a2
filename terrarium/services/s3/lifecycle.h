// Lifecycle configurations: what may be put, how it is kept, and when objects, versions, delete
// markers and uploads are due to go. Pure.
// Source: Amazon S3 User Guide, "Lifecycle configuration elements" and "Understanding object
// expiration": days count from creation and end at the midnight (UTC) that follows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "generated/s3/model.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"

namespace terrarium::s3 {

inline constexpr std::size_t kLifecycleRulesMax = 1'000;

// Refuses what S3 refuses, and transitions: there is only one kind of storage here. Ids are drawn
// where none is given.
base::Result<void> check_lifecycle(BucketLifecycleConfiguration& configuration,
                                   base::Random& random);

std::string encode(const BucketLifecycleConfiguration& configuration);
// Internal when the bytes are not what encode() writes.
base::Result<BucketLifecycleConfiguration> decode_lifecycle(std::string_view bytes);

// The first moment at which a rule takes something away.
struct Due {
  base::Timestamp at;
  std::string rule_id;
};

std::optional<Due> object_due(const BucketLifecycleConfiguration& configuration,
                              std::string_view key, const ObjectRecord& object);
// What a noncurrent version, or delete marker, is judged by.
struct Noncurrent {
  base::Timestamp since;   // when the next newer version came
  std::int32_t newer = 0;  // noncurrent versions newer than it
};
std::optional<Due> version_due(const BucketLifecycleConfiguration& configuration,
                               std::string_view key, const ObjectRecord& version,
                               const Noncurrent& noncurrent);
// A delete marker with nothing behind it.
std::optional<Due> marker_due(const BucketLifecycleConfiguration& configuration,
                              std::string_view key, const ObjectRecord& marker);
std::optional<Due> upload_due(const BucketLifecycleConfiguration& configuration,
                              std::string_view key, base::Timestamp initiated);

// The x-amz-expiration header.
std::string expiration_header(const Due& due);

}  // namespace terrarium::s3
