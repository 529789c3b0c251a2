// Function URLs: their configuration, and the requests that come through them.
#include "generated/lambda/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/page.h"
#include "terrarium/services/lambda/policy_statement.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/lambda/url_exchange.h"
#include "terrarium/services/lambda/violation.h"
#include "terrarium/wire/permissions.h"

namespace terrarium::lambda {
namespace {

constexpr std::size_t kIdLength = 32;
constexpr std::string_view kIdAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kForbidden =
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

std::unexpected<base::Error> no_resource() {
  return base::fail(errors::kResourceNotFoundException,
                    "The resource you requested does not exist.");
}

std::unexpected<base::Error> no_function() {
  return base::fail(errors::kResourceNotFoundException, "Function does not exist");
}

// Functions and aliases have URLs, versions don't.
Result<FunctionName> url_holder(const std::string& function,
                                const std::optional<std::string>& qualifier, const Place& place) {
  if (qualifier && (!is_word(*qualifier) || version_number(*qualifier))) {
    return pattern_violation(*qualifier, "qualifier", "((?!^\\d+$)^[0-9a-zA-Z-_]+$)");
  }
  TRY(FunctionName name, parse_function_name(function, qualifier, place));
  if (name.qualifier.empty()) return name;
  if (is_word(name.qualifier) && !version_number(name.qualifier)) return name;
  return pattern_violation(name.qualifier, "qualifier", "((?!^\\d+$)^[0-9a-zA-Z-_]+$)");
}

const std::optional<UrlRecord>& url_of(const Resolved& holder) {
  return holder.alias ? holder.alias->url : holder.latest->url;
}

CorsRules rules_of(const Cors& cors) {
  return {.allow_credentials = cors.allow_credentials,
          .allow_headers = cors.allow_headers,
          .allow_methods = cors.allow_methods,
          .allow_origins = cors.allow_origins,
          .expose_headers = cors.expose_headers,
          .max_age_s = cors.max_age};
}

std::optional<Cors> shown(const std::optional<CorsRules>& rules) {
  if (!rules) return std::nullopt;
  Cors cors;
  cors.allow_credentials = rules->allow_credentials;
  cors.allow_headers = rules->allow_headers;
  cors.allow_methods = rules->allow_methods;
  cors.allow_origins = rules->allow_origins;
  cors.expose_headers = rules->expose_headers;
  cors.max_age = rules->max_age_s;
  return cors;
}

Result<void> check_mode(const std::optional<std::string>& mode) {
  if (mode.value_or("BUFFERED") == "BUFFERED") return {};
  return unsupported("InvokeMode RESPONSE_STREAM");
}

// What every answer has.
template <class Shape>
void fill(Shape& shape, const wire::Context& context, const Resolved& holder,
          const UrlRecord& url) {
  shape.function_url = function_url(context.endpoint, context.region, url.id);
  shape.function_arn = holder.arn;
  shape.auth_type = url.auth_type;
  shape.cors = shown(url.cors);
  shape.creation_time = base::iso8601(url.created, 6);
}

UrlRequest copy_of(const http::Request& request, std::string id, std::string body) {
  UrlRequest copy;
  copy.id = std::move(id);
  copy.method = request.method;
  copy.path = request.path;
  copy.query = request.query;
  for (const auto& field : request.headers) copy.headers.emplace_back(field.name, field.value);
  const std::string_view host = request.headers.find("host").value_or("");
  const std::size_t colon = host.rfind(':');
  copy.host = host.substr(0, colon);
  copy.port = colon == std::string_view::npos ? "80" : std::string(host.substr(colon + 1));
  copy.body = std::move(body);
  if (request.peer != nullptr) copy.source_ip = request.peer->address;
  return copy;
}

}  // namespace

Task<Result<void>> Service::save_url(std::string region, Resolved holder,
                                     std::optional<UrlRecord> url) {
  if (url) urls_[url->id] = {region, {holder.latest->name, holder.qualifier}};
  if (holder.alias) {
    AliasRecord record = *holder.alias;
    record.url = std::move(url);
    co_return co_await save(std::move(region), std::move(record));
  }
  FunctionRecord record = *holder.latest;
  record.url = std::move(url);
  co_return co_await save(std::move(region), std::move(record));
}

Task<Result<CreateFunctionUrlConfigResponse>> Service::create_function_url_config(
    const wire::Context& context, CreateFunctionUrlConfigRequest request) {
  CO_TRY(const FunctionName name,
         url_holder(request.function_name, request.qualifier, place_of(context)));
  CO_TRY_VOID(check_mode(request.invoke_mode));
  const auto holder = catalog_.resolve(place_of(context), name);
  if (!holder) co_return no_function();
  if (url_of(*holder)) {
    co_return base::fail(
        errors::kResourceConflictException,
        "Failed to create function url config for [functionArn = " + holder->arn +
            "]. Error message:  FunctionUrlConfig exists for this Lambda function");
  }
  UrlRecord url{.id = parts_.random.text(kIdLength, kIdAlphabet),
                .auth_type = request.auth_type,
                .cors = {},
                .created = parts_.clock.now(),
                .last_modified = parts_.clock.now()};
  if (request.cors) url.cors = rules_of(*request.cors);
  CO_TRY_VOID(co_await save_url(context.region, *holder, url));
  CreateFunctionUrlConfigResponse response;
  fill(response, context, *holder, url);
  response.invoke_mode = request.invoke_mode;
  co_return response;
}

Task<Result<GetFunctionUrlConfigResponse>> Service::get_function_url_config(
    const wire::Context& context, GetFunctionUrlConfigRequest request) {
  CO_TRY(const FunctionName name,
         url_holder(request.function_name, request.qualifier, place_of(context)));
  const auto holder = catalog_.resolve(place_of(context), name);
  if (!holder || !url_of(*holder)) co_return no_resource();
  GetFunctionUrlConfigResponse response;
  fill(response, context, *holder, *url_of(*holder));
  response.last_modified_time = base::iso8601(url_of(*holder)->last_modified, 6);
  response.invoke_mode = "BUFFERED";
  co_return response;
}

Task<Result<UpdateFunctionUrlConfigResponse>> Service::update_function_url_config(
    const wire::Context& context, UpdateFunctionUrlConfigRequest request) {
  CO_TRY(const FunctionName name,
         url_holder(request.function_name, request.qualifier, place_of(context)));
  CO_TRY_VOID(check_mode(request.invoke_mode));
  const auto holder = catalog_.resolve(place_of(context), name);
  if (!holder) co_return no_function();
  if (!url_of(*holder)) co_return no_resource();
  UrlRecord url = *url_of(*holder);
  url.auth_type = request.auth_type.value_or(url.auth_type);
  if (request.cors) url.cors = rules_of(*request.cors);
  url.last_modified = parts_.clock.now();
  CO_TRY_VOID(co_await save_url(context.region, *holder, url));
  UpdateFunctionUrlConfigResponse response;
  fill(response, context, *holder, url);
  response.last_modified_time = base::iso8601(url.last_modified, 6);
  response.invoke_mode = request.invoke_mode;
  co_return response;
}

Task<Result<wire::Empty>> Service::delete_function_url_config(
    const wire::Context& context, DeleteFunctionUrlConfigRequest request) {
  CO_TRY(const FunctionName name,
         url_holder(request.function_name, request.qualifier, place_of(context)));
  const auto holder = catalog_.resolve(place_of(context), name);
  if (!holder || !url_of(*holder)) co_return no_resource();
  urls_.erase(url_of(*holder)->id);
  CO_TRY_VOID(co_await save_url(context.region, *holder, std::nullopt));
  co_return wire::Empty{};
}

Task<Result<ListFunctionUrlConfigsResponse>> Service::list_function_url_configs(
    const wire::Context& context, ListFunctionUrlConfigsRequest request) {
  const Place place = place_of(context);
  CO_TRY(const FunctionName name, parse_function_name(request.function_name, place));
  const Catalog::Function* function = catalog_.find(context.region, name.name);
  if (function == nullptr) co_return no_function();
  CO_TRY(const Page page, page_of(request.marker, request.max_items));
  std::vector<FunctionUrlConfig> urls;
  const auto add = [&](const std::string& qualifier, const std::optional<UrlRecord>& url) {
    if (!url) return;
    Resolved holder;
    holder.arn = qualified_arn(place, name.name, qualifier);
    auto& item = urls.emplace_back();
    fill(item, context, holder, *url);
    item.last_modified_time = base::iso8601(url->last_modified, 6);
    item.invoke_mode = "BUFFERED";
  };
  add("", function->latest->url);
  for (const auto& [alias, record] : function->aliases) add(alias, record->url);
  ListFunctionUrlConfigsResponse response;
  response.next_marker =
      cut(urls, page, [](const FunctionUrlConfig& item) { return item.function_arn; });
  response.function_url_configs = std::move(urls);
  co_return response;
}

bool Service::is_url(const http::Request& request) {
  return url_id_of_host(request.headers.find("host").value_or("")).has_value();
}

Task<http::Response> Service::handle_url(http::Request& request) {
  auto id = url_id_of_host(request.headers.find("host").value_or(""));
  auto body = co_await http::read_all(*request.body, kPayloadBytesMax);
  if (!id || !body) {
    const bool too_large = !body && body.error().kind == base::ErrorKind::TooLarge;
    co_return too_large ? url_refusal(413, "RequestEntityTooLargeException", "Request too large")
                        : url_refusal(400, "BadRequestException", "Bad Request");
  }
  const std::string hash = base::hex_encode(base::digest(base::DigestKind::Sha256, *body));
  UrlRequest copy = copy_of(request, *std::move(id), *std::move(body));
  // Who comes without a signature may still be anybody that the function's policy allows.
  if (authenticator_ && request.headers.find("authorization")) {
    const auto identity = authenticator_->check(request, wire::Protocol::RestJson, "lambda", hash,
                                                parts_.clock.now());
    if (identity) copy.caller = identity->principal;
  }
  co_return co_await runtime::run_on(parts_.runtime.control(), serve_url(std::move(copy)));
}

bool Service::may_use_url(const Resolved& holder, const UrlRecord& url, const std::string& account,
                          const UrlRequest& request) const {
  wire::PolicyRequest asked;
  asked.action = "lambda:InvokeFunctionUrl";
  asked.resource = holder.arn;
  asked.context[std::string(kFunctionUrlAuthTypeKey)] = {url.auth_type};
  asked.context["aws:sourceip"] = {request.source_ip};
  const bool by_iam = url.auth_type == "AWS_IAM";
  if (by_iam && !request.caller) return false;
  if (by_iam) asked.principal = *request.caller;
  if (by_iam) {
    const auto own = authenticator_->permissions_of(*request.caller);
    const auto policy = parsed_policy(policy_of(holder));
    if (!own || !policy) return false;
    if (*own) return wire::judge(**own, *policy ? &**policy : nullptr, asked).allowed;
  }
  const wire::Decision decision = decide(policy_of(holder), asked);
  if (decision == wire::Decision::Deny) return false;
  const bool own = by_iam && request.caller->account == account;
  return own || decision == wire::Decision::Allow;
}

Task<http::Response> Service::serve_url(UrlRequest request) {
  const auto found = urls_.find(request.id);
  if (found == urls_.end()) {
    co_return url_refusal(404, "ResourceNotFoundException", "Function URL does not exist");
  }
  const auto& [region, name] = found->second;
  const Place place{region, config_.account};
  const auto holder = catalog_.resolve(place, FunctionName{name.first, name.second});
  if (!holder || !url_of(*holder) || url_of(*holder)->id != request.id) {
    urls_.erase(found);
    co_return url_refusal(404, "ResourceNotFoundException", "Function URL does not exist");
  }
  const UrlRecord url = *url_of(*holder);
  if (url.cors && is_preflight(request)) co_return preflight_answer(*url.cors, request);
  if (!may_use_url(*holder, url, place.account, request)) {
    co_return url_refusal(403, "AccessDeniedException", kForbidden);
  }
  if (url.auth_type == "NONE") request.caller.reset();
  request.request_id = parts_.random.uuid();
  request.time = parts_.clock.now();
  const Route route = fleet_.route(place.region, *holder);
  auto outcome =
      co_await run_now(route, {.request_id = request.request_id,
                               .function_arn = route.invoked_arn,
                               .payload = std::make_shared<const std::string>(url_event(request))});
  http::Response response;
  if (!outcome) {
    const bool throttled = outcome.error().kind == base::ErrorKind::Throttled;
    response = throttled ? url_refusal(429, "TooManyRequestsException", outcome.error().message)
                         : url_refusal(502, "ServiceException", "Internal Server Error");
  } else if (!outcome->function_error.empty()) {
    response = url_failure();
  } else {
    response = url_answer(outcome->payload);
  }
  response.headers.set("x-amzn-RequestId", request.request_id);
  if (url.cors) allow_origin(*url.cors, request, response);
  co_return response;
}

}  // namespace terrarium::lambda
