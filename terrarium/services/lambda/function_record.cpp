#include "terrarium/services/lambda/function_record.h"

#include <algorithm>
#include <charconv>

#include "terrarium/services/lambda/record_json.h"

namespace terrarium::lambda {
namespace {

using namespace record_json;

json::array layers_array(const std::vector<LayerUse>& layers) {
  json::array array;
  for (const LayerUse& layer : layers) {
    array.push_back(json::object{{"arn", layer.arn},
                                 {"code_sha256", layer.code_sha256_hex},
                                 {"code_bytes", layer.code_bytes},
                                 {"unzipped_bytes", layer.unzipped_bytes}});
  }
  return array;
}

std::vector<LayerUse> layers_of(const json::object& object) {
  std::vector<LayerUse> layers;
  const json::array* array = array_at(object, "layers");
  if (array == nullptr) return layers;
  for (const json::value& value : *array) {
    if (!value.is_object()) continue;
    const json::object& layer = value.as_object();
    layers.push_back({.arn = text(layer, "arn"),
                      .code_sha256_hex = text(layer, "code_sha256"),
                      .code_bytes = number(layer, "code_bytes"),
                      .unzipped_bytes = number(layer, "unzipped_bytes")});
  }
  return layers;
}

using Texts = std::optional<std::vector<std::string>>;

void put(json::object& object, std::string_view name, const Texts& texts) {
  if (texts) object[name] = array_of(*texts);
}

Texts optional_texts(const json::object& object, std::string_view name) {
  if (!object.contains(name)) return std::nullopt;
  return texts(object, name);
}

json::object cors_object(const CorsRules& cors) {
  json::object object;
  if (cors.allow_credentials) object["allow_credentials"] = *cors.allow_credentials;
  put(object, "allow_headers", cors.allow_headers);
  put(object, "allow_methods", cors.allow_methods);
  put(object, "allow_origins", cors.allow_origins);
  put(object, "expose_headers", cors.expose_headers);
  if (cors.max_age_s) object["max_age_s"] = *cors.max_age_s;
  return object;
}

CorsRules cors_of(const json::object& object) {
  CorsRules cors;
  if (object.contains("allow_credentials")) {
    cors.allow_credentials = flag(object, "allow_credentials");
  }
  cors.allow_headers = optional_texts(object, "allow_headers");
  cors.allow_methods = optional_texts(object, "allow_methods");
  cors.allow_origins = optional_texts(object, "allow_origins");
  cors.expose_headers = optional_texts(object, "expose_headers");
  cors.max_age_s = optional32(object, "max_age_s");
  return cors;
}

json::object url_object(const UrlRecord& url) {
  json::object object{{"id", url.id},
                      {"auth_type", url.auth_type},
                      {"created_us", micros(url.created)},
                      {"last_modified_us", micros(url.last_modified)}};
  if (url.cors) object["cors"] = cors_object(*url.cors);
  return object;
}

std::optional<UrlRecord> url_of(const json::object& object) {
  const json::object* stored = object_at(object, "url");
  if (stored == nullptr) return std::nullopt;
  UrlRecord url{.id = text(*stored, "id"),
                .auth_type = text(*stored, "auth_type"),
                .cors = {},
                .created = time(*stored, "created_us"),
                .last_modified = time(*stored, "last_modified_us")};
  if (const json::object* cors = object_at(*stored, "cors")) url.cors = cors_of(*cors);
  return url;
}

// What only some records have.
template <class Record>
void put_extras(json::object& object, const Record& record) {
  if (record.provisioned_concurrency) {
    object["provisioned_concurrency"] = *record.provisioned_concurrency;
    object["provisioned_modified_us"] = micros(record.provisioned_modified);
  }
  if (record.url) object["url"] = url_object(*record.url);
  if (!record.policy.empty()) object["policy"] = array_of(record.policy);
}

template <class Record>
void take_extras(Record& record, const json::object& object) {
  record.provisioned_concurrency = optional32(object, "provisioned_concurrency");
  record.provisioned_modified = time(object, "provisioned_modified_us");
  record.url = url_of(object);
  record.policy = policy_of(object);
}

}  // namespace

std::string to_text(const FunctionRecord& record) {
  json::object object{{"name", record.name},
                      {"version", record.version},
                      {"runtime", record.runtime},
                      {"role", record.role},
                      {"handler", record.handler},
                      {"description", record.description},
                      {"timeout_s", record.timeout_s},
                      {"memory_mb", record.memory_mb},
                      {"ephemeral_mb", record.ephemeral_mb},
                      {"package_type", record.package_type},
                      {"log_group", record.log_group},
                      {"tracing_mode", record.tracing_mode},
                      {"dead_letter_arn", record.dead_letter_arn},
                      {"variables", object_of(record.variables)},
                      {"has_environment", record.has_environment},
                      {"layers", layers_array(record.layers)},
                      {"opt_sha256", record.opt_sha256_hex},
                      {"code_sha256", record.code_sha256_hex},
                      {"code_bytes", record.code_bytes},
                      {"unzipped_bytes", record.unzipped_bytes},
                      {"update_runtime_on", record.update_runtime_on},
                      {"build_id", record.build_id},
                      {"last_modified_us", micros(record.last_modified)},
                      {"revision_id", record.revision_id}};
  if (record.version == kLatest) {
    object["tags"] = object_of(record.tags);
    object["versions_made"] = static_cast<std::int64_t>(record.versions_made);
    object["published_build_id"] = record.published_build_id;
    object["recursive_loop"] = record.recursive_loop;
  }
  if (record.reserved_concurrency) object["reserved_concurrency"] = *record.reserved_concurrency;
  put_extras(object, record);
  return json::serialize(object);
}

base::Result<FunctionRecord> parse_function(std::string_view stored) {
  TRY(const json::object object, parse_object(stored));
  FunctionRecord record;
  record.name = text(object, "name");
  record.version = text(object, "version");
  record.runtime = text(object, "runtime");
  record.role = text(object, "role");
  record.handler = text(object, "handler");
  record.description = text(object, "description");
  record.timeout_s = number32(object, "timeout_s");
  record.memory_mb = number32(object, "memory_mb");
  record.ephemeral_mb = number32(object, "ephemeral_mb");
  record.package_type = text(object, "package_type");
  record.log_group = text(object, "log_group");
  record.tracing_mode = text(object, "tracing_mode");
  record.dead_letter_arn = text(object, "dead_letter_arn");
  record.variables = map_of(object, "variables");
  record.has_environment = flag(object, "has_environment");
  record.layers = layers_of(object);
  record.opt_sha256_hex = text(object, "opt_sha256");
  record.code_sha256_hex = text(object, "code_sha256");
  record.code_bytes = number(object, "code_bytes");
  record.unzipped_bytes = number(object, "unzipped_bytes");
  record.update_runtime_on = text(object, "update_runtime_on");
  record.build_id = text(object, "build_id");
  record.last_modified = time(object, "last_modified_us");
  record.revision_id = text(object, "revision_id");
  record.tags = map_of(object, "tags");
  record.reserved_concurrency = optional32(object, "reserved_concurrency");
  record.versions_made = static_cast<std::uint64_t>(number(object, "versions_made"));
  record.published_build_id = text(object, "published_build_id");
  record.recursive_loop = text(object, "recursive_loop");
  take_extras(record, object);
  return record;
}

std::string to_text(const AliasRecord& record) {
  json::object object{{"function_name", record.function_name},
                      {"name", record.name},
                      {"version", record.version},
                      {"description", record.description},
                      {"other_version", record.other_version},
                      {"other_weight", record.other_weight},
                      {"revision_id", record.revision_id}};
  put_extras(object, record);
  return json::serialize(object);
}

base::Result<AliasRecord> parse_alias(std::string_view stored) {
  TRY(const json::object object, parse_object(stored));
  AliasRecord record;
  record.function_name = text(object, "function_name");
  record.name = text(object, "name");
  record.version = text(object, "version");
  record.description = text(object, "description");
  record.other_version = text(object, "other_version");
  record.other_weight = real(object, "other_weight");
  record.revision_id = text(object, "revision_id");
  take_extras(record, object);
  return record;
}

std::optional<std::uint64_t> version_number(std::string_view version) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(version.begin(), version.end(), number);
  const bool whole = error == std::errc() && end == version.end();
  if (!whole || number == 0 || version.front() == '0') return std::nullopt;
  return number;
}

}  // namespace terrarium::lambda
