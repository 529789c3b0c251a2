// What a walk through a bucket's versions finds due. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "generated/s3/model.h"
#include "terrarium/services/s3/lifecycle.h"
#include "terrarium/services/s3/version_listing.h"

namespace terrarium::s3 {

// Something that was due when it was seen; looked at again when it counts.
struct Expiring {
  enum class What : std::uint8_t { Object, Version, Marker };
  What what;
  std::string key;
  std::string version_id;
};

// Takes the entries of a bucket in the order of list_versions(), page by page.
class Expirer {
 public:
  Expirer(const BucketLifecycleConfiguration& configuration, base::Timestamp now)
      : configuration_(configuration), now_(now) {}

  void take(const ListedVersion& entry);
  // After the last entry of the bucket.
  void finish();
  // What was found since it was asked last.
  std::vector<Expiring> found() { return std::exchange(found_, {}); }

 private:
  bool is_due(const std::optional<Due>& due) const { return due && due->at <= now_; }
  void settle_marker();

  const BucketLifecycleConfiguration& configuration_;
  const base::Timestamp now_;
  std::vector<Expiring> found_;
  std::string key_;
  Noncurrent behind_;                    // for the next entry of key_
  std::optional<ListedVersion> marker_;  // the newest of its key; nothing behind it so far
};

}  // namespace terrarium::s3
