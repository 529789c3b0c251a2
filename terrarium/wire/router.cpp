#include "terrarium/wire/router.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "lib/base/check.h"
#include "lib/base/log.h"
#include "terrarium/wire/authenticate.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/exchange.h"
#include "terrarium/wire/fault.h"
#include "terrarium/wire/s3_ids.h"

namespace terrarium::wire {
namespace {

// Longer than the longest that AWS lets a caller wait: Lambda's fifteen minutes.
constexpr std::chrono::minutes kDeadline{16};
constexpr std::size_t kRefusedMax = 1000;

bool is_rest(Protocol protocol) {
  return protocol == Protocol::RestJson || protocol == Protocol::RestXml;
}

// "http://host:port" as the caller wrote it: queue URLs made of it lead back here.
std::string endpoint_of(const http::Request& request) {
  const std::string_view host = request.headers.find("host").value_or("");
  const bool plain = !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._:[]").contains(c);
  });
  const bool tls = request.peer != nullptr && request.peer->tls;
  return std::string(tls ? "https://" : "http://") + (plain ? std::string(host) : "localhost");
}

}  // namespace

struct Router::State {
  State(const KeyStore& keys, const Authoriser* authoriser, base::Clock& time, base::Random& chance,
        RouterConfig settings)
      : authenticator(keys, authoriser), clock(time), random(chance), config(std::move(settings)) {}

  runtime::Task<base::Result<http::Response>> serve(Exchange& exchange);
  Context make_context(const http::Request& request);
  http::Response fault(const Exchange& exchange, const base::Error& error);
  void log_refused_once(const Exchange& exchange, const base::Error& error);
  void finish(const Exchange& exchange, http::Response& response) const;

  Authenticator authenticator;
  base::Clock& clock;
  base::Random& random;
  RouterConfig config;
  std::vector<std::unique_ptr<RoutedService>> services;
  std::mutex refused_mutex;
  std::set<std::string> refused;
};

Context Router::State::make_context(const http::Request& request) {
  Context context;
  context.request_id = random.uuid();
  context.region = config.default_region;
  context.account = config.account;
  context.now = clock.now();
  context.deadline = context.now + kDeadline;
  context.endpoint = endpoint_of(request);
  if (request.peer != nullptr) context.source_ip = request.peer->address;
  context.request = &request;
  return context;
}

runtime::Task<base::Result<http::Response>> Router::State::serve(Exchange& exchange) {
  if (exchange.selection.service == nullptr) {
    co_return base::fail(
        errors::kNotImplemented,
        "The service " + exchange.selection.name.substr(0, 64) + " is not part of this region.");
  }
  auto query = Parameters::parse(exchange.request.query);
  if (!query && exchange.selection.protocol == Protocol::RestXml) {
    co_return base::fail(errors::kInvalidUri, "Couldn't parse the specified URI.");
  }
  CO_TRY(exchange.query, std::move(query));
  if (exchange.selection.protocol == Protocol::RestXml) {
    CO_TRY_VOID(co_await receive_s3(exchange, authenticator));
  } else {
    CO_TRY_VOID(co_await receive_other(exchange, authenticator));
  }
  co_return co_await answer(exchange);
}

// What we do not serve shows up in the log, once for each kind of request.
void Router::State::log_refused_once(const Exchange& exchange, const base::Error& error) {
  const bool refusal = error.kind == base::ErrorKind::NotImplemented ||
                       error.is(errors::kUnknownOperation) || error.is(errors::kInvalidAction) ||
                       error.is(errors::kUnknownParameter) || error.is(errors::kNoSuchVersion);
  if (!refusal) return;
  std::string text = exchange.selection.name.substr(0, 64) + ": " + error.message.substr(0, 200);
  for (const auto& [name, value] : error.fields) text += " " + name + "=" + value.substr(0, 64);
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  const std::lock_guard lock(refused_mutex);
  if (refused.size() < kRefusedMax && refused.insert(text).second) {
    base::log::warning("wire", "refused as not implemented: {}", text);
  }
}

http::Response Router::State::fault(const Exchange& exchange, const base::Error& error) {
  log_refused_once(exchange, error);
  const std::string& uuid = exchange.context.request_id;
  const bool s3 = exchange.selection.protocol == Protocol::RestXml;
  const S3Ids ids = s3 ? s3_ids(uuid) : S3Ids{uuid, {}};
  FaultContext context;
  context.request_id = ids.request_id;
  context.extended_id = ids.host_id;
  context.head = exchange.request.method == "HEAD";
  if (exchange.selection.service != nullptr) {
    const ServiceModel& model = exchange.model();
    context.xml_namespace = model.xml_namespace;
    context.error_namespace = model.error_namespace;
    context.query_compatible =
        std::ranges::find(model.protocols, Protocol::Query) != model.protocols.end();
  }
  return fault_response(exchange.selection.protocol, error, context);
}

void Router::State::finish(const Exchange& exchange, http::Response& response) const {
  const RoutedService* const service = exchange.selection.service;
  if (service != nullptr && service->entry.finish) {
    service->entry.finish(exchange.context, exchange.path, response);
  }
  const std::string& uuid = exchange.context.request_id;
  if (exchange.selection.protocol == Protocol::RestXml) {
    S3Ids ids = s3_ids(uuid);
    response.headers.add("Server", "AmazonS3");
    response.headers.add("x-amz-request-id", std::move(ids.request_id));
    response.headers.add("x-amz-id-2", std::move(ids.host_id));
  } else {
    response.headers.add("x-amzn-RequestId", uuid);
  }
}

Router::Router(base::Clock& clock, base::Random& random, const KeyStore& keys, RouterConfig config,
               const Authoriser* authoriser)
    : state_(std::make_unique<State>(keys, authoriser, clock, random, std::move(config))) {}

Router::~Router() = default;

void Router::add(ServiceEntry entry, ServicePermissions permissions) {
  const bool streams = std::ranges::any_of(
      entry.operations, [](const OperationHandler& each) { return each.model->streaming_input; });
  CHECK(!streams || !entry.executor, "bodies are read on the connection's own executor");
  auto service = std::make_unique<RoutedService>();
  CHECK(permissions.operations.empty() ||
            permissions.operations.size() == entry.model->operations.size(),
        "permissions are those of the model's operations");
  service->entry = std::move(entry);
  service->permissions = std::move(permissions);
  if (is_rest(service->entry.model->protocols.front())) {
    service->routes = std::make_unique<RestRoutes>(*service->entry.model);
  }
  state_->services.push_back(std::move(service));
}

runtime::Task<http::Response> Router::handle(http::Request& request) {
  Exchange exchange{.request = request,
                    .selection = select_service(request, state_->services),
                    .context = state_->make_context(request)};
  base::Result<http::Response> result;
  // Third-party code may throw where nobody expected it: one request fails, not the region.
  try {
    result = co_await state_->serve(exchange);
  } catch (const std::exception& thrown) {
    result = base::fail(base::ErrorKind::Internal, thrown.what());
  }
  http::Response response =
      result ? *std::move(result) : state_->fault(exchange, std::move(result).error());
  state_->finish(exchange, response);
  co_return response;
}

http::Handler Router::handler() {
  return [this](http::Request& request) { return handle(request); };
}

}  // namespace terrarium::wire
