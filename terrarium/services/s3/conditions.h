// What a request asks of the object before it is served: conditional reads and writes, byte ranges.
// Pure.
// Source: RFC 9110, sections 13 and 14, with the answers that S3 gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"

namespace terrarium::s3 {

// With their quotes, as answers carry them.
std::string quoted_etag(std::string_view etag);
// Without them, as errors carry what the client gave.
std::string_view unquoted_etag(std::string_view etag);
// Whether a header that lists entity tags (quotes optional, "*" for any) names `etag`.
bool names_etag(std::string_view header, std::string_view etag);

struct ReadConditions {
  std::optional<std::string> if_match;
  std::optional<std::string> if_none_match;
  std::optional<base::Timestamp> if_modified_since;
  std::optional<base::Timestamp> if_unmodified_since;
  base::Timestamp now;  // If-Modified-Since a time to come says nothing
};

// PreconditionFailed, or NotModified with the headers of a 304.
base::Result<void> check_read(const ReadConditions& conditions, const ObjectRecord& object);
// Of the source of a copy: every failure is PreconditionFailed.
base::Result<void> check_copy_source(const ReadConditions& conditions, const ObjectRecord& object);

struct WriteConditions {
  std::optional<std::string> if_match;
  std::optional<std::string> if_none_match;
};

// `current`: the object that would be replaced, or null.
base::Result<void> check_write(const WriteConditions& conditions, const ObjectRecord* current,
                               std::string_view key);
base::Result<void> check_delete(const std::optional<std::string>& if_match,
                                const ObjectRecord* current, std::string_view key);
// Of an upload: what else was written since it began stands in its way.
struct UploadStart {
  std::uint64_t sequence = 0;
  bool key_existed = false;
};
base::Result<void> check_completion(const WriteConditions& conditions, const ObjectRecord* current,
                                    std::string_view key, const UploadStart& start);

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
};

// The one range that a Range header asks for. Nothing when S3 ignores the header: malformed, or
// several ranges. InvalidRange when no byte of the object is in it.
base::Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t bytes);
// x-amz-copy-source-range: "bytes=first-last" and nothing else, within the object.
base::Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t bytes);
// "bytes 0-99/1000".
std::string content_range(const ByteRange& range, std::uint64_t bytes);

}  // namespace terrarium::s3
