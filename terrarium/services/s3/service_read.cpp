// Objects read: GetObject and HeadObject.
#include <algorithm>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/services/s3/versions.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

constexpr std::int32_t kPartialContent = 206;

base::Result<void> check_part(const ObjectRecord& record, std::int32_t number) {
  if (number < 1 || number > kPartNumberMax) {
    return invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                            "partNumber", std::to_string(number));
  }
  // A plain object is one part.
  const std::uint32_t parts = std::max(record.parts, std::uint32_t{1});
  if (static_cast<std::uint32_t>(number) <= parts) return {};
  return with_field(with_field(base::fail(errors::kInvalidPartNumber,
                                          "The requested partnumber is not satisfiable"),
                               "PartNumberRequested", std::to_string(number)),
                    "ActualPartCount", std::to_string(parts));
}

template <class Request>
bool overrides_headers(const Request& request) {
  return request.response_cache_control || request.response_content_disposition ||
         request.response_content_encoding || request.response_content_language ||
         request.response_content_type || request.response_expires;
}

// Whoever may read without signing must not be able to choose what a browser makes of the answer.
template <class Request>
base::Result<void> check_overrides(const wire::Context& context, const Request& request) {
  if (context.principal.kind != wire::PrincipalKind::Anonymous || !overrides_headers(request)) {
    return {};
  }
  return base::fail(errors::kInvalidRequest,
                    "Request specific response headers cannot be used for anonymous GET requests.");
}

void set_if_given(std::optional<std::string>& to, const std::optional<std::string>& override,
                  const std::string& kept) {
  if (override) {
    to = override;
  } else if (!kept.empty()) {
    to = kept;
  }
}

// `part`: the one that a part number asked for, of a multipart object.
template <class Request, class Output>
void describe_checksum(const Request& request, const ObjectRecord& record, const Segment& part,
                       Output& output) {
  if (request.checksum_mode != "ENABLED" || !record.checksum) return;
  if (!request.part_number || record.parts == 0) return set_checksum(output, *record.checksum);
  // Checksums of parts are told where the object's is made of them.
  if (!record.checksum->composite && record.parts > 1) return;
  set_checksum(output, record.checksum->kind, part.checksum);
  output.checksum_type = checksum_type(record.checksum->composite);
}

template <class Request, class Output>
void describe(const Request& request, const ObjectRecord& record, Output& output) {
  const ObjectHeaders& headers = record.headers;
  output.accept_ranges = "bytes";
  output.last_modified = record.last_modified;
  output.etag = quoted_etag(record.etag);
  output.server_side_encryption = kEncryption;
  set_if_given(output.content_type, request.response_content_type, headers.content_type);
  set_if_given(output.cache_control, request.response_cache_control, headers.cache_control);
  set_if_given(output.content_disposition, request.response_content_disposition,
               headers.content_disposition);
  set_if_given(output.content_encoding, request.response_content_encoding,
               headers.content_encoding);
  set_if_given(output.content_language, request.response_content_language,
               headers.content_language);
  set_if_given(output.expires, request.response_expires, headers.expires);
  set_if_given(output.website_redirect_location, {}, headers.website_redirect_location);
  set_if_given(output.storage_class, {}, headers.storage_class);
  if (!headers.metadata.empty()) output.metadata = headers.metadata;
  if (!record.tags.empty()) output.tag_count = static_cast<std::int32_t>(record.tags.size());
  if (request.part_number && record.parts > 0) {
    output.parts_count = static_cast<std::int32_t>(record.parts);
  }
}

template <class Request>
std::string_view read_action(const Request& request) {
  return request.version_id ? std::string_view("s3:GetObjectVersion") : "s3:GetObject";
}

template <class Request>
ReadConditions read_conditions(const Request& request, base::Timestamp now) {
  return {request.if_match, request.if_none_match, request.if_modified_since,
          request.if_unmodified_since, now};
}

}  // namespace

// Which bytes a request asks for.
struct Service::Selection {
  ByteRange range;
  bool partial = false;
  Segment part;  // of a multipart object, asked for by number
};

template <class Request>
base::Result<Service::Selection> Service::select(const Request& request,
                                                 const ObjectRecord& record) const {
  const ByteRange whole{0, record.bytes};
  if (request.part_number) {
    if (request.range) {
      return base::fail(errors::kInvalidRequest,
                        "Cannot specify both Range header and partNumber query parameter");
    }
    TRY_VOID(check_part(record, *request.part_number));
    if (record.parts == 0) return Selection{whole, true, {}};
    TRY(FoundPart part, find_part(record, static_cast<std::uint32_t>(*request.part_number)));
    return Selection{part.range, true, std::move(part.segment)};
  }
  if (!request.range) return Selection{whole, false, {}};
  TRY(const std::optional<ByteRange> range, parse_range(*request.range, record.bytes));
  return Selection{range.value_or(whole), range.has_value(), {}};
}

template <class Request, class Output>
base::Result<Service::Selection> Service::answer_read(base::Timestamp now,
                                                      const BucketRecord& bucket,
                                                      const Request& request,
                                                      const ObjectRecord& record,
                                                      Output& output) const {
  TRY_VOID(check_read(read_conditions(request, now), record));
  TRY(Selection selection, select(request, record));
  describe(request, record, output);
  output.version_id = shown_version_id(bucket, record);
  // Of a version that is named, AWS does not say it.
  if (!request.version_id) {
    TRY(output.expiration, expiration_of(bucket, request.key, record));
  }
  // The checksum of the whole is that of a range which is the whole.
  const bool piece = !request.part_number && selection.range.bytes < record.bytes;
  if (!piece) describe_checksum(request, record, selection.part, output);
  if (selection.partial) {
    output.status_code = kPartialContent;
    if (selection.range.bytes > 0) {
      output.content_range = content_range(selection.range, record.bytes);
    }
  }
  return selection;
}

Task<base::Result<GetObjectOutput>> Service::get_object(const wire::Context& context,
                                                        GetObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, read_action(request),
               request.key, version_condition(request.version_id)));
  CO_TRY_VOID(refuse_unsupported(request));
  CO_TRY_VOID(check_overrides(context, request));
  for (int attempt = 0;; ++attempt) {
    CO_TRY(StoredVersion version,
           require_version(context, bucket, request.key, request.version_id));
    GetObjectOutput output;
    auto selection = answer_read(context.now, bucket, request, version.record, output);
    if (selection.has_value()) {
      auto body = co_await open_body(std::move(version.record), selection->range);
      if (body.has_value()) {
        output.body.source = *std::move(body);
        co_return output;
      }
      selection = std::unexpected(std::move(body).error());
    }
    if (!is_replaced(selection.error(), attempt)) {
      co_return std::unexpected(std::move(selection).error());
    }
  }
}

Task<base::Result<HeadObjectOutput>> Service::head_object(const wire::Context& context,
                                                          HeadObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, read_action(request),
               request.key, version_condition(request.version_id)));
  CO_TRY_VOID(refuse_unsupported(request));
  CO_TRY_VOID(check_overrides(context, request));
  for (int attempt = 0;; ++attempt) {
    CO_TRY(const StoredVersion version,
           require_version(context, bucket, request.key, request.version_id));
    HeadObjectOutput output;
    auto selection = answer_read(context.now, bucket, request, version.record, output);
    if (selection.has_value()) {
      output.content_length = static_cast<std::int64_t>(selection->range.bytes);
      co_return output;
    }
    if (!is_replaced(selection.error(), attempt)) {
      co_return std::unexpected(std::move(selection).error());
    }
  }
}

}  // namespace terrarium::s3
