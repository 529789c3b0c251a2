#include "terrarium/services/lambda/function_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <tuple>

#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/runtimes.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr std::array<std::string_view, 19> kReservedVariables = {"AWS_ACCESS_KEY",
                                                                 "AWS_ACCESS_KEY_ID",
                                                                 "AWS_DEFAULT_REGION",
                                                                 "AWS_EXECUTION_ENV",
                                                                 "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                                                                 "AWS_LAMBDA_FUNCTION_NAME",
                                                                 "AWS_LAMBDA_FUNCTION_VERSION",
                                                                 "AWS_LAMBDA_INITIALIZATION_TYPE",
                                                                 "AWS_LAMBDA_LOG_GROUP_NAME",
                                                                 "AWS_LAMBDA_LOG_STREAM_NAME",
                                                                 "AWS_LAMBDA_RUNTIME_API",
                                                                 "AWS_REGION",
                                                                 "AWS_SECRET_ACCESS_KEY",
                                                                 "AWS_SECRET_KEY",
                                                                 "AWS_SESSION_TOKEN",
                                                                 "LAMBDA_RUNTIME_DIR",
                                                                 "LAMBDA_TASK_ROOT",
                                                                 "_HANDLER",
                                                                 "_X_AMZN_TRACE_ID"};

base::Result<void> check_range(std::optional<std::int32_t> value, std::string_view member,
                               std::int32_t min, std::int32_t max) {
  if (!value) return {};
  if (*value < min) {
    return violation(std::to_string(*value), member,
                     fmt::format("Member must have value greater than or equal to {}", min));
  }
  if (*value > max) {
    return violation(std::to_string(*value), member,
                     fmt::format("Member must have value less than or equal to {}", max));
  }
  return {};
}

bool is_role_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("+=,.@-_/").find(c) != std::string_view::npos;
}

base::Result<void> check_role(std::string_view role, const Place& place) {
  constexpr std::string_view kStart = "arn:aws:iam::";
  constexpr std::string_view kRole = ":role/";
  constexpr std::size_t kAccountDigits = 12;
  const auto wrong = [role] {
    return violation(role, "role",
                     "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::"
                     "\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+");
  };
  if (!role.starts_with(kStart)) return wrong();
  std::string_view rest = role.substr(kStart.size());
  const std::string_view account = rest.substr(0, std::min(kAccountDigits, rest.size()));
  const bool digits = std::ranges::all_of(account, [](char c) { return c >= '0' && c <= '9'; });
  rest.remove_prefix(account.size());
  if (account.size() != kAccountDigits || !digits || !rest.starts_with(kRole)) return wrong();
  rest.remove_prefix(kRole.size());
  if (rest.empty() || !std::ranges::all_of(rest, is_role_character)) return wrong();
  if (account != place.account) {
    return base::fail(errors::kAccessDeniedException, "Cross-account pass role is not allowed.");
  }
  return {};
}

base::Result<void> check_handler(std::string_view handler) {
  if (handler.size() > kHandlerBytesMax) {
    return violation(handler, "handler", "Member must have length less than or equal to 128");
  }
  if (handler.empty() || handler.find_first_of(" \t\r\n\v\f") != std::string_view::npos ||
      handler.find('\0') != std::string_view::npos) {
    return violation(handler, "handler", "Member must satisfy regular expression pattern: [^\\s]+");
  }
  return {};
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return name.size() >= 2 && letter(name.front()) && std::ranges::all_of(name, [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '_';
         });
}

base::Result<void> check_variables(const std::map<std::string, std::string>& variables) {
  std::vector<std::string_view> reserved;
  boost::json::object measured;
  for (const auto& [name, value] : variables) {
    if (std::ranges::find(kReservedVariables, name) != kReservedVariables.end()) {
      reserved.push_back(name);
    } else if (!is_variable_name(name)) {
      return violation(name, "environment.variables",
                       "Map keys must satisfy constraint: [Member must satisfy regular "
                       "expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]");
    }
    if (value.find('\0') != std::string::npos) {
      return invalid("The value of the environment variable " + name + " holds a NUL");
    }
    measured[name] = value;
  }
  constexpr std::string_view kUnable =
      "Lambda was unable to configure your environment variables because the environment "
      "variables you have provided ";
  if (!reserved.empty()) {
    return invalid(
        fmt::format("{}contains reserved keys that are currently not supported for "
                    "modification. Reserved keys used in this request: {}",
                    kUnable, fmt::join(reserved, ", ")));
  }
  const std::string text = boost::json::serialize(measured);
  if (text.size() > kVariablesBytesMax) {
    return invalid(fmt::format("{}exceeded the 4KB limit. String measured: {}", kUnable, text));
  }
  return {};
}

