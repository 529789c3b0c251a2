// Functions: made, changed, listed, deleted.
#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/service.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterValueException, std::move(message));
}

Result<std::size_t> page_size(std::optional<std::int32_t> given) {
  if (!given) return kFunctionsListMax;
  if (*given < 1 || static_cast<std::size_t>(*given) > kListItemsMax) {
    return invalid("MaxItems is between 1 and 10000");
  }
  return std::min(static_cast<std::size_t>(*given), kFunctionsListMax);
}

void set_code(FunctionRecord& record, const StoredCode& code) {
  record.code_sha256_hex = code.sha256_hex;
  record.code_bytes = code.bytes;
}

FunctionCode code_of(UpdateFunctionCodeRequest request) {
  return {.zip_file = std::move(request.zip_file),
          .s3_bucket = std::move(request.s3_bucket),
          .s3_key = std::move(request.s3_key),
          .s3_object_version = std::move(request.s3_object_version),
          .image_uri = std::move(request.image_uri)};
}

}  // namespace

Task<Result<FunctionConfiguration>> Service::create_function(const wire::Context& context,
                                                             CreateFunctionRequest request) {
  const Place place = place_of(context);
  CO_TRY(FunctionRecord record, new_function(request, place));
  const std::string key = keys::function(context.region, record.name);
  const auto conflict = [&record] {
    return base::fail(errors::kResourceConflictException, "Function already exist: " + record.name);
  };
  CO_TRY(const auto there, parts_.store.get(kTable, key));
  if (there) co_return conflict();
  CO_TRY(CodeSource source, code_source(std::move(request.code)));
  CO_TRY(const StoredCode code, co_await store_code(std::move(source)));
  // Somebody else may have made it while the code was unpacked.
  const auto there_now = parts_.store.get(kTable, key);
  if (!there_now || *there_now) {
    unpin(code.sha256_hex);
    forget_code_later(code.sha256_hex);
    if (!there_now) co_return std::unexpected(there_now.error());
    co_return conflict();
  }
  set_code(record, code);
  touch(record, parts_.clock.now(), parts_.random.uuid());
  const auto saved = co_await save(context.region, record);
  unpin(code.sha256_hex);
  if (!saved) co_return std::unexpected(saved.error());
  co_return describe(record, place, Change::Creating);
}

Task<Result<GetFunctionResponse>> Service::get_function(const wire::Context& context,
                                                        GetFunctionRequest request) {
  CO_TRY(FunctionRecord record, named(context, request.function_name, request.qualifier));
  GetFunctionResponse response;
  response.configuration =
      describe(record, place_of(context), Change::None, request.qualifier.has_value());
  auto& code = response.code.emplace();
  code.repository_type = "S3";
  code.location = context.endpoint + std::string(kCodePrefix) + code_token(record.code_sha256_hex);
  if (!record.tags.empty()) response.tags = std::move(record.tags);
  if (record.reserved_concurrency) {
    response.concurrency.emplace().reserved_concurrent_executions = record.reserved_concurrency;
  }
  co_return response;
}

Task<Result<FunctionConfiguration>> Service::get_function_configuration(
    const wire::Context& context, GetFunctionConfigurationRequest request) {
  CO_TRY(const FunctionRecord record, named(context, request.function_name, request.qualifier));
  co_return describe(record, place_of(context), Change::None, request.qualifier.has_value());
}

Task<Result<ListFunctionsResponse>> Service::list_functions(const wire::Context& context,
                                                            ListFunctionsRequest request) {
  if (request.function_version && *request.function_version != "ALL") {
    co_return invalid("FunctionVersion is ALL or not given");
  }
  if (request.master_region && *request.master_region != "ALL" &&
      *request.master_region != context.region) {
    co_return invalid("MasterRegion (Lambda@Edge) is not supported by this region");
  }
  CO_TRY(const std::size_t size, page_size(request.max_items));
  const std::string prefix = keys::functions(context.region);
  const auto cursor = parts_.store.scan(kTable, prefix, store::prefix_end(prefix));
  if (request.marker && !request.marker->empty()) {
    const auto last = base::base64_decode(*request.marker);
    if (!last) co_return invalid("Invalid Marker");
    cursor->seek(prefix + *last + '\0');
  }
  const bool all_versions = request.function_version.has_value();
  ListFunctionsResponse response;
  auto& functions = response.functions.emplace();
  for (; cursor->valid(); cursor->next()) {
    if (functions.size() == size) {
      response.next_marker = base::base64_encode(*functions.back().function_name);
      break;
    }
    CO_TRY(const FunctionRecord record, parse_function(cursor->value()));
    functions.push_back(describe(record, place_of(context), Change::None, all_versions));
  }
  CO_TRY_VOID(cursor->status());
  co_return response;
}

