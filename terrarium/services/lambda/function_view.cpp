#include "terrarium/services/lambda/function_view.h"

#include "lib/base/encoding.h"
#include "terrarium/services/lambda/function_rules.h"
#include "terrarium/services/lambda/runtimes.h"

namespace terrarium::lambda {
namespace {

void add_state(FunctionConfiguration& shown, View view) {
  if (view == View::Listed) return;
  shown.state = view == View::Creating ? "Pending" : "Active";
  if (view == View::Creating) {
    shown.state_reason = "The function is being created.";
    shown.state_reason_code = "Creating";
    return;
  }
  shown.last_update_status = view == View::Updating ? "InProgress" : "Successful";
  if (view == View::Updating) {
    shown.last_update_status_reason = "The function is being created.";
    shown.last_update_status_reason_code = "Creating";
  }
}

}  // namespace

FunctionConfiguration describe(const FunctionRecord& record, const Place& place, std::string arn,
                               View view) {
  FunctionConfiguration shown;
  shown.function_name = record.name;
  shown.function_arn = std::move(arn);
  shown.runtime = record.runtime;
  shown.role = record.role;
  shown.handler = record.handler;
  shown.code_size = record.code_bytes;
  shown.description = record.description;
  shown.timeout = record.timeout_s;
  shown.memory_size = record.memory_mb;
  shown.last_modified = last_modified_text(record.last_modified);
  shown.code_sha256 =
      base::base64_encode(base::hex_decode(record.code_sha256_hex).value_or(std::string()));
  shown.version = record.version;
  if (record.has_environment) shown.environment.emplace().variables = record.variables;
  if (!record.dead_letter_arn.empty()) {
    shown.dead_letter_config.emplace().target_arn = record.dead_letter_arn;
  }
  shown.tracing_config.emplace().mode = record.tracing_mode;
  shown.revision_id = record.revision_id;
  for (const LayerUse& layer : record.layers) {
    if (!shown.layers) shown.layers.emplace();
    auto& one = shown.layers->emplace_back();
    one.arn = layer.arn;
    one.code_size = layer.code_bytes;
  }
  shown.package_type = record.package_type;
  shown.architectures = {"x86_64"};
  shown.ephemeral_storage.emplace().size = record.ephemeral_mb;
  shown.snap_start.emplace().apply_on = "None";
  shown.snap_start->optimization_status = "Off";
  shown.logging_config.emplace().log_format = "Text";
  shown.logging_config->log_group = log_group_of(record);
  if (view != View::Listed) {
    shown.runtime_version_config.emplace().runtime_version_arn =
        runtime_version_arn(record.runtime, place.region);
  }
  add_state(shown, view);
  return shown;
}

AliasConfiguration describe(const AliasRecord& record, const Place& place) {
  AliasConfiguration shown;
  shown.alias_arn = qualified_arn(place, record.function_name, record.name);
  shown.name = record.name;
  shown.function_version = record.version;
  shown.description = record.description;
  if (!record.other_version.empty()) {
    shown.routing_config.emplace().additional_version_weights.emplace().emplace(
        record.other_version, record.other_weight);
  }
  shown.revision_id = record.revision_id;
  return shown;
}

}  // namespace terrarium::lambda
