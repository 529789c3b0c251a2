#include <fmt/format.h>

#include <algorithm>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/exchange.h"
#include "terrarium/wire/gzip.h"
#include "terrarium/wire/s3_address.h"

namespace terrarium::wire {
namespace {

// Read before it is known who sends them.
constexpr std::size_t kUncheckedBytesMax = 64 * 1024;

using Done = runtime::Task<base::Result<void>>;

void adopt_identity(Exchange& exchange, Identity identity) {
  Context& context = exchange.context;
  context.principal = identity.principal;
  if (identity.authentication) context.region = identity.authentication->scope.region;
  exchange.identity = std::move(identity);
}

// Queue URLs are URLs: old clients post to them instead of sending QueueUrl.
void add_queue_url(Exchange& exchange) {
  const std::string_view path = exchange.request.path;
  if (exchange.model().name != "sqs" || path.size() < 2 || exchange.form.has("QueueUrl")) return;
  if (std::ranges::count(path, '/') < 2) return;
  exchange.form.add("QueueUrl", exchange.context.endpoint + std::string(path));
}

base::Result<void> find_named_operation(Exchange& exchange, const base::ErrorRow& unknown) {
  for (const OperationHandler& handler : exchange.selection.service->entry.operations) {
    if (handler.model->name != exchange.target) continue;
    exchange.operation = &handler;
    return {};
  }
  const bool ec2 = exchange.selection.protocol == Protocol::Ec2;
  return base::fail(unknown,
                    fmt::format("The action {} is not valid for this {}.",
                                exchange.target.empty() ? "(none)" : exchange.target.substr(0, 128),
                                ec2 ? "web service" : "endpoint"));
}

base::Result<void> check_version(const Exchange& exchange, std::string_view action) {
  const auto version = exchange.form.find("Version");
  if (version == exchange.model().api_version) return {};
  if (exchange.selection.protocol == Protocol::Ec2) {
    if (!version) {
      return base::fail(errors::kMissingParameter,
                        "The request must contain the parameter Version");
    }
    return base::fail(errors::kNoSuchVersion,
                      fmt::format("The requested version ({}) of service AmazonEC2 is not served "
                                  "here: use {}",
                                  version->substr(0, 32), exchange.model().api_version));
  }
  if (!version) return {};
  return base::fail(errors::kInvalidAction,
                    fmt::format("Could not find operation {} for version {}", action.substr(0, 128),
                                version->substr(0, 32)));
}

base::Result<void> find_query_operation(Exchange& exchange) {
  exchange.form = exchange.query;
  TRY(const Parameters from_body, Parameters::parse(exchange.body));
  for (const auto& [name, value] : from_body) exchange.form.add(name, value);
  const auto action = exchange.form.find("Action");
  if (!action) {
    // Where JSON is spoken too, AWS finds no protocol that such a request belongs to.
    const bool alone = exchange.model().protocols.size() == 1;
    return base::fail(alone ? errors::kMissingAction : errors::kUnknownOperation,
                      "The request must name an Action.");
  }
  TRY_VOID(check_version(exchange, *action));
  exchange.target = *action;
  add_queue_url(exchange);
  return find_named_operation(exchange, errors::kInvalidAction);
}

// AWS's model marks these with authtype "none": the token in them is their credential.
bool carries_token(const Exchange& exchange) {
  if (exchange.model().signing_name != "sts") return false;
  if (exchange.request.headers.find("authorization") || exchange.query.has("X-Amz-Signature")) {
    return false;
  }
  const auto form = Parameters::parse(exchange.body);
  auto action = exchange.query.find("Action");
  if (!action && form) action = form->find("Action");
  return action == "AssumeRoleWithWebIdentity" || action == "AssumeRoleWithSAML";
}

base::Result<void> find_operation(Exchange& exchange) {
  switch (exchange.selection.protocol) {
    case Protocol::Query:
    case Protocol::Ec2: return find_query_operation(exchange);
    case Protocol::Json10:
    case Protocol::Json11: {
      const std::string_view target = exchange.request.headers.find("x-amz-target").value_or("");
      const std::size_t dot = target.rfind('.');
      const std::string_view prefix = target.substr(0, std::min(dot, target.size()));
      exchange.target = dot == target.npos || prefix != exchange.model().target_prefix
                            ? std::string()
                            : std::string(target.substr(dot + 1));
      return find_named_operation(exchange, errors::kUnknownOperation);
    }
    case Protocol::RestJson:
    case Protocol::RestXml: break;
  }
  const http::Request& request = exchange.request;
  TRY(RouteMatch match, exchange.selection.service->routes->find(request.method, exchange.path,
                                                                 exchange.query, exchange.headers));
  exchange.operation = &exchange.selection.service->entry.operations[match.operation];
  exchange.labels = std::move(match.labels);
  return {};
}

// Presigned URLs carry x-amz-* headers in their query, which the signature covers.
void hoist_headers(Exchange& exchange) {
  exchange.headers = exchange.request.headers;
  const bool presigned = exchange.query.has("X-Amz-Signature") || exchange.query.has("Signature");
  if (!presigned) return;
  for (const auto& [name, value] : exchange.query) {
    if (!is_hoisted_header(name) || exchange.headers.find(name)) continue;
    exchange.headers.add(name, value);
  }
}

// In Lambda's words, the only service here that speaks REST with JSON.
base::Error refusal_of_size(Exchange& exchange, base::Error error) {
  static constexpr base::ErrorRow kTooLarge{"RequestEntityTooLargeException", 413, {}};
  if (error.kind != base::ErrorKind::TooLarge || !find_operation(exchange)) return error;
  return base::fail(
             kTooLarge,
             fmt::format("Request must be smaller than {} bytes for the {} operation",
                         exchange.model().request_bytes_max, exchange.operation->model->name))
      .error();
}

base::Result<void> decompress(Exchange& exchange) {
  const std::string_view coding =
      base::trim(exchange.request.headers.find("content-encoding").value_or(""));
  if (coding.empty() || base::equals_ignoring_case(coding, "identity")) return {};
  if (!base::equals_ignoring_case(coding, "gzip")) {
    return base::fail(
        errors::kSerializationException,
        fmt::format("The content encoding {} is not supported.", coding.substr(0, 64)));
  }
  TRY(exchange.body, gunzip(exchange.body, exchange.model().request_bytes_max));
  return {};
}

}  // namespace

Done receive_s3(Exchange& exchange, Authenticator& authenticator) {
  const http::Request& request = exchange.request;
  const ServiceModel& model = exchange.model();
  const auto bucket = bucket_of_host(request.headers.find("host").value_or(""));
  exchange.path = bucket ? "/" + *bucket + std::string(request.path) : std::string(request.path);
  exchange.context.authenticator = &authenticator;
  // A browser's question before a request has the request's URL, which may be signed for another
  // method, and never a signature of its own.
  if (request.method != "OPTIONS") {
    CO_TRY(Identity identity, authenticator.check(request, exchange.selection.protocol,
                                                  model.signing_name, {}, exchange.context.now));
    adopt_identity(exchange, std::move(identity));
  }
  hoist_headers(exchange);
  CO_TRY_VOID(find_operation(exchange));
  const OperationModel& operation = *exchange.operation->model;
  CO_TRY(exchange.payload, Payload::open(request, exchange.identity, operation));
  if (operation.streaming_input) {
    exchange.context.body = exchange.payload.get();
    exchange.context.promised_body = exchange.payload.get();
    exchange.context.trailers = &exchange.payload->verified();
    co_return base::Result<void>();
  }
  CO_TRY(exchange.body, co_await http::read_all(*exchange.payload, model.request_bytes_max));
  co_return base::Result<void>();
}

Done receive_other(Exchange& exchange, Authenticator& authenticator) {
  http::Request& request = exchange.request;
  exchange.context.authenticator = &authenticator;
  const ServiceModel& model = exchange.model();
  if (request.body->length().value_or(UINT64_MAX) > kUncheckedBytesMax) {
    CO_TRY_VOID(
        authenticator.check_key(request, exchange.selection.protocol, exchange.context.now));
  }
  exchange.path = request.path;
  exchange.headers = request.headers;
  auto body = co_await http::read_all(*request.body, model.request_bytes_max);
  if (!body && exchange.selection.protocol == Protocol::RestJson) {
    co_return std::unexpected(refusal_of_size(exchange, std::move(body).error()));
  }
  CO_TRY(exchange.body, std::move(body));
  if (!carries_token(exchange)) {
    const std::string hash =
        base::hex_encode(base::digest(base::DigestKind::Sha256, exchange.body));
    CO_TRY(Identity identity, authenticator.check(request, exchange.selection.protocol,
                                                  model.signing_name, hash, exchange.context.now));
    adopt_identity(exchange, std::move(identity));
  }
  CO_TRY_VOID(decompress(exchange));
  co_return find_operation(exchange);
}

}  // namespace terrarium::wire
