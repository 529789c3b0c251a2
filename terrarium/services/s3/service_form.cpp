// Browser form uploads: POST on a bucket with the object, what is said of it, and a signed policy
// in one multipart/form-data body. Source: "POST Object" and "Authenticating requests in
// browser-based uploads using POST".
#include <algorithm>
#include <array>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/form.h"
#include "terrarium/services/s3/post_policy.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/wire/authenticate.h"
#include "terrarium/wire/rest.h"
#include "terrarium/wire/xml_parse.h"
#include "terrarium/wire/xml_print.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::unexpected<base::Error> missing_field(const std::string& name) {
  return invalid_argument("Bucket POST must contain a field named '" + name +
                              "'.  If it is specified, please check the order of the fields.",
                          name, "");
}

std::unexpected<base::Error> bad_credential(std::string message, const std::string& credential) {
  return invalid_argument(std::move(message), "X-Amz-Credential", credential);
}

base::Result<wire::FormClaim> claim_of_v4(const FormFields& fields) {
  for (const char* const name :
       {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"}) {
    if (!fields.find(name)) return missing_field(name);
  }
  if (fields.get("x-amz-algorithm") != kAlgorithm) {
    return invalid_argument("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"", "X-Amz-Algorithm",
                            fields.get("x-amz-algorithm"));
  }
  const std::string credential = fields.get("x-amz-credential");
  std::vector<std::string> parts(1);
  for (const char c : credential) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  const bool formed = parts.size() == 5 && parts[1].size() == 8 && parts[4] == "aws4_request" &&
                      wire::is_region_name(parts[2]);
  if (!formed) {
    return bad_credential(
        "the Credential is mal-formed; expecting "
        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        credential);
  }
  if (parts[3] != "s3") {
    return bad_credential(
        "incorrect service \"" + parts[3] + "\". This endpoint belongs to \"s3\".", credential);
  }
  wire::FormClaim claim;
  claim.access_key_id = parts[0];
  claim.scope = aws::Scope{parts[1], parts[2], parts[3]};
  claim.signature = fields.get("x-amz-signature");
  return claim;
}

base::Result<wire::FormClaim> claim_of_v2(const FormFields& fields) {
  for (const char* const name : {"AWSAccessKeyId", "Signature"}) {
    if (!fields.find(name)) return missing_field(name);
  }
  wire::FormClaim claim;
  claim.access_key_id = fields.get("AWSAccessKeyId");
  claim.signature = fields.get("Signature");
  return claim;
}

// Who signed the form's policy; nothing for a form without a policy.
base::Result<std::optional<wire::FormClaim>> claim_of(const FormFields& fields) {
  const bool v4 = fields.find("x-amz-signature") || fields.find("x-amz-credential") ||
                  fields.find("x-amz-algorithm");
  const bool v2 = fields.find("AWSAccessKeyId") || fields.find("Signature");
  if (!v4 && !v2 && !fields.find("policy")) return std::nullopt;
  TRY(wire::FormClaim claim, v4 ? claim_of_v4(fields) : claim_of_v2(fields));
  const auto policy = fields.find("policy");
  if (!policy) return missing_field("policy");
  claim.policy = *policy;
  claim.session_token = fields.get("x-amz-security-token");
  return claim;
}

std::string with_file_name(std::string key, std::string_view path) {
  constexpr std::string_view variable = "${filename}";
  // Some browsers send the whole path.
  const std::string_view name = path.substr(path.find_last_of("/\\") + 1);
  for (std::size_t at = 0; (at = key.find(variable, at)) != std::string::npos; at += name.size()) {
    key.replace(at, variable.size(), name);
  }
  return key;
}

const wire::OperationModel& operation_named(std::string_view name) {
  return *std::ranges::find(kModel.operations, name, &wire::OperationModel::name);
}

bool is_of_form(std::string_view name) {
  constexpr std::array<std::string_view, 6> own{"x-amz-algorithm",      "x-amz-credential",
                                                "x-amz-date",           "x-amz-signature",
                                                "x-amz-security-token", "x-amz-content-sha256"};
  return std::ranges::find(own, name) != own.end();
}

bool is_header_of(const wire::OperationModel& operation, std::string_view name) {
  return std::ranges::any_of(operation.input->members, [name](const wire::Member& member) {
    if (member.location == wire::Location::Headers) {
      return name.starts_with(base::to_lower(member.wire_name));
    }
    return member.location == wire::Location::Header &&
           base::equals_ignoring_case(member.wire_name, name);
  });
}

// What the fields say of the object: they are PutObject's headers, but for the names of two.
base::Result<PutObjectRequest> request_of(const FormFields& fields) {
  const wire::OperationModel& operation = operation_named("PutObject");
  http::HeaderViews headers;
  for (const auto& [name, value] : fields) {
    const std::string lower = base::to_lower(name);
    if (lower == "acl") {
      headers.add("x-amz-acl", value);
    } else if (is_header_of(operation, lower)) {
      headers.add(name, value);
    } else if (lower.starts_with("x-amz-") && !is_of_form(lower)) {
      return not_supported("The form field " + name);
    }
  }
  PutObjectRequest request;
  const wire::Parameters query;
  const wire::Labels labels;
  wire::DecodeReport report;
  TRY_VOID(wire::decode_rest(wire::Protocol::RestXml, operation,
                             wire::RestRequest{headers, query, labels, {}}, &request, report));
  return request;
}

base::Result<Tags> tags_of(const FormFields& fields) {
  const auto document = fields.find("tagging");
  if (!document) return Tags();
  const wire::OperationModel& operation = operation_named("PutObjectTagging");
  const auto member =
      std::ranges::find(operation.input->members, std::string_view("Tagging"), &wire::Member::name);
  Tagging tagging;
  wire::DecodeReport report;
  TRY_VOID(
      wire::parse_xml(*document, "Tagging", *member->shape, {}, &tagging, wire::Path{}, report));
  return check_tags(tagging.tag_set, TagsOf::Object);
}

std::string location_of(const wire::Context& context, const std::string& bucket,
                        const std::string& key) {
  const bool in_path =
      context.request == nullptr || context.request->path.starts_with("/" + bucket);
  return context.endpoint + (in_path ? "/" + bucket : "") + "/" + base::percent_encode(key);
}

std::string response_document(const std::string& location, const std::string& bucket,
                              const std::string& key, const std::string& etag) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse>";
  wire::append_xml_element(xml, "Location", location);
  wire::append_xml_element(xml, "Bucket", bucket);
  wire::append_xml_element(xml, "Key", key);
  wire::append_xml_element(xml, "ETag", etag);
  return xml + "</PostResponse>";
}