// Members that both requests have and this region does not do. What asks for nothing passes.
template <class Request>
base::Result<void> check_unsupported(const Request& request) {
  const auto given = [](const auto& list) { return list && !list->empty(); };
  if (request.vpc_config &&
      (given(request.vpc_config->subnet_ids) || given(request.vpc_config->security_group_ids))) {
    return unsupported("VpcConfig");
  }
  if (given(request.kms_key_arn)) return unsupported("KMSKeyArn");
  if (given(request.file_system_configs)) return unsupported("FileSystemConfigs");
  if (request.image_config) return unsupported("ImageConfig");
  if (request.tracing_config &&
      request.tracing_config->mode.value_or("PassThrough") != "PassThrough") {
    return unsupported("TracingConfig with a Mode other than PassThrough");
  }
  if (request.snap_start && request.snap_start->apply_on.value_or("None") != "None") {
    return unsupported("SnapStart");
  }
  if (const auto& logging = request.logging_config) {
    if (logging->log_format.value_or("Text") != "Text" || logging->application_log_level ||
        logging->system_log_level) {
      return unsupported("LoggingConfig with a LogFormat other than Text");
    }
  }
  return {};
}

base::Result<void> check_log_group(std::string_view group) {
  const bool valid =
      !group.empty() && group.size() <= 512 && std::ranges::all_of(group, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view(".-_/#").find(c) != std::string_view::npos;
      });
  if (valid) return {};
  return violation(group, "loggingConfig.logGroup",
                   "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+");
}

base::Result<void> check_dead_letter_target(std::string_view arn) {
  if (arn.empty() || arn.starts_with("arn:aws:sqs:")) return {};
  return unsupported("DeadLetterConfig with a target other than an SQS queue");
}

// The members that both requests have, applied; all but Layers.
template <class Request>
base::Result<void> apply(FunctionRecord& record, const Request& request) {
  TRY_VOID(check_unsupported(request));
  TRY_VOID(check_range(request.timeout, "timeout", 1, kTimeoutMaxSeconds));
  TRY_VOID(check_range(request.memory_size, "memorySize", kMemoryMinMb, kMemoryMaxMb));
  if (request.runtime) TRY_VOID(check_runtime(*request.runtime));
  if (request.handler) TRY_VOID(check_handler(*request.handler));
  if (request.description && request.description->size() > kDescriptionBytesMax) {
    return violation(*request.description, "description",
                     "Member must have length less than or equal to 256");
  }
  record.runtime = request.runtime.value_or(record.runtime);
  record.handler = request.handler.value_or(record.handler);
  record.description = request.description.value_or(record.description);
  record.timeout_s = request.timeout.value_or(record.timeout_s);
  record.memory_mb = request.memory_size.value_or(record.memory_mb);
  if (request.ephemeral_storage) {
    TRY_VOID(check_range(request.ephemeral_storage->size, "ephemeralStorage.size", kEphemeralMinMb,
                         kEphemeralMaxMb));
    record.ephemeral_mb = request.ephemeral_storage->size;
  }
  if (request.environment) {
    record.variables =
        request.environment->variables.value_or(std::map<std::string, std::string>());
    TRY_VOID(check_variables(record.variables));
    record.has_environment = true;
  }
  if (request.dead_letter_config) {
    record.dead_letter_arn = request.dead_letter_config->target_arn.value_or("");
    TRY_VOID(check_dead_letter_target(record.dead_letter_arn));
  }
  if (request.logging_config && request.logging_config->log_group) {
    TRY_VOID(check_log_group(*request.logging_config->log_group));
    record.log_group = *request.logging_config->log_group;
  }
  return {};
}

base::Result<void> check_architectures(
    const std::optional<std::vector<std::string>>& architectures) {
  if (!architectures) return {};
  if (architectures->size() != 1) {
    return violation(list_text(*architectures), "architectures",
                     "Member must have length less than or equal to 1");
  }
  if (architectures->front() != "x86_64" && architectures->front() != "arm64") {
    return violation(list_text(*architectures), "architectures",
                     "Member must satisfy constraint: [Member must satisfy enum value set: "
                     "[x86_64, arm64], Member must not be null]");
  }
  if (architectures->front() != "x86_64") {
    return unsupported("The architecture " + architectures->front() + " (only x86_64 is)");
  }
  return {};
}

}  // namespace