Task<Result<FunctionConfiguration>> Service::update_function_code(
    const wire::Context& context, UpdateFunctionCodeRequest request) {
  CO_TRY_VOID(check_code_update(request));
  CO_TRY(const FunctionRecord before, named(context, request.function_name, {}));
  CO_TRY_VOID(check_revision(request.revision_id, before.revision_id));
  const bool is_dry_run = request.dry_run.value_or(false);
  const auto revision = request.revision_id;
  CO_TRY(CodeSource source, code_source(code_of(std::move(request))));
  CO_TRY(const StoredCode code, co_await store_code(std::move(source)));
  // It may have changed, or gone, while the code was unpacked.
  auto now = named(context, before.name, {});
  if (now && !is_dry_run) {
    if (const auto same = check_revision(revision, now->revision_id); !same) {
      now = std::unexpected(same.error());
    }
  }
  if (!now || is_dry_run) {
    unpin(code.sha256_hex);
    forget_code_later(code.sha256_hex);
    if (!now) co_return std::unexpected(now.error());
    set_code(*now, code);
    co_return describe(*now, place_of(context), Change::None);
  }
  const std::string replaced = now->code_sha256_hex;
  set_code(*now, code);
  touch(*now, parts_.clock.now(), parts_.random.uuid());
  const auto saved = co_await save(context.region, *now);
  unpin(code.sha256_hex);
  if (!saved) co_return std::unexpected(saved.error());
  if (replaced != code.sha256_hex) forget_code_later(replaced);
  co_return describe(*now, place_of(context), Change::Updating);
}

Task<Result<FunctionConfiguration>> Service::update_function_configuration(
    const wire::Context& context, UpdateFunctionConfigurationRequest request) {
  CO_TRY(FunctionRecord before, named(context, request.function_name, {}));
  CO_TRY(FunctionRecord record, updated(std::move(before), request, place_of(context)));
  touch(record, parts_.clock.now(), parts_.random.uuid());
  CO_TRY_VOID(co_await save(context.region, record));
  co_return describe(record, place_of(context), Change::Updating);
}

Task<Result<wire::Empty>> Service::delete_function(const wire::Context& context,
                                                   DeleteFunctionRequest request) {
  CO_TRY(const FunctionName name,
         parse_function_name(request.function_name, request.qualifier, place_of(context)));
  if (name.qualifier == kLatest) {
    co_return invalid("$LATEST version cannot be deleted without deleting the function.");
  }
  CO_TRY(const FunctionRecord record, function(context, name));
  store::Batch batch;
  batch.erase(kTable, keys::function(context.region, record.name));
  events_.forget(batch, context.region, record.name);
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  fleet_.remove_function(context.region, record.name);
  CO_TRY_VOID(co_await parts_.store.sync());
  forget_code_later(record.code_sha256_hex);
  co_return wire::Empty{};
}

Task<Result<ListVersionsByFunctionResponse>> Service::list_versions_by_function(
    const wire::Context& context, ListVersionsByFunctionRequest request) {
  CO_TRY(const FunctionRecord record, named(context, request.function_name, {}));
  CO_TRY_VOID(page_size(request.max_items));
  ListVersionsByFunctionResponse response;
  auto& versions = response.versions.emplace();
  versions.push_back(describe(record, place_of(context), Change::None, true));
  co_return response;
}

Task<Result<GetFunctionCodeSigningConfigResponse>> Service::get_function_code_signing_config(
    const wire::Context& context, GetFunctionCodeSigningConfigRequest request) {
  CO_TRY(const FunctionRecord record, named(context, request.function_name, {}));
  GetFunctionCodeSigningConfigResponse response;
  response.function_name = record.name;
  response.code_signing_config_arn = "";
  co_return response;
}

}  // namespace terrarium::lambda