// Where the form sends its browser afterwards; nothing when that is no address.
std::optional<std::string> redirection(const FormFields& fields, const std::string& bucket,
                                       const std::string& key, const std::string& etag) {
  auto target = fields.find("success_action_redirect");
  if (!target) target = fields.find("redirect");
  if (!target) return std::nullopt;
  const bool web = target->starts_with("http://") || target->starts_with("https://");
  if (!web || target->find_first_of("\r\n") != std::string::npos) return std::nullopt;
  return *target + (target->contains('?') ? "&" : "?") + "bucket=" + base::percent_encode(bucket) +
         "&key=" + base::percent_encode(key) + "&etag=" + base::percent_encode(etag);
}

// The first bytes, then the rest of a reader that goes on.
class Continued final : public http::BodyReader {
 public:
  Continued(std::string first, http::BodyReader& rest) : first_(std::move(first)), rest_(rest) {}

  Task<base::Result<std::size_t>> read(std::span<char> into) override {
    if (at_ == first_.size()) co_return co_await rest_.read(into);
    const std::size_t count = std::min(into.size(), first_.size() - at_);
    std::ranges::copy_n(first_.begin() + static_cast<std::ptrdiff_t>(at_),
                        static_cast<std::ptrdiff_t>(count), into.begin());
    at_ += count;
    co_return count;
  }
  std::optional<std::uint64_t> length() const override { return std::nullopt; }

 private:
  std::string first_;
  std::size_t at_ = 0;
  http::BodyReader& rest_;
};

// A small file is known whole before it is kept; a large one streams, its length unknown.
Task<base::Result<std::unique_ptr<http::BodyReader>>> file_of(FormReader& form) {
  std::string first(kInlineBytesMax + 1, '\0');
  std::size_t filled = 0;
  while (filled < first.size()) {
    CO_TRY(const std::size_t count, co_await form.read(std::span(first).subspan(filled)));
    filled += count;
    if (count > 0) continue;
    first.resize(filled);
    co_return http::body_of(std::move(first));
  }
  std::unique_ptr<http::BodyReader> body = std::make_unique<Continued>(std::move(first), form);
  co_return body;
}

}  // namespace

