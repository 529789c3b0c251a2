// One page of a listing: walks a bucket's keys in order, rolls those with a delimiter up into
// common prefixes and steps over everything below one at once, so that a page costs what it
// returns. Reads the store; any thread that may block.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/store/store.h"

namespace terrarium::s3 {

// The part of `key` up to and with the first delimiter after the prefix; nothing without one.
std::optional<std::string_view> common_prefix(std::string_view key, std::string_view prefix,
                                              std::string_view delimiter);

struct ListQuery {
  std::string prefix;
  std::string delimiter;  // empty: none
  // Only what sorts after it: the last key or common prefix of the page before, or start-after.
  std::string after;
  std::size_t entries_max = kListMax;  // keys and common prefixes together
};

struct ListedObject {
  std::string key;
  ObjectRecord record;
};

struct ListPage {
  std::vector<ListedObject> objects;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string last;  // the key or common prefix that ends the page
};

base::Result<ListPage> list_objects(const store::Store& store, BucketNumber bucket,
                                    const ListQuery& query);

struct UploadQuery {
  std::string prefix;
  std::string delimiter;
  std::string after_key;
  std::string after_upload_id;  // of after_key; empty: past all of them
  std::size_t entries_max = kListMax;
};

struct ListedUpload {
  std::string key;
  std::string upload_id;
  UploadRecord record;
};

struct UploadPage {
  std::vector<ListedUpload> uploads;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string last_key;  // or common prefix
  std::string last_upload_id;
};

base::Result<UploadPage> list_uploads(const store::Store& store, BucketNumber bucket,
                                      const UploadQuery& query);

}  // namespace terrarium::s3
