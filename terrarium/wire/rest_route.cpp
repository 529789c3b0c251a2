#include "terrarium/wire/rest_route.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "lib/base/encoding.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/scalar.h"

namespace terrarium::wire {
namespace {

// x-amz-* headers that belong to signing, framing, checksums or tracing, not to an operation.
constexpr std::string_view kCommonHeaders[] = {"x-amz-content-sha256",
                                               "x-amz-date",
                                               "x-amz-decoded-content-length",
                                               "x-amz-sdk-checksum-algorithm",
                                               "x-amz-security-token",
                                               "x-amz-te",
                                               "x-amz-trailer",
                                               "x-amz-user-agent"};

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  if (path.starts_with('/')) path.remove_prefix(1);
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  // "/bucket/" is the bucket, "/" the service.
  if (parts.size() <= 2 && parts.back().empty()) parts.pop_back();
  return parts;
}

bool contains(const auto& range, std::string_view name) {
  return std::ranges::find(range, name) != std::end(range);
}

std::unexpected<base::Error> not_implemented(std::string message) {
  return base::fail(errors::kNotImplemented, std::move(message));
}

}  // namespace

RestRoutes::RestRoutes(const ServiceModel& service)
    : service_(service), xml_(service.protocols.front() == Protocol::RestXml) {
  for (const OperationModel& operation : service.operations) {
    routes_.push_back(make_route(operation));
  }
}

RestRoutes::Route RestRoutes::make_route(const OperationModel& operation) {
  Route route;
  route.method = operation.http_method;
  const std::size_t mark = std::min(operation.uri.find('?'), operation.uri.size());
  for (const std::string_view part : split_path(operation.uri.substr(0, mark))) {
    if (part.empty()) continue;
    if (!part.starts_with('{')) {
      route.segments.push_back({part, false, false});
      continue;
    }
    const bool greedy = part.ends_with("+}");
    route.segments.push_back({part.substr(1, part.size() - (greedy ? 3 : 2)), true, greedy});
  }
  std::string_view query = operation.uri.substr(std::min(mark + 1, operation.uri.size()));
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    route.query.emplace_back(pair.substr(0, equals),
                             pair.substr(std::min(equals + 1, pair.size())));
    route.known_query.push_back(pair.substr(0, equals));
  }
  if (operation.input == nullptr) return route;
  for (const Member& member : operation.input->members) {
    if (member.location == Location::QueryString) {
      route.known_query.push_back(member.wire_name);
      if (member.required) route.required_query.push_back(member.wire_name);
    } else if (member.location == Location::Header) {
      route.known_headers.push_back(member.wire_name);
      if (member.required) route.required_headers.push_back(member.wire_name);
    } else if (member.location == Location::Headers) {
      route.known_header_prefixes.push_back(base::to_lower(member.wire_name));
    }
  }
  return route;
}

// How much of the request tells this route from its neighbours; nothing when it is not this one.
std::optional<std::size_t> RestRoutes::weight(const Route& route, const Parameters& query,
                                              const http::HeaderViews& headers) const {
  for (const auto& [name, value] : route.query) {
    const auto found = query.find(name);
    if (!found || (!value.empty() && *found != value)) return std::nullopt;
  }
  std::size_t given = 0;
  for (const std::string_view name : route.required_query) {
    if (query.has(name)) {
      ++given;
    } else if (xml_) {
      // S3 tells operations apart by these; elsewhere the operation refuses what is missing.
      return std::nullopt;
    }
  }
  for (const std::string_view name : route.required_headers) {
    if (!headers.find(name)) return std::nullopt;
  }
  return route.query.size() + given + route.required_headers.size();
}

base::Result<void> RestRoutes::check_nothing_ignored(const Route& route, std::string_view method,
                                                     const Parameters& query,
                                                     const http::HeaderViews& headers) const {
  // It asks about a request, whose parameters are none of its own.
  if (method == "OPTIONS") return {};
  const bool reads = method == "GET" || method == "HEAD";
  for (const auto& [name, value] : query) {
    if (contains(route.known_query, name) || is_signature_parameter(name) || name == "x-id") {
      continue;
    }
    // A header's name: looked at below, with the other headers.
    if (is_presigned_checksum(name) || (is_hoisted_header(name) && headers.find(name))) continue;
    if (reads && !value.empty() && !contains(service_.sub_resources, name)) continue;
    auto failure = not_implemented(
        "A query parameter you provided implies functionality that is "
        "not implemented");
    failure.error().fields = {{"QueryParameter", is_utf8(name) ? name : "?"}};
    return failure;
  }
  for (const http::HeaderView& field : headers) {
    const std::string name = base::to_lower(field.name);
    if (!name.starts_with("x-amz-") || contains(kCommonHeaders, name)) continue;
    if (name.starts_with("x-amz-checksum-")) continue;  // whoever reads the body looks at these
    const auto same = [&name](std::string_view known) {
      return base::equals_ignoring_case(known, name);
    };
    const auto begins = [&name](const std::string& prefix) { return name.starts_with(prefix); };
    if (std::ranges::any_of(route.known_headers, same) ||
        std::ranges::any_of(route.known_header_prefixes, begins)) {
      continue;
    }
    auto failure =
        not_implemented("A header you provided implies functionality that is not implemented");
    failure.error().fields = {{"Header", name}};
    return failure;
  }
  return {};
}