base::Result<wire::Context> Service::context_of_form(const wire::Context& context,
                                                     const FormFields& fields,
                                                     const BucketRecord& bucket,
                                                     const std::string& key, FormReader& form) {
  wire::Context own = context;
  own.body = nullptr;
  own.promised_body = nullptr;
  own.trailers = nullptr;
  std::uint64_t bytes_min = 0;
  std::uint64_t bytes_max = kPutBytesMax;
  TRY(const std::optional<wire::FormClaim> claim, claim_of(fields));
  if (claim) {
    if (context.authenticator == nullptr) {
      return base::fail(base::ErrorKind::Internal, "Nobody here checks the signatures of forms.");
    }
    TRY(const wire::Identity identity, context.authenticator->check_form(*claim, context.now));
    own.principal = identity.principal;
    own.region = claim->scope ? claim->scope->region : bucket.region;
    if (own.region != bucket.region) {
      return with_field(bad_credential("the region '" + own.region + "' is wrong; expecting '" +
                                           bucket.region + "'",
                                       fields.get("x-amz-credential")),
                        "Region", bucket.region);
    }
    TRY(const PostPolicy policy, parse_post_policy(claim->policy));
    TRY_VOID(check_post_policy(policy, fields, bucket.name, key, context.now));
    bytes_min = policy.bytes_min;
    bytes_max = std::min(bytes_max, policy.bytes_max);
  }
  form.limit(bytes_min, bytes_max);
  return own;
}

PostObjectOutput Service::answer_form(const wire::Context& context, const FormFields& fields,
                                      const std::string& bucket, const std::string& key,
                                      const Written& written) {
  PostObjectOutput output;
  const std::string etag = quoted_etag(written.record.etag);
  const std::string location = location_of(context, bucket, key);
  output.etag = etag;
  output.version_id = written.version_id;
  output.server_side_encryption = kEncryption;
  set_checksum(output, *written.record.checksum);
  const std::string status = fields.get("success_action_status");
  if (auto target = redirection(fields, bucket, key, etag)) {
    output.status_code = 303;
    output.location = *std::move(target);
    return output;
  }
  output.location = location;
  output.status_code = status == "200" ? 200 : status == "201" ? 201 : 204;
  if (status == "201") {
    output.content_type = "application/xml";
    output.body = response_document(location, bucket, key, etag);
  }
  return output;
}

Task<base::Result<PostObjectOutput>> Service::post_object(const wire::Context& context,
                                                          PostObjectRequest request) {
  CO_TRY_VOID(check_bucket_name(request.bucket));
  CO_TRY(const BucketRecord target, find_bucket(request.bucket));
  const std::unique_ptr<http::BodyReader> nothing = http::body_of({});
  CO_TRY(const std::unique_ptr<FormReader> form,
         FormReader::open(context.body == nullptr ? *nothing : *context.body,
                          request.content_type.value_or("")));
  CO_TRY(const FormFields fields, co_await form->read_fields());
  if (!fields.find("key")) co_return missing_field("key");
  if (fields.get("key").empty()) {
    co_return invalid_argument("User key must have a length greater than 0.", "key", "");
  }
  const std::string key = with_file_name(fields.get("key"), form->file_name());
  CO_TRY_VOID(check_key(key));
  CO_TRY(wire::Context own, context_of_form(context, fields, target, key, *form));
  CO_TRY(Tags tags, tags_of(fields));
  const wire::ConditionContext conditions = form_conditions(fields, tags);
  CO_TRY(BucketRecord bucket, enter(own, request.bucket, {}, "s3:PutObject", key, conditions));

  CO_TRY(const PutObjectRequest put, request_of(fields));
  CO_TRY_VOID(refuse_unsupported(put));
  ObjectRecord record;
  CO_TRY(record.headers, object_headers(put));
  record.tags = std::move(tags);
  if (!record.tags.empty()) {
    CO_TRY_VOID(check_access(own, bucket, "s3:PutObjectTagging", key, conditions));
  }
  CO_TRY(record.acl, requested_acl(own, bucket, acl_request(put), "s3:PutObject", key));
  BodyDemands demands;
  demands.content_md5 = put.content_md5;
  CO_TRY(demands.declared, declared_checksum({}, checksum_headers(put), put.checksum_algorithm));
  if (demands.declared) demands.checksum = demands.declared->kind;
  CO_TRY(const std::unique_ptr<http::BodyReader> file, co_await file_of(*form));
  own.body = file.get();
  CO_TRY(Received received, co_await receive(own, std::move(demands), kPutBytesMax));
  CO_TRY(const Written written, co_await put_record(own, std::move(bucket), key, std::move(record),
                                                    std::move(received), {}, ObjectEvent::Post));
  co_return answer_form(context, fields, request.bucket, key, written);
}

}  // namespace terrarium::s3
