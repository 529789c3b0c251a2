#include "terrarium/services/s3/policy_conditions.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "lib/base/encoding.h"
#include "lib/http/server.h"
#include "terrarium/services/s3/form.h"
#include "terrarium/services/s3/names.h"

namespace terrarium::s3 {
namespace {

// A header's key is its name behind "s3:".
constexpr std::array<std::string_view, 17> kHeaders{
    "if-match",
    "if-none-match",
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
    "x-amz-website-redirect-location"};
constexpr std::string_view kRequestTag = "s3:requestobjecttag/";
constexpr std::string_view kRequestTagKeys = "s3:requestobjecttagkeys";
constexpr std::string_view kExistingTag = "s3:existingobjecttag/";

constexpr std::array<std::string_view, 25> kKeys{
    "s3:prefix",
    "s3:delimiter",
    "s3:max-keys",
    kVersionCondition,
    kRequestTag,
    kRequestTagKeys,
    kExistingTag,
    "s3:resourceaccount",
    "s3:if-match",
    "s3:if-none-match",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-object-ownership",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:x-amz-website-redirect-location"};

constexpr std::array<std::string_view, 13> kActionsOnTagged{
    "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging", "s3:GetObject",
    "s3:GetObjectAcl",        "s3:GetObjectTagging",           "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging",    "s3:PutObjectAcl",
    "s3:PutObjectTagging",    "s3:PutObjectVersionAcl",        "s3:PutObjectVersionTagging",
    "s3:RestoreObject"};

void add_tags(wire::ConditionContext& conditions, std::string_view prefix, const Tags& tags) {
  for (const auto& [key, value] : tags) {
    conditions[std::string(prefix) + base::to_lower(key)] = {value};
  }
}

// Of a presigned URL; decoded. A broken escape was refused before.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!base::equals_ignoring_case(pair.substr(0, equals), name)) continue;
    auto value = base::percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (value) return *std::move(value);
  }
  return std::nullopt;
}

std::optional<std::string> given(const http::Request& request, std::string_view name) {
  if (const auto value = request.headers.find(name)) return std::string(*value);
  return name.starts_with("x-amz-") ? query_parameter(request.query, name) : std::nullopt;
}

// A policy names the source as "bucket/key", clients with a slash before it or without.
std::string copy_source(const std::string& header) {
  auto decoded = base::percent_decode(header);
  std::string source = decoded ? *std::move(decoded) : header;
  if (source.starts_with('/')) source.erase(0, 1);
  return source;
}

}  // namespace

std::span<const std::string_view> condition_keys() { return kKeys; }

void add_request_conditions(wire::ConditionContext& conditions, const wire::Context& context) {
  conditions["s3:resourceaccount"] = {context.account};
  if (context.request == nullptr) return;
  for (const std::string_view name : kHeaders) {
    auto value = given(*context.request, name);
    if (!value) continue;
    if (name == "x-amz-copy-source") value = copy_source(*value);
    conditions["s3:" + std::string(name)] = {*std::move(value)};
  }
  const auto tagging = given(*context.request, "x-amz-tagging");
  if (!tagging) return;
  // One that is malformed is refused by whoever keeps it.
  if (const auto tags = parse_tagging_header(*tagging)) add_request_tags(conditions, *tags);
}

wire::ConditionContext form_conditions(const FormFields& fields, const Tags& tags) {
  wire::ConditionContext conditions;
  for (const std::string_view name : kHeaders) {
    auto value = fields.find(name == "x-amz-acl" ? "acl" : name);
    if (value) conditions["s3:" + std::string(name)] = {*std::move(value)};
  }
  add_request_tags(conditions, tags);
  return conditions;
}

void add_request_tags(wire::ConditionContext& conditions, const Tags& tags) {
  if (tags.empty()) return;
  add_tags(conditions, kRequestTag, tags);
  auto& keys = conditions[std::string(kRequestTagKeys)];
  keys.clear();
  for (const auto& [key, value] : tags) keys.push_back(key);
}

void add_existing_tags(wire::ConditionContext& conditions, const Tags& tags) {
  add_tags(conditions, kExistingTag, tags);
}

bool knows_existing_tags(std::string_view action) {
  return std::ranges::find(kActionsOnTagged, action) != kActionsOnTagged.end();
}

bool mentions_existing_tags(std::string_view policy) {
  return !policy.empty() && base::to_lower(policy).contains(kExistingTag);
}

}  // namespace terrarium::s3