// The number of literal segments when the path is the route's; nothing otherwise.
std::optional<std::size_t> RestRoutes::literals_matched(
    const Route& route, const std::vector<std::string_view>& parts) {
  const bool greedy = !route.segments.empty() && route.segments.back().greedy;
  const std::size_t count = route.segments.size();
  if (parts.size() < count || (parts.size() > count && !greedy)) return std::nullopt;
  std::size_t literals = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Segment& segment = route.segments[i];
    if (segment.label) {
      // S3's keys may begin with an empty segment; no other label may be empty.
      if (parts[i].empty() && !segment.greedy) return std::nullopt;
      continue;
    }
    if (segment.text != parts[i]) return std::nullopt;
    ++literals;
  }
  return literals;
}

std::unexpected<base::Error> RestRoutes::method_not_allowed(
    std::string_view method, const std::vector<std::string_view>& parts) const {
  std::set<std::string_view> allowed;
  for (const Route& route : routes_) {
    const bool plain = route.query.empty() && route.required_query.empty();
    if (plain && route.method != "OPTIONS" && literals_matched(route, parts)) {
      allowed.insert(route.method);
    }
  }
  const std::string_view resource = parts.empty()       ? "SERVICE"
                                    : parts.size() == 1 ? "BUCKET"
                                                        : "OBJECT";
  auto failure = base::fail(errors::kMethodNotAllowed,
                            "The specified method is not allowed against this resource.");
  failure.error().fields = {{"Method", std::string(method)},
                            {"ResourceType", std::string(resource)},
                            {"header:Allow", fmt::format("{}", fmt::join(allowed, ", "))}};
  return failure;
}

base::Result<const RestRoutes::Route*> RestRoutes::choose(
    std::string_view method, std::string_view path, const std::vector<std::string_view>& parts,
    const Parameters& query, const http::HeaderViews& headers) const {
  const Route* best = nullptr;
  std::size_t best_weight = 0;
  bool path_known = false;
  bool method_known = false;
  for (const Route& route : routes_) {
    const auto literals = literals_matched(route, parts);
    if (!literals) continue;
    path_known = true;
    if (route.method != method) continue;
    method_known = true;
    const auto found = weight(route, query, headers);
    // Literal segments count before anything in the query.
    const std::size_t total = found ? *found + *literals * 100 + 1 : 0;
    if (total <= best_weight) continue;
    best = &route;
    best_weight = total;
  }
  if (best != nullptr) return best;
  if (!xml_) {
    return base::fail(errors::kUnknownOperation,
                      fmt::format("No operation is known for {} {}", method, path));
  }
  if (!path_known) return base::fail(errors::kInvalidUri, "Couldn't parse the specified URI.");
  // A method that only sub-resources have (POST on a key) is as wrong without one as an unknown
  // one.
  const bool names_sub_resource = std::ranges::any_of(query, [this](const auto& parameter) {
    return contains(service_.sub_resources, parameter.first);
  });
  if (!method_known || !names_sub_resource) return method_not_allowed(method, parts);
  return not_implemented(
      fmt::format("No operation for {} with these parameters is implemented", method));
}

base::Result<RouteMatch> RestRoutes::find(std::string_view method, std::string_view path,
                                          const Parameters& query,
                                          const http::HeaderViews& headers) const {
  std::vector<std::string_view> parts = split_path(path);
  if (!xml_ && !parts.empty() && parts.back().empty()) parts.pop_back();
  TRY(const Route* const route, choose(method, path, parts, query, headers));
  if (xml_) TRY_VOID(check_nothing_ignored(*route, method, query, headers));
  RouteMatch match;
  match.operation = static_cast<std::size_t>(route - routes_.data());
  for (std::size_t i = 0; i < route->segments.size(); ++i) {
    const Segment& segment = route->segments[i];
    if (!segment.label) continue;
    std::string_view raw = parts[i];
    if (segment.greedy) raw = path.substr(static_cast<std::size_t>(raw.data() - path.data()));
    auto decoded = base::percent_decode(raw);
    if (!decoded || !is_utf8(*decoded)) {
      return base::fail(errors::kInvalidUri, "Couldn't parse the specified URI.");
    }
    match.labels.emplace_back(segment.text, *std::move(decoded));
  }
  return match;
}

}  // namespace terrarium::wire
