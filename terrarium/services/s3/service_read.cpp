// Objects read: GetObject and HeadObject.
#include <algorithm>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/service.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

constexpr std::int32_t kPartialContent = 206;

// The bytes of one part of an object; a plain object is one part.
base::Result<ByteRange> range_of_part(const ObjectRecord& record, std::int32_t number) {
  const std::size_t parts = record.upload_id.empty() ? 1 : record.segments.size();
  if (number < 1 || number > kPartNumberMax) {
    return invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                            "partNumber", std::to_string(number));
  }
  if (static_cast<std::size_t>(number) > parts) {
    return with_field(with_field(base::fail(errors::kInvalidPartNumber,
                                            "The requested partnumber is not satisfiable"),
                                 "PartNumberRequested", std::to_string(number)),
                      "ActualPartCount", std::to_string(parts));
  }
  if (record.upload_id.empty()) return ByteRange{0, record.bytes};
  ByteRange range;
  for (std::int32_t i = 0; i + 1 < number; ++i) {
    range.first += record.segments[static_cast<std::size_t>(i)].bytes;
  }
  range.bytes = record.segments[static_cast<std::size_t>(number - 1)].bytes;
  return range;
}

struct Selection {
  ByteRange range;
  bool partial = false;
};

template <class Request>
base::Result<Selection> select(const Request& request, const ObjectRecord& record) {
  const ByteRange whole{0, record.bytes};
  if (request.part_number) {
    if (request.range) {
      return base::fail(errors::kInvalidRequest,
                        "Cannot specify both Range header and partNumber query parameter");
    }
    TRY(const ByteRange range, range_of_part(record, *request.part_number));
    return Selection{range, true};
  }
  if (!request.range) return Selection{whole, false};
  TRY(const std::optional<ByteRange> range, parse_range(*request.range, record.bytes));
  return Selection{range.value_or(whole), range.has_value()};
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

template <class Request, class Output>
void describe(const Request& request, const ObjectRecord& record, const Selection& selection,
              Output& output) {
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
  if (request.part_number && !record.upload_id.empty()) {
    output.parts_count = static_cast<std::int32_t>(record.segments.size());
  }
  if (selection.partial) {
    output.status_code = kPartialContent;
    if (selection.range.bytes > 0) {
      output.content_range = content_range(selection.range, record.bytes);
    }
  } else if (request.checksum_mode == "ENABLED" && record.checksum) {
    set_checksum(output, *record.checksum);
  }
}

template <class Request>
ReadConditions read_conditions(const Request& request) {
  return {request.if_match, request.if_none_match, request.if_modified_since,
          request.if_unmodified_since};
}

}  // namespace

Task<base::Result<GetObjectOutput>> Service::get_object(const wire::Context& context,
                                                        GetObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:GetObject", request.key));
  CO_TRY_VOID(refuse_unsupported(request, bucket));
  CO_TRY_VOID(check_version_id(request.version_id));
  CO_TRY_VOID(check_overrides(context, request));
  for (int attempt = 0;; ++attempt) {
    CO_TRY(const ObjectRecord record, require_object(context, bucket, request.key));
    CO_TRY_VOID(check_read(read_conditions(request), record));
    CO_TRY(const Selection selection, select(request, record));
    auto body = co_await open_body(record, selection.range);
    if (!body.has_value()) {
      if (is_replaced(body.error(), attempt)) continue;
      co_return std::unexpected(std::move(body).error());
    }
    GetObjectOutput output;
    output.body.source = *std::move(body);
    describe(request, record, selection, output);
    co_return output;
  }
}

Task<base::Result<HeadObjectOutput>> Service::head_object(const wire::Context& context,
                                                          HeadObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:GetObject", request.key));
  CO_TRY_VOID(refuse_unsupported(request, bucket));
  CO_TRY_VOID(check_version_id(request.version_id));
  CO_TRY_VOID(check_overrides(context, request));
  CO_TRY(const ObjectRecord record, require_object(context, bucket, request.key));
  CO_TRY_VOID(check_read(read_conditions(request), record));
  CO_TRY(const Selection selection, select(request, record));
  HeadObjectOutput output;
  output.content_length = static_cast<std::int64_t>(selection.range.bytes);
  describe(request, record, selection, output);
  co_return output;
}

}  // namespace terrarium::s3
