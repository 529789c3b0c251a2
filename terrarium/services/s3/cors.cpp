#include "terrarium/services/s3/cors.h"

#include <algorithm>
#include <array>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/fields.h"
#include "terrarium/services/s3/names.h"

namespace terrarium::s3 {
namespace {

constexpr std::array<std::string_view, 5> kMethods{"GET", "PUT", "HEAD", "POST", "DELETE"};
constexpr std::size_t kCorsIdBytesMax = 255;

enum : std::uint8_t { kCorsRule = 1 };
enum : std::uint8_t { kRuleId = 1, kRuleMethod, kRuleOrigin, kRuleHeader, kRuleExposed, kRuleAge };

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidRequest, std::move(message));
}

base::Result<void> check_wildcards(const std::vector<std::string>& patterns,
                                   std::string_view element) {
  for (const std::string& pattern : patterns) {
    if (std::ranges::count(pattern, '*') <= 1) continue;
    return invalid(std::string(element) + " \"" + pattern +
                   "\" can not have more than one wildcard.");
  }
  return {};
}

base::Result<void> check_rule(const CORSRule& rule) {
  if (rule.id && rule.id->size() > kCorsIdBytesMax) {
    return invalid("The ID of a CORS rule can have up to 255 characters.");
  }
  const bool complete = !rule.allowed_methods.empty() && !rule.allowed_origins.empty();
  if (!complete || rule.max_age_seconds.value_or(0) < 0) {
    return malformed_xml();
  }
  for (const std::string& method : rule.allowed_methods) {
    if (std::ranges::find(kMethods, method) != kMethods.end()) continue;
    return invalid("Found unsupported HTTP method in CORS config. Unsupported method is " + method);
  }
  TRY_VOID(check_wildcards(rule.allowed_origins, "AllowedOrigin"));
  if (rule.allowed_headers) TRY_VOID(check_wildcards(*rule.allowed_headers, "AllowedHeader"));
  for (const std::string& header : rule.expose_headers.value_or(std::vector<std::string>())) {
    if (!header.contains('*')) continue;
    return invalid("ExposeHeader \"" + header +
                   "\" contains wildcard. We currently do not support wildcard for ExposeHeader.");
  }
  return {};
}

FieldWriter written(const CORSRule& rule) {
  FieldWriter writer;
  // As pairs: empty text is not written alone, and an empty origin is allowed.
  if (rule.id) writer.pair(kRuleId, *rule.id, {});
  for (const std::string& method : rule.allowed_methods) writer.pair(kRuleMethod, method, {});
  for (const std::string& origin : rule.allowed_origins) writer.pair(kRuleOrigin, origin, {});
  for (const std::string& header : rule.allowed_headers.value_or(std::vector<std::string>())) {
    writer.pair(kRuleHeader, header, {});
  }
  for (const std::string& header : rule.expose_headers.value_or(std::vector<std::string>())) {
    writer.pair(kRuleExposed, header, {});
  }
  // One more than it is: zero would not be written.
  if (rule.max_age_seconds) {
    writer.number(kRuleAge, static_cast<std::uint64_t>(*rule.max_age_seconds) + 1);
  }
  return writer;
}

void append(std::optional<std::vector<std::string>>& list, std::string_view text) {
  if (!list) list.emplace();
  list->emplace_back(text);
}

bool read_rule(std::string_view bytes, CORSRule& rule) {
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.tag() == kRuleAge) {
      rule.max_age_seconds = static_cast<std::int32_t>(reader.number()) - 1;
      continue;
    }
    const std::string_view text = reader.pair().first;
    switch (reader.tag()) {
      case kRuleId: rule.id = text; break;
      case kRuleMethod: rule.allowed_methods.emplace_back(text); break;
      case kRuleOrigin: rule.allowed_origins.emplace_back(text); break;
      case kRuleHeader: append(rule.allowed_headers, text); break;
      case kRuleExposed: append(rule.expose_headers, text); break;
      default: reader.refuse();
    }
  }
  return reader.complete();
}

// At most one '*'.
bool fits(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  return text.size() >= before.size() + after.size() && text.starts_with(before) &&
         text.ends_with(after);
}

std::vector<std::string> requested(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view name = base::trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (!name.empty()) names.push_back(base::to_lower(name));
  }
  return names;
}

bool allows_headers(const CORSRule& rule, const std::vector<std::string>& names) {
  return std::ranges::all_of(names, [&rule](const std::string& name) {
    return rule.allowed_headers &&
           std::ranges::any_of(*rule.allowed_headers, [&name](const std::string& pattern) {
             return fits(base::to_lower(pattern), name);
           });
  });
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

http::Headers answer_of(const CORSRule& rule, bool any_origin, std::string_view origin,
                        const std::vector<std::string>& names) {
  http::Headers headers;
  headers.add("Access-Control-Allow-Origin", any_origin ? "*" : std::string(origin));
  headers.add("Access-Control-Allow-Methods", joined(rule.allowed_methods));
  if (!names.empty()) headers.add("Access-Control-Allow-Headers", joined(names));
  if (rule.expose_headers) {
    headers.add("Access-Control-Expose-Headers", joined(*rule.expose_headers));
  }
  if (rule.max_age_seconds) {
    headers.add("Access-Control-Max-Age", std::to_string(*rule.max_age_seconds));
  }
  if (!any_origin) headers.add("Access-Control-Allow-Credentials", "true");
  headers.add("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
  return headers;
}

}  // namespace

base::Result<void> check_cors(const CORSConfiguration& configuration) {
  if (configuration.cors_rules.empty()) {
    return malformed_xml();
  }
  if (configuration.cors_rules.size() > kCorsRulesMax) {
    return invalid("The number of CORS rules should not exceed allowed limit of 100 rules.");
  }
  for (const CORSRule& rule : configuration.cors_rules) TRY_VOID(check_rule(rule));
  return {};
}

std::string encode(const CORSConfiguration& configuration) {
  FieldWriter writer;
  for (const CORSRule& rule : configuration.cors_rules) writer.record(kCorsRule, written(rule));
  return writer.take();
}

base::Result<CORSConfiguration> decode_cors(std::string_view bytes) {
  CORSConfiguration configuration;
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.tag() != kCorsRule ||
        !read_rule(reader.text(), configuration.cors_rules.emplace_back())) {
      reader.refuse();
    }
  }
  if (!reader.complete()) {
    return base::fail(base::ErrorKind::Internal, "The CORS rules of a bucket are unreadable.");
  }
  return configuration;
}

std::optional<http::Headers> answer_cors(const CORSConfiguration& configuration,
                                         const CorsQuestion& question) {
  const std::vector<std::string> names = requested(question.requested_headers);
  for (const CORSRule& rule : configuration.cors_rules) {
    const auto origin = std::ranges::find_if(
        rule.allowed_origins,
        [&question](const std::string& pattern) { return fits(pattern, question.origin); });
    if (origin == rule.allowed_origins.end()) continue;
    if (std::ranges::find(rule.allowed_methods, question.method) == rule.allowed_methods.end()) {
      continue;
    }
    if (allows_headers(rule, names)) return answer_of(rule, *origin == "*", question.origin, names);
  }
  return std::nullopt;
}

}  // namespace terrarium::s3