base::Result<FunctionRecord> new_function(const CreateFunctionRequest& request,
                                          const Place& place) {
  TRY(const FunctionName name, parse_function_name(request.function_name, place));
  if (!name.qualifier.empty()) return invalid("A function is created without a qualifier");
  if (request.package_type.value_or("Zip") != "Zip") return unsupported("PackageType Image");
  if (request.code_signing_config_arn && !request.code_signing_config_arn->empty()) {
    return unsupported("CodeSigningConfigArn");
  }
  TRY_VOID(check_architectures(request.architectures));
  if (!request.runtime || !request.handler) {
    return invalid(
        "Runtime and Handler are mandatory parameters for functions created with deployment "
        "packages.");
  }
  TRY_VOID(check_role(request.role, place));
  FunctionRecord record;
  record.name = name.name;
  record.role = request.role;
  TRY_VOID(apply(record, request));
  if (request.tags) {
    TRY_VOID(check_tags(*request.tags));
    record.tags = *request.tags;
  }
  return record;
}

base::Result<FunctionRecord> updated(FunctionRecord record,
                                     const UpdateFunctionConfigurationRequest& request,
                                     const Place& place) {
  TRY_VOID(check_revision(request.revision_id, record.revision_id));
  if (request.role) {
    TRY_VOID(check_role(*request.role, place));
    record.role = *request.role;
  }
  TRY_VOID(apply(record, request));
  return record;
}

base::Result<CodeSource> code_source(FunctionCode code) {
  if (code.image_uri) return unsupported("ImageUri");
  const bool has_zip = code.zip_file.has_value();
  const bool has_object = code.s3_bucket || code.s3_key || code.s3_object_version;
  if (has_zip && has_object) {
    return invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.");
  }
  if (has_zip) {
    if (code.zip_file->empty()) return invalid("Uploaded file must be a non-empty zip");
    if (code.zip_file->size() > kDirectZipBytesMax) {
      return base::fail(
          errors::kRequestEntityTooLargeException,
          fmt::format("Zipped size must be smaller than {} bytes", kDirectZipBytesMax));
    }
    return CodeSource{.zip = *std::move(code.zip_file)};
  }
  if (!code.s3_bucket || !code.s3_key) {
    return invalid("Please provide a source for function code.");
  }
  return CodeSource{.bucket = *std::move(code.s3_bucket),
                    .key = *std::move(code.s3_key),
                    .version_id = std::move(code.s3_object_version)};
}

base::Result<void> check_code_update(const UpdateFunctionCodeRequest& request) {
  if (request.image_uri) {
    return invalid("Please don't provide ImageUri when updating a function with packageType Zip.");
  }
  return check_architectures(request.architectures);
}

base::Result<void> check_revision(const std::optional<std::string>& given,
                                  const std::string& current) {
  if (!given || *given == current) return {};
  return base::fail(errors::kPreconditionFailedException,
                    "The Revision Id provided does not match the latest Revision Id. Call the "
                    "GetFunction/GetAlias API to retrieve the latest Revision Id");
}

base::Result<void> check_tags(const std::map<std::string, std::string>& tags) {
  constexpr std::size_t kKeyBytesMax = 128 * 4;
  constexpr std::size_t kValueBytesMax = 256 * 4;
  if (tags.size() > kTagsMax) return invalid("Number of tags exceeds resource tag limit.");
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > kKeyBytesMax || value.size() > kValueBytesMax) {
      return invalid("A tag's key has 1 to 128 characters and its value up to 256");
    }
    if (key.starts_with("aws:")) return invalid("Tag keys starting with aws: are reserved");
  }
  return {};
}

bool is_same_build(const FunctionRecord& a, const FunctionRecord& b) {
  const auto build = [](const FunctionRecord& record) {
    return std::tie(record.runtime, record.role, record.handler, record.description,
                    record.timeout_s, record.memory_mb, record.ephemeral_mb, record.log_group,
                    record.tracing_mode, record.dead_letter_arn, record.variables,
                    record.has_environment, record.code_sha256_hex, record.update_runtime_on);
  };
  return build(a) == build(b) &&
         std::ranges::equal(a.layers, b.layers, {}, &LayerUse::arn, &LayerUse::arn);
}

base::Result<void> check_total_size(const FunctionRecord& record) {
  std::int64_t bytes = record.unzipped_bytes;
  for (const LayerUse& layer : record.layers) bytes += layer.unzipped_bytes;
  if (bytes <= static_cast<std::int64_t>(kUnzippedBytesMax)) return {};
  return invalid(
      fmt::format("Function code combined with layers exceeds the maximum allowed size of {} "
                  "bytes. The actual size is {} bytes.",
                  kUnzippedBytesMax, bytes));
}

std::string log_group_of(const FunctionRecord& record) {
  return record.log_group.empty() ? "/aws/lambda/" + record.name : record.log_group;
}

std::string last_modified_text(base::Timestamp time) {
  std::string text = base::iso8601(time, 3);
  text.pop_back();
  return text + "+0000";
}

}  // namespace terrarium::lambda
