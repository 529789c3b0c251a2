// What hangs on a function besides its configuration: reserved concurrency, tags, recursion,
// runtime management; and what the account has.
#include <algorithm>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/runtimes.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr std::int64_t kCodeBytesTotalMax = 80'530'636'800;  // 75 GiB

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

// AWS names $LATEST in what it does not find here.
base::Error named_latest(base::Error error) {
  if (error.message.starts_with("Function not found: ")) error.message += ":$LATEST";
  return error;
}

// Tags belong to functions, and to mappings: everything else that an ARN may name is refused.
Result<void> check_tagged_arn(const std::string& arn, const Place& place) {
  const bool is_arn = arn.starts_with("arn:aws") && arn.find(":lambda:") != std::string::npos;
  if (!is_arn) {
    return pattern_violation(
        arn, "resource",
        "arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:"
        "(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|"
        "code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[a-f0-9]{8}-[a-f0-9]{4}-"
        "[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})");
  }
  if (arn.find(":function:") == std::string::npos) {
    return unsupported("Tags on anything but functions and event source mappings");
  }
  TRY(const FunctionName name, parse_function_name(arn, place));
  if (name.qualifier.empty()) return {};
  return invalid(
      "Tags on function aliases and versions are not supported. Please specify a function ARN.");
}

}  // namespace

