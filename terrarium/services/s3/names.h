// The rules for what clients name: buckets, keys, tags, metadata - and the text forms in which keys
// travel. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generated/s3/model.h"
#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"

namespace terrarium::s3 {

// Source: "General purpose bucket naming rules".
bool is_bucket_name(std::string_view name);
base::Result<void> check_bucket_name(std::string_view name);

// At most 1,024 bytes of UTF-8.
base::Result<void> check_key(std::string_view key);

// How listings with encoding-type=url and events write a key: as Java's URLEncoder does (a space is
// '+'), but for '/', which stays.
std::string encode_key(std::string_view key);

// The x-amz-tagging header: "k=v&k2=v2", percent-encoded.
base::Result<Tags> parse_tagging_header(std::string_view header);
// A Tagging document. Objects may have 10 tags, buckets 50.
enum class TagsOf : std::uint8_t { Bucket, Object };
base::Result<Tags> check_tags(const std::vector<Tag>& tags, TagsOf of);
std::vector<Tag> tag_set(const Tags& tags);

base::Result<void> check_metadata(const std::map<std::string, std::string>& metadata);
base::Result<void> check_storage_class(std::string_view storage_class);

// "aws-chunked" says how the request travelled, not what the object is.
std::string without_aws_chunked(std::string_view content_encoding);

struct CopySource {
  std::string bucket;
  std::string key;
  std::optional<std::string> version_id;
};
// The x-amz-copy-source header: "[/]bucket/key[?versionId=id]", percent-encoded.
base::Result<CopySource> parse_copy_source(std::string_view header);
// What reading it is called in policies.
std::string_view source_action(const CopySource& source);

// The canonical user id and the principal id that stand for an account: AWS draws them, here they
// follow from the account so that they never change.
std::string canonical_user_id(std::string_view account);
std::string owner_principal_id(std::string_view account);
bool is_account_id(std::string_view text);
// What lists show beside the canonical user id.
std::string owner_display_name(std::string_view account);

std::string bucket_arn(std::string_view bucket);

// InvalidArgument with the two fields that name what was wrong.
std::unexpected<base::Error> invalid_argument(
    std::string message, std::string name, std::string value,
    std::source_location where = std::source_location::current());
// MalformedXML as S3 words it.
std::unexpected<base::Error> malformed_xml(
    std::source_location where = std::source_location::current());
// NotImplemented that names what is not supported.
std::unexpected<base::Error> not_supported(
    std::string what, std::source_location where = std::source_location::current());
// `inner` with another field of AWS's error body.
std::unexpected<base::Error> with_field(std::unexpected<base::Error> inner, std::string name,
                                        std::string value);

}  // namespace terrarium::s3
