// Listings of objects.
#include <algorithm>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/listing.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/services/s3/version_listing.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

// Keys as they are, or as encoding-type=url wants them.
class Encoding {
 public:
  static base::Result<Encoding> parse(const std::optional<std::string>& type) {
    TRY(const bool url, wants_url_encoding(type));
    return Encoding(url);
  }
  std::string operator()(const std::string& key) const { return url_ ? encode_key(key) : key; }
  std::optional<std::string> operator()(const std::optional<std::string>& key) const {
    if (!key) return std::nullopt;
    return (*this)(*key);
  }
  explicit Encoding(bool url) : url_(url) {}
  bool url() const { return url_; }

 private:
  bool url_;
};

std::string storage_class_of(const ObjectRecord& record) {
  return record.headers.storage_class.empty() ? "STANDARD" : record.headers.storage_class;
}

template <class Listed>
void describe(const Encoding& encode, const std::string& key, const ObjectRecord& record,
              Listed& listed) {
  listed.key = encode(key);
  listed.last_modified = record.last_modified;
  listed.etag = quoted_etag(record.etag);
  listed.size = static_cast<std::int64_t>(record.bytes);
  listed.storage_class = storage_class_of(record);
  if (record.checksum) {
    listed.checksum_algorithm = {std::string(checksum_name(record.checksum->kind))};
    listed.checksum_type = checksum_type(record.checksum->composite);
  }
}

template <class Output>
void describe_page(const Encoding& encode, const ListPage& page, Output& output) {
  output.is_truncated = page.truncated;
  if (page.common_prefixes.empty()) return;
  auto& prefixes = output.common_prefixes.emplace();
  for (const std::string& prefix : page.common_prefixes) prefixes.push_back({encode(prefix)});
}

std::vector<Object> describe_contents(const Encoding& encode, const ListPage& page,
                                      const std::optional<Owner>& owner) {
  std::vector<Object> contents;
  contents.reserve(page.objects.size());
  for (const ListedObject& object : page.objects) {
    Object& listed = contents.emplace_back();
    describe(encode, object.key, object.record, listed);
    listed.owner = owner;
  }
  return contents;
}

// Opaque to clients; the page's last key or common prefix.
constexpr std::string_view kTokenPrefix = "1";

std::string make_token(const std::string& last) {
  return std::string(kTokenPrefix) + base::base64_encode(last);
}

base::Result<std::string> read_token(const std::string& token) {
  if (token.starts_with(kTokenPrefix)) {
    auto last = base::base64_decode(std::string_view(token).substr(kTokenPrefix.size()));
    if (last.has_value() && !last->empty()) return *std::move(last);
  }
  return invalid_argument("The continuation token provided is incorrect", "continuation-token",
                          token);
}

wire::ConditionContext list_conditions(const std::optional<std::string>& prefix,
                                       const std::optional<std::string>& delimiter,
                                       const std::optional<std::int32_t>& max_keys) {
  wire::ConditionContext conditions;
  if (prefix) conditions["s3:prefix"] = {*prefix};
  if (delimiter) conditions["s3:delimiter"] = {*delimiter};
  if (max_keys) conditions["s3:max-keys"] = {std::to_string(*max_keys)};
  return conditions;
}

// Restored copies of archived objects do not exist here: nothing could be said of them.
template <class Request>
base::Result<void> check_optional_attributes(const Request& request) {
  if (!request.optional_object_attributes) return {};
  for (const std::string& attribute : *request.optional_object_attributes) {
    if (attribute == "RestoreStatus") {
      return not_supported("The optional object attribute RestoreStatus");
    }
    return invalid_argument("Invalid attribute name specified", "x-amz-optional-object-attributes",
                            attribute);
  }
  return {};
}

base::Result<std::optional<VersionName>> version_marker(const ListObjectVersionsRequest& request) {
  const std::optional<std::string>& marker = request.version_id_marker;
  if (!marker) return std::nullopt;
  if (!request.key_marker) {
    return invalid_argument("A version-id marker cannot be specified without a key marker.",
                            "version-id-marker", *marker);
  }
  if (marker->empty()) {
    return invalid_argument("A version-id marker cannot be empty.", "version-id-marker", "");
  }
  const auto name = parse_version_id(*marker);
  if (name.has_value()) return *name;
  return invalid_argument("Invalid version id specified", "version-id-marker", *marker);
}

}  // namespace

Task<base::Result<ListPage>> Service::list_page(BucketNumber bucket, ListQuery query) {
  // A page may have to be read from disk: not on a connection's thread.
  co_return co_await runtime_.blocking().run(
      [this, bucket, &query] { return s3::list_objects(store_, bucket, query); });
}