Task<Result<Concurrency>> Service::put_function_concurrency(const wire::Context& context,
                                                            PutFunctionConcurrencyRequest request) {
  const auto found = whole(context, request.function_name);
  if (!found) co_return std::unexpected(named_latest(found.error()));
  FunctionRecord record = **found;
  const std::int32_t wanted = request.reserved_concurrent_executions;
  const std::int32_t others = fleet_.reserved_sum(context.region, record.name);
  if (wanted > kAccountConcurrency - kUnreservedConcurrencyMin - others) {
    co_return invalid(
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [" +
        std::to_string(kUnreservedConcurrencyMin) + "].");
  }
  if (wanted < provisioned_sum(context.region, record.name)) {
    co_return invalid(
        "ReservedConcurrentExecutions can not be lower than the function's provisioned "
        "concurrency");
  }
  record.reserved_concurrency = wanted;
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  Concurrency response;
  response.reserved_concurrent_executions = wanted;
  co_return response;
}

Task<Result<GetFunctionConcurrencyResponse>> Service::get_function_concurrency(
    const wire::Context& context, GetFunctionConcurrencyRequest request) {
  CO_TRY(const FunctionPtr found, whole(context, request.function_name));
  GetFunctionConcurrencyResponse response;
  response.reserved_concurrent_executions = found->reserved_concurrency;
  co_return response;
}

Task<Result<wire::Empty>> Service::delete_function_concurrency(
    const wire::Context& context, DeleteFunctionConcurrencyRequest request) {
  CO_TRY(const FunctionPtr found, whole(context, request.function_name));
  FunctionRecord record = *found;
  record.reserved_concurrency.reset();
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return wire::Empty{};
}

Task<Result<ListTagsResponse>> Service::list_tags(const wire::Context& context,
                                                  ListTagsRequest request) {
  ListTagsResponse response;
  if (Mappings::is_arn(request.resource)) {
    CO_TRY(response.tags, mappings_.tags(context, request.resource));
    co_return response;
  }
  CO_TRY_VOID(check_tagged_arn(request.resource, place_of(context)));
  CO_TRY(const FunctionPtr found, whole(context, request.resource));
  response.tags = found->tags;
  co_return response;
}

Task<Result<wire::Empty>> Service::tag_resource(const wire::Context& context,
                                                TagResourceRequest request) {
  if (Mappings::is_arn(request.resource)) {
    co_return co_await mappings_.change_tags(context, request.resource, std::move(request.tags),
                                             {});
  }
  CO_TRY_VOID(check_tagged_arn(request.resource, place_of(context)));
  if (request.tags.empty()) {
    co_return invalid("An error occurred and the request cannot be processed.");
  }
  CO_TRY(const FunctionPtr found, whole(context, request.resource));
  FunctionRecord record = *found;
  for (auto& [key, value] : request.tags) record.tags[key] = value;
  CO_TRY_VOID(check_tags(record.tags));
  record.revision_id = parts_.random.uuid();
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return wire::Empty{};
}

Task<Result<wire::Empty>> Service::untag_resource(const wire::Context& context,
                                                  UntagResourceRequest request) {
  if (Mappings::is_arn(request.resource)) {
    co_return co_await mappings_.change_tags(context, request.resource, {},
                                             std::move(request.tag_keys));
  }
  CO_TRY_VOID(check_tagged_arn(request.resource, place_of(context)));
  CO_TRY(const FunctionPtr found, whole(context, request.resource));
  FunctionRecord record = *found;
  for (const std::string& key : request.tag_keys) record.tags.erase(key);
  record.revision_id = parts_.random.uuid();
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return wire::Empty{};
}

Task<Result<GetAccountSettingsResponse>> Service::get_account_settings(const wire::Context& context,
                                                                       GetAccountSettingsRequest) {
  GetAccountSettingsResponse response;
  auto& limit = response.account_limit.emplace();
  limit.total_code_size = kCodeBytesTotalMax;
  limit.code_size_unzipped = static_cast<std::int64_t>(kUnzippedBytesMax);
  limit.code_size_zipped = static_cast<std::int64_t>(kDirectZipBytesMax);
  limit.concurrent_executions = kAccountConcurrency;
  limit.unreserved_concurrent_executions =
      kAccountConcurrency - fleet_.reserved_sum(context.region, {});
  auto& usage = response.account_usage.emplace();
  const Catalog::Functions& functions = catalog_.functions(context.region);
  usage.function_count = static_cast<std::int64_t>(functions.size());
  std::int64_t bytes = layer_bytes(context.region);
  for (const auto& [name, function] : functions) {
    bytes += function.latest->code_bytes;
    for (const auto& [number, version] : function.versions) bytes += version->code_bytes;
  }
  usage.total_code_size = bytes;
  co_return response;
}

Task<Result<GetFunctionRecursionConfigResponse>> Service::get_function_recursion_config(
    const wire::Context& context, GetFunctionRecursionConfigRequest request) {
  CO_TRY(const FunctionPtr found, whole(context, request.function_name));
  GetFunctionRecursionConfigResponse response;
  response.recursive_loop = found->recursive_loop;
  co_return response;
}

Task<Result<PutFunctionRecursionConfigResponse>> Service::put_function_recursion_config(
    const wire::Context& context, PutFunctionRecursionConfigRequest request) {
  CO_TRY(const FunctionPtr found, whole(context, request.function_name));
  FunctionRecord record = *found;
  record.recursive_loop = request.recursive_loop;
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  PutFunctionRecursionConfigResponse response;
  response.recursive_loop = request.recursive_loop;
  co_return response;
}

Task<Result<GetRuntimeManagementConfigResponse>> Service::get_runtime_management_config(
    const wire::Context& context, GetRuntimeManagementConfigRequest request) {
  CO_TRY(const Resolved found, resolve(context, request.function_name, request.qualifier));
  GetRuntimeManagementConfigResponse response;
  response.update_runtime_on = found.version->update_runtime_on;
  response.function_arn = found.arn;
  co_return response;
}

Task<Result<PutRuntimeManagementConfigResponse>> Service::put_runtime_management_config(
    const wire::Context& context, PutRuntimeManagementConfigRequest request) {
  CO_TRY(const Resolved found, resolve(context, request.function_name, request.qualifier));
  // The machine's packages are the runtimes: an older one can't be gone back to.
  if (request.update_runtime_on == "Manual") co_return unsupported("UpdateRuntimeOn Manual");
  if (request.runtime_version_arn && !request.runtime_version_arn->empty()) {
    co_return invalid("RuntimeVersionArn is only for UpdateRuntimeOn Manual");
  }
  FunctionRecord record = *found.version;
  record.update_runtime_on = request.update_runtime_on;
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  PutRuntimeManagementConfigResponse response;
  response.update_runtime_on = request.update_runtime_on;
  response.function_arn = found.arn;
  co_return response;
}

}  // namespace terrarium::lambda
