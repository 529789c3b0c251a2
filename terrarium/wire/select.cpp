#include <fmt/format.h>

#include <algorithm>

#include "lib/base/encoding.h"
#include "terrarium/wire/exchange.h"
#include "terrarium/wire/s3_address.h"

namespace terrarium::wire {
namespace {

using Services = std::vector<std::unique_ptr<RoutedService>>;

const RoutedService* find_by_signing_name(const Services& services, std::string_view name) {
  for (const auto& service : services) {
    if (service->entry.model->signing_name == name) return service.get();
  }
  return nullptr;
}

const RoutedService* find_by_target(const Services& services, std::string_view target) {
  const std::string_view prefix = target.substr(0, target.find('.'));
  for (const auto& service : services) {
    const std::string_view own = service->entry.model->target_prefix;
    if (!own.empty() && own == prefix) return service.get();
  }
  return nullptr;
}

bool speaks(const RoutedService& service, Protocol protocol) {
  return std::ranges::find(service.entry.model->protocols, protocol) !=
         service.entry.model->protocols.end();
}

const RoutedService* find_by_protocol(const Services& services, Protocol protocol) {
  for (const auto& service : services) {
    if (speaks(*service, protocol)) return service.get();
  }
  return nullptr;
}

// An unsigned call of EC2 is known by the version of its API; other query services refuse alike,
// and only STS has calls that need no signature.
const RoutedService* find_by_version(const Services& services, std::string_view query) {
  for (const auto& service : services) {
    const std::string version = fmt::format("Version={}", service->entry.model->api_version);
    if (speaks(*service, Protocol::Ec2) && query.contains(version)) return service.get();
  }
  const RoutedService* const sts = find_by_signing_name(services, "sts");
  return sts != nullptr ? sts : find_by_protocol(services, Protocol::Query);
}

bool has_form(const http::Request& request) {
  const std::string_view type = request.headers.find("content-type").value_or("");
  return request.method == "POST" &&
         base::to_lower(type).starts_with("application/x-www-form-urlencoded");
}

bool has_action(const http::Request& request) {
  return request.query.starts_with("Action=") || request.query.contains("&Action=");
}

// Query services are called at the root or at a queue's URL; any other path is a bucket's.
bool is_path_of_query(std::string_view path) {
  constexpr std::size_t kAccountDigits = 12;
  if (path.empty() || path == "/") return true;
  const std::string_view first = path.substr(1, path.find('/', 1) - 1);
  return first.size() == kAccountDigits && path.size() > kAccountDigits + 1 &&
         std::ranges::all_of(first, [](char c) { return c >= '0' && c <= '9'; });
}

Protocol json_protocol(const http::Request& request) {
  const std::string_view type = request.headers.find("content-type").value_or("");
  return type.contains("json-1.0") ? Protocol::Json10 : Protocol::Json11;
}

// A service with several protocols is addressed in JSON when the request has a target.
Protocol protocol_of(const RoutedService& service, const http::Request& request) {
  const auto& protocols = service.entry.model->protocols;
  if (protocols.size() == 1) return protocols.front();
  if (!request.headers.find("x-amz-target")) return Protocol::Query;
  const Protocol wanted = json_protocol(request);
  if (speaks(service, wanted)) return wanted;
  return speaks(service, Protocol::Json10) ? Protocol::Json10 : Protocol::Json11;
}

// How a request for a service that is not here wants to be refused.
Protocol likely_protocol(const http::Request& request, std::string_view name) {
  if (name == "ec2") return Protocol::Ec2;
  if (request.headers.find("x-amz-target")) return json_protocol(request);
  return has_form(request) || has_action(request) ? Protocol::Query : Protocol::RestXml;
}

}  // namespace

Selection select_service(const http::Request& request, const Services& services) {
  Selection selection;
  selection.name = service_of_credential(request);
  const auto target = request.headers.find("x-amz-target");
  if (!selection.name.empty()) {
    selection.service = find_by_signing_name(services, selection.name);
  } else if (target) {
    selection.name = target->substr(0, target->find('.'));
    selection.service = find_by_target(services, *target);
  } else {
    const std::string host = service_of_host(request.headers.find("host").value_or(""));
    selection.name = host.empty() ? "s3" : host;
    selection.service = find_by_signing_name(services, selection.name);
    // An unsigned call of some query service is refused as any of them refuses it; everything else
    // that is unsigned can only be S3's.
    if (host.empty() && is_path_of_query(request.path) &&
        (has_form(request) || has_action(request))) {
      selection.name = "query";
      selection.service = find_by_version(services, request.query);
    }
  }
  selection.protocol = selection.service != nullptr ? protocol_of(*selection.service, request)
                                                    : likely_protocol(request, selection.name);
  return selection;
}

}  // namespace terrarium::wire
