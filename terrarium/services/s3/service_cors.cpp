// The CORS rules of buckets, and what browsers are told by them.
#include <algorithm>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/cors.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/settings.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

std::unexpected<base::Error> bad_question(std::string message) {
  return base::fail(errors::kBadRequest, std::move(message));
}

std::unexpected<base::Error> forbidden(std::string_view message, std::string_view method,
                                       bool object) {
  auto error = base::fail(errors::kAccessForbidden, "CORSResponse: " + std::string(message));
  error = with_field(std::move(error), "Method", std::string(method));
  return with_field(std::move(error), "ResourceType", object ? "OBJECT" : "BUCKET");
}

std::string_view header(const wire::Context& context, std::string_view name) {
  return context.request == nullptr ? "" : context.request->headers.find(name).value_or("");
}

// The first segment of a raw path; empty when it is none that could be a bucket's name.
std::string bucket_of_path(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto name = base::percent_decode(path.substr(0, path.find('/')));
  return name && is_bucket_name(*name) ? *name : std::string();
}

}  // namespace

base::Result<CORSConfiguration> Settings::find_cors(const BucketRecord& bucket) const {
  if (!bucket.has_cors) return CORSConfiguration{};
  TRY(const std::optional<std::string> stored,
      store_.get(store::Table::S3, cors_key(bucket.number)));
  // The two rows are written together; between the reads they may have changed.
  if (!stored) return CORSConfiguration{};
  return decode_cors(*stored);
}

Task<base::Result<GetBucketCorsOutput>> Settings::get_bucket_cors(const wire::Context& context,
                                                                  GetBucketCorsRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketCORS"));
  CO_TRY(CORSConfiguration configuration, find_cors(bucket));
  if (configuration.cors_rules.empty()) {
    co_return with_field(
        base::fail(errors::kNoSuchCORSConfiguration, "The CORS configuration does not exist"),
        "BucketName", request.bucket);
  }
  co_return GetBucketCorsOutput{std::move(configuration.cors_rules)};
}

Task<base::Result<wire::Empty>> Settings::put_bucket_cors(const wire::Context& context,
                                                          PutBucketCorsRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketCORS"));
  CO_TRY_VOID(check_cors(request.cors_configuration));
  const std::string rules = encode(request.cors_configuration);
  const auto decide = [&rules](Change& change) -> base::Result<void> {
    change.bucket.has_cors = true;
    change.batch.put(store::Table::S3, bucket_key(change.bucket.name), encode(change.bucket));
    change.batch.put(store::Table::S3, cors_key(change.bucket.number), rules);
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  co_return wire::Empty{};
}

Task<base::Result<wire::Empty>> Settings::delete_bucket_cors(const wire::Context& context,
                                                             DeleteBucketCorsRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketCORS"));
  const auto decide = [](Change& change) -> base::Result<void> {
    change.bucket.has_cors = false;
    change.batch.put(store::Table::S3, bucket_key(change.bucket.name), encode(change.bucket));
    change.batch.erase(store::Table::S3, cors_key(change.bucket.number));
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  co_return wire::Empty{};
}

base::Result<OptionsOutput> Settings::answer_options(const OptionsRequest& request) const {
  const std::string origin = request.origin.value_or("");
  if (origin.empty()) {
    return bad_question("Insufficient information. Origin request header needed.");
  }
  const std::optional<std::string>& asked = request.access_control_request_method;
  const std::string method = asked.value_or("OPTIONS");
  const auto bucket = find_bucket(request.bucket);
  if (!bucket.has_value()) return forbidden("Bucket not found", method, false);
  TRY(const CORSConfiguration configuration, find_cors(*bucket));
  if (configuration.cors_rules.empty()) {
    return forbidden("CORS is not enabled for this bucket.", method, false);
  }
  if (!asked) return bad_question("Invalid Access-Control-Request-Method: null");
  const std::string headers = request.access_control_request_headers.value_or("");
  const auto answer = answer_cors(configuration, {origin, method, headers});
  if (!answer) {
    return forbidden(
        "This CORS request is not allowed. This is usually because the evalution of Origin, "
        "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not "
        "whitelisted by the resource's CORS spec.",
        method, request.key.has_value());
  }
  OptionsOutput output;
  auto& shown = output.headers.emplace();
  for (const auto& [name, value] : *answer) shown.emplace(name, value);
  return output;
}

Task<base::Result<OptionsOutput>> Settings::options_bucket(const wire::Context&,
                                                           OptionsRequest request) {
  co_return answer_options(request);
}

Task<base::Result<OptionsOutput>> Settings::options_object(const wire::Context&,
                                                           OptionsRequest request) {
  co_return answer_options(request);
}

void Settings::finish_answer(const wire::Context& context, std::string_view path,
                             http::Response& response) const {
  const std::string_view origin = header(context, "origin");
  if (origin.empty() || context.request->method == "OPTIONS") return;
  const std::string name = bucket_of_path(path);
  if (name.empty()) return;
  const auto bucket = find_bucket(name);
  if (!bucket.has_value()) return;
  const auto configuration = find_cors(*bucket);
  if (!configuration.has_value()) return;
  // As AWS has it, whatever asks as a preflight does is answered as one.
  const std::string_view asked = header(context, "access-control-request-method");
  const std::string_view method = asked.empty() ? context.request->method : asked;
  const auto answer = answer_cors(
      *configuration, {origin, method, header(context, "access-control-request-headers")});
  if (!answer) return;
  for (const auto& [field, value] : *answer) {
    // What a page lists for its preflight is no part of the answer to the request itself.
    if (field != "Access-Control-Allow-Headers") response.headers.add(field, value);
  }
}

}  // namespace terrarium::s3
