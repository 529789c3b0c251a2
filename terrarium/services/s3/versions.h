// Version ids: what clients see of a version's sequence and nonce. Pure.
//
// An id is 32 characters that tell nothing: the nonce, and the sequence hidden by it. Both come
// back out of it, so that a version is found in one read without an index of ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"

namespace terrarium::s3 {

// The version that an object has where no versioning gave it an id.
inline constexpr std::string_view kNullVersion = "null";
inline constexpr std::size_t kVersionIdCharacters = 32;

// "null" for the null version.
std::string version_id_of(const ObjectRecord& record);
// What answers and events show: nothing in a bucket that never had versioning.
std::optional<std::string> shown_version_id(const BucketRecord& bucket, const ObjectRecord& record);

struct VersionName {
  std::uint64_t sequence = 0;
  std::string nonce;  // empty: the null version, whatever its sequence

  bool is_null() const { return nonce.empty(); }
};

// InvalidArgument for what no version of any object could be called.
base::Result<VersionName> parse_version_id(std::string_view text);
bool names(const VersionName& name, const ObjectRecord& record);

}  // namespace terrarium::s3
