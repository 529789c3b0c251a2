// One page of a listing of versions: current objects and what lies behind them, merged by key and,
// within a key, from the newest on. Reads the store; any thread that may block.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/services/s3/versions.h"
#include "terrarium/store/store.h"

namespace terrarium::s3 {

struct VersionQuery {
  std::string prefix;
  std::string delimiter;  // empty: none
  // Only what comes after this key, or after this version of it; of a null version the sequence may
  // be missing.
  std::string after_key;
  std::optional<VersionName> after_version;
  std::size_t entries_max = kListMax;  // versions, delete markers and common prefixes together
};

struct ListedVersion {
  std::string key;
  ObjectRecord record;
  bool latest = false;
};

struct VersionPage {
  std::vector<ListedVersion> versions;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string last_key;         // or common prefix
  std::string last_version_id;  // empty after a common prefix
};

base::Result<VersionPage> list_versions(const store::Store& store, BucketNumber bucket,
                                        const VersionQuery& query);

}  // namespace terrarium::s3
