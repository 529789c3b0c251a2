#include "terrarium/services/lambda/layer_record.h"

#include <fmt/format.h>

#include "terrarium/services/lambda/record_json.h"

namespace terrarium::lambda {
namespace {

using namespace record_json;

}  // namespace

std::string to_text(const LayerVersionRecord& record) {
  json::object object{{"name", record.name},
                      {"version", record.version},
                      {"description", record.description},
                      {"code_sha256", record.code_sha256_hex},
                      {"code_bytes", record.code_bytes},
                      {"unzipped_bytes", record.unzipped_bytes},
                      {"created_us", micros(record.created)},
                      {"policy", array_of(record.policy)},
                      {"policy_revision_id", record.policy_revision_id}};
  if (record.runtimes) object["runtimes"] = array_of(*record.runtimes);
  if (record.architectures) object["architectures"] = array_of(*record.architectures);
  if (record.license) object["license"] = *record.license;
  return json::serialize(object);
}

base::Result<LayerVersionRecord> parse_layer_version(std::string_view stored) {
  TRY(const json::object object, parse_object(stored));
  LayerVersionRecord record;
  record.name = text(object, "name");
  record.version = number(object, "version");
  record.description = text(object, "description");
  if (object.contains("runtimes")) record.runtimes = texts(object, "runtimes");
  if (object.contains("architectures")) record.architectures = texts(object, "architectures");
  if (object.contains("license")) record.license = text(object, "license");
  record.code_sha256_hex = text(object, "code_sha256");
  record.code_bytes = number(object, "code_bytes");
  record.unzipped_bytes = number(object, "unzipped_bytes");
  record.created = time(object, "created_us");
  record.policy = policy_of(object);
  record.policy_revision_id = text(object, "policy_revision_id");
  return record;
}

std::string layer_arn(const Place& place, std::string_view name) {
  return fmt::format("arn:aws:lambda:{}:{}:layer:{}", place.region, place.account, name);
}

std::string layer_version_arn(const Place& place, std::string_view name, std::int64_t version) {
  return fmt::format("{}:{}", layer_arn(place, name), version);
}

namespace keys {

std::string layer(std::string_view region, std::string_view name) {
  return fmt::format("{}{}{}{}", kAllLayers, region, '\0', name);
}

std::string layer_version(std::string_view region, std::string_view name, std::int64_t version) {
  std::string key = fmt::format("{}{}{}{}{}", kAllLayerVersions, region, '\0', name, '\0');
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(static_cast<std::uint64_t>(version) >> shift));
  }
  return key;
}

}  // namespace keys
}  // namespace terrarium::lambda