Task<base::Result<ListObjectsOutput>> Service::list_objects(const wire::Context& context,
                                                            ListObjectsRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:ListBucket", {},
               list_conditions(request.prefix, request.delimiter, request.max_keys)));
  CO_TRY(const Encoding encode, Encoding::parse(request.encoding_type));
  CO_TRY_VOID(check_optional_attributes(request));
  ListQuery query{request.prefix.value_or(""), request.delimiter.value_or(""),
                  request.marker.value_or(""), 0};
  CO_TRY(query.entries_max, page_limit(request.max_keys, "max-keys"));
  ListObjectsOutput output;
  output.name = request.bucket;
  output.bucket_region = bucket.region;
  output.prefix = encode(query.prefix);
  output.marker = encode(query.after);
  output.max_keys = static_cast<std::int32_t>(query.entries_max);
  if (!query.delimiter.empty()) output.delimiter = encode(query.delimiter);
  output.encoding_type = request.encoding_type;
  CO_TRY(const ListPage page, co_await list_page(bucket.number, std::move(query)));
  describe_page(encode, page, output);
  if (!page.objects.empty()) {
    output.contents = describe_contents(encode, page, shown_owner(context.account));
  }
  // Without a delimiter clients go on from the last key themselves.
  if (page.truncated && output.delimiter) output.next_marker = encode(page.last);
  co_return output;
}

Task<base::Result<ListObjectsV2Output>> Service::list_objects_v2(const wire::Context& context,
                                                                 ListObjectsV2Request request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:ListBucket", {},
               list_conditions(request.prefix, request.delimiter, request.max_keys)));
  CO_TRY(const Encoding encode, Encoding::parse(request.encoding_type));
  CO_TRY_VOID(check_optional_attributes(request));
  ListQuery query{request.prefix.value_or(""), request.delimiter.value_or(""),
                  request.start_after.value_or(""), 0};
  CO_TRY(query.entries_max, page_limit(request.max_keys, "max-keys"));
  if (request.continuation_token) {
    CO_TRY(query.after, read_token(*request.continuation_token));
  }
  ListObjectsV2Output output;
  output.name = request.bucket;
  output.bucket_region = bucket.region;
  output.prefix = encode(query.prefix);
  output.max_keys = static_cast<std::int32_t>(query.entries_max);
  if (!query.delimiter.empty()) output.delimiter = encode(query.delimiter);
  output.encoding_type = request.encoding_type;
  output.continuation_token = request.continuation_token;
  if (!request.continuation_token) output.start_after = encode(request.start_after);
  CO_TRY(const ListPage page, co_await list_page(bucket.number, std::move(query)));
  describe_page(encode, page, output);
  output.key_count = static_cast<std::int32_t>(page.objects.size() + page.common_prefixes.size());
  std::optional<Owner> owner;
  if (request.fetch_owner.value_or(false)) owner = shown_owner(context.account);
  if (!page.objects.empty()) output.contents = describe_contents(encode, page, owner);
  if (page.truncated) output.next_continuation_token = make_token(page.last);
  co_return output;
}

void Service::describe_versions(const VersionPage& page, const Owner& owner, bool url,
                                ListObjectVersionsOutput& output) {
  const Encoding encode(url);
  output.is_truncated = page.truncated;
  for (const std::string& prefix : page.common_prefixes) {
    if (!output.common_prefixes) output.common_prefixes.emplace();
    output.common_prefixes->push_back({encode(prefix)});
  }
  for (const ListedVersion& listed : page.versions) {
    if (listed.record.delete_marker) {
      if (!output.delete_markers) output.delete_markers.emplace();
      output.delete_markers->push_back({owner, encode(listed.key), version_id_of(listed.record),
                                        listed.latest, listed.record.last_modified});
      continue;
    }
    if (!output.versions) output.versions.emplace();
    ObjectVersion& version = output.versions->emplace_back();
    describe(encode, listed.key, listed.record, version);
    version.version_id = version_id_of(listed.record);
    version.is_latest = listed.latest;
    version.owner = owner;
  }
  if (!page.truncated) return;
  output.next_key_marker = encode(page.last_key);
  if (!page.last_version_id.empty()) output.next_version_id_marker = page.last_version_id;
}

Task<base::Result<ListObjectVersionsOutput>> Service::list_object_versions(
    const wire::Context& context, ListObjectVersionsRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:ListBucketVersions", {},
               list_conditions(request.prefix, request.delimiter, request.max_keys)));
  CO_TRY(const Encoding encode, Encoding::parse(request.encoding_type));
  CO_TRY_VOID(check_optional_attributes(request));
  VersionQuery query{request.prefix.value_or(""),
                     request.delimiter.value_or(""),
                     request.key_marker.value_or(""),
                     {},
                     0};
  CO_TRY(query.after_version, version_marker(request));
  CO_TRY(query.entries_max, page_limit(request.max_keys, "max-keys"));
  ListObjectVersionsOutput output;
  output.name = request.bucket;
  output.bucket_region = bucket.region;
  output.prefix = encode(query.prefix);
  output.key_marker = encode(query.after_key);
  output.version_id_marker = request.version_id_marker.value_or("");
  output.max_keys = static_cast<std::int32_t>(query.entries_max);
  if (!query.delimiter.empty()) output.delimiter = encode(query.delimiter);
  output.encoding_type = request.encoding_type;
  CO_TRY(const VersionPage page,
         co_await runtime_.blocking().run([this, number = bucket.number, &query] {
           return list_versions(store_, number, query);
         }));
  describe_versions(page, shown_owner(context.account), encode.url(), output);
  co_return output;
}

}  // namespace terrarium::s3
