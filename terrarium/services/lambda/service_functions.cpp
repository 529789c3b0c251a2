// Functions: made, changed, listed, deleted.
#include <fmt/format.h>

#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/function_view.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/page.h"
#include "terrarium/services/lambda/roles.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

void set_code(FunctionRecord& record, const StoredCode& code) {
  record.code_sha256_hex = code.sha256_hex;
  record.code_bytes = code.bytes;
  record.unzipped_bytes = code.unzipped_bytes;
}

FunctionCode code_of(UpdateFunctionCodeRequest request) {
  return {.zip_file = std::move(request.zip_file),
          .s3_bucket = std::move(request.s3_bucket),
          .s3_key = std::move(request.s3_key),
          .s3_object_version = std::move(request.s3_object_version),
          .image_uri = std::move(request.image_uri)};
}

// "name\0" and the version's number, 0 for $LATEST: how lists of versions are ordered.
std::string list_key(const FunctionConfiguration& shown) {
  return fmt::format("{}{}{:020}", *shown.function_name, '\0',
                     version_number(*shown.version).value_or(0));
}

std::unexpected<base::Error> update_in_progress(const Place& place, const std::string& name) {
  return base::fail(errors::kResourceConflictException,
                    "The operation cannot be performed at this time. An update is in progress for "
                    "resource: " +
                        function_arn(place, name));
}

}  // namespace

// While it lives, nobody else may update the function.
class Service::Update {
 public:
  static Result<Update> begin(Service& service, const Place& place, const std::string& name) {
    if (!service.updating_.insert({place.region, name}).second) {
      return update_in_progress(place, name);
    }
    return Update(service, {place.region, name});
  }
  Update(Update&& other) noexcept
      : service_(std::exchange(other.service_, nullptr)), key_(std::move(other.key_)) {}
  Update& operator=(Update&&) = delete;
  ~Update() {
    if (service_ != nullptr) service_->updating_.erase(key_);
  }

 private:
  Update(Service& service, std::pair<std::string, std::string> key)
      : service_(&service), key_(std::move(key)) {}
  Service* service_;
  std::pair<std::string, std::string> key_;
};

Result<FunctionPtr> Service::whole(const wire::Context& context, std::string_view name) const {
  TRY(const FunctionName parsed, parse_function_name(name, place_of(context)));
  if (!parsed.qualifier.empty()) {
    return invalid(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support "
        "this operation. Please specify either a function name or an unqualified function ARN.");
  }
  TRY(const Resolved found, catalog_.resolve(place_of(context), parsed));
  return found.latest;
}

Result<void> Service::check_not_updating(const Place& place, const std::string& name) const {
  if (!updating_.contains({place.region, name})) return {};
  return update_in_progress(place, name);
}

Task<Result<std::optional<PinnedCode>>> Service::set_layers(FunctionRecord& record, Place place,
                                                            std::vector<std::string> arns) {
  std::optional<PinnedCode> merged;
  CO_TRY(record.layers, layer_uses(place, arns));
  record.opt_sha256_hex.clear();
  if (record.layers.empty()) co_return merged;
  std::vector<std::string> codes;
  for (const LayerUse& layer : record.layers) codes.push_back(layer.code_sha256_hex);
  // Also of one layer: what is seen at /opt outlives the layer.
  CO_TRY(PinnedCode pinned, co_await keeper_.merge(std::move(codes)));
  record.opt_sha256_hex = pinned->sha256_hex;
  merged.emplace(std::move(pinned));
  co_return merged;
}

Task<Result<FunctionConfiguration>> Service::create_function(const wire::Context& context,
                                                             CreateFunctionRequest request) {
  const Place place = place_of(context);
  CO_TRY(FunctionRecord record, new_function(request, place));
  const auto conflict = [&record] {
    return base::fail(errors::kResourceConflictException, "Function already exist: " + record.name);
  };
  if (catalog_.find(place.region, record.name) != nullptr) co_return conflict();
  CO_TRY_VOID(check_role_trust(parts_.roles, record.role));
  CO_TRY_VOID(
      check_dead_letter_role(parts_.roles, place.region, record.role, record.dead_letter_arn));
  CO_TRY(CodeSource source, code_source(std::move(request.code)));
  CO_TRY(const PinnedCode code, co_await keeper_.store(std::move(source)));
  set_code(record, *code);
  CO_TRY(const auto layers,
         co_await set_layers(record, place, request.layers.value_or(std::vector<std::string>())));
  CO_TRY_VOID(check_total_size(record));
  // Somebody else may have made it while the code was unpacked.
  if (catalog_.find(place.region, record.name) != nullptr) co_return conflict();
  record.last_modified = parts_.clock.now();
  record.build_id = parts_.random.uuid();
  record.revision_id = parts_.random.uuid();
  std::vector<FunctionRecord> records;
  if (request.publish.value_or(false)) records.push_back(publish(record, {}));
  FunctionConfiguration shown = describe(records.empty() ? record : records.front(), place,
                                         function_arn(place, record.name), View::Creating);
  // The function that is active by now is another revision than the one shown, which is pending.
  record.revision_id = parts_.random.uuid();
  records.push_back(std::move(record));
  CO_TRY_VOID(co_await save(context.region, std::move(records)));
  co_return shown;
}

Task<Result<GetFunctionResponse>> Service::get_function(const wire::Context& context,
                                                        GetFunctionRequest request) {
  CO_TRY(const Resolved found, resolve(context, request.function_name, request.qualifier));
  GetFunctionResponse response;
  response.configuration = describe(*found.version, place_of(context), found.arn, View::Settled);
  auto& code = response.code.emplace();
  code.repository_type = "S3";
  code.location = keeper_.link(context.endpoint, found.version->code_sha256_hex);
  if (!found.latest->tags.empty()) response.tags = found.latest->tags;
  if (found.latest->reserved_concurrency) {
    response.concurrency.emplace().reserved_concurrent_executions =
        found.latest->reserved_concurrency;
  }
  co_return response;
}

Task<Result<FunctionConfiguration>> Service::get_function_configuration(
    const wire::Context& context, GetFunctionConfigurationRequest request) {
  CO_TRY(const Resolved found, resolve(context, request.function_name, request.qualifier));
  co_return describe(*found.version, place_of(context), found.arn, View::Settled);
}

Task<Result<ListFunctionsResponse>> Service::list_functions(const wire::Context& context,
                                                            ListFunctionsRequest request) {
  if (request.master_region && *request.master_region != "ALL" &&
      *request.master_region != context.region) {
    co_return invalid("MasterRegion (Lambda@Edge) is not supported by this region");
  }
  CO_TRY(const Page page, page_of(request.marker, request.max_items));
  const Place place = place_of(context);
  const bool all_versions = request.function_version.has_value();
  std::vector<FunctionConfiguration> functions;
  for (const auto& [name, function] : catalog_.functions(context.region)) {
    // A page at a time, not all there are: what came before the marker need not be described.
    if (functions.size() > page.size) break;
    if (!page.after.empty() && name < page.after.substr(0, page.after.find('\0'))) continue;
    const std::string qualifier = all_versions ? std::string(kLatest) : "";
    functions.push_back(
        describe(*function.latest, place, qualified_arn(place, name, qualifier), View::Listed));
    if (!all_versions) {
      if (list_key(functions.back()) <= page.after) functions.pop_back();
      continue;
    }
    for (const auto& [number, version] : function.versions) {
      functions.push_back(
          describe(*version, place, qualified_arn(place, name, version->version), View::Listed));
    }
    if (page.after.empty()) continue;
    std::erase_if(functions, [&](const auto& shown) { return list_key(shown) <= page.after; });
  }
  ListFunctionsResponse response;
  response.next_marker = cut(functions, page, list_key);
  response.functions = std::move(functions);
  co_return response;
}

Task<Result<FunctionConfiguration>> Service::update_function_code(
    const wire::Context& context, UpdateFunctionCodeRequest request) {
  const Place place = place_of(context);
  CO_TRY_VOID(check_code_update(request));
  CO_TRY(const FunctionPtr before, whole(context, request.function_name));
  CO_TRY_VOID(check_revision(request.revision_id, before->revision_id));
  CO_TRY(const Update update, Update::begin(*this, place, before->name));
  const bool is_dry_run = request.dry_run.value_or(false);
  const bool is_published = request.publish.value_or(false);
  CO_TRY(CodeSource source, code_source(code_of(std::move(request))));
  CO_TRY(const PinnedCode code, co_await keeper_.store(std::move(source)));
  // It may have been deleted while the code was unpacked; its tags or policy may have changed.
  CO_TRY(const FunctionPtr now, whole(context, before->name));
  FunctionRecord record = *now;
  set_code(record, *code);
  CO_TRY_VOID(check_total_size(record));
  if (is_dry_run) {
    co_return describe(record, place, function_arn(place, record.name), View::Settled);
  }
  co_return co_await commit_update(place, now, std::move(record), is_published);
}

Task<Result<FunctionConfiguration>> Service::update_function_configuration(
    const wire::Context& context, UpdateFunctionConfigurationRequest request) {
  const Place place = place_of(context);
  CO_TRY(const FunctionPtr before, whole(context, request.function_name));
  CO_TRY(const Update update, Update::begin(*this, place, before->name));
  FunctionRecord layered = *before;
  std::optional<PinnedCode> pinned;
  if (request.layers) {
    CO_TRY(auto merged, co_await set_layers(layered, place, *std::move(request.layers)));
    if (merged) pinned.emplace(*std::move(merged));
  }
  CO_TRY(const FunctionPtr now, whole(context, before->name));
  CO_TRY(FunctionRecord record, updated(*now, request, place));
  if (request.role) CO_TRY_VOID(check_role_trust(parts_.roles, record.role));
  if (request.role || request.dead_letter_config) {
    CO_TRY_VOID(
        check_dead_letter_role(parts_.roles, place.region, record.role, record.dead_letter_arn));
  }
  record.layers = layered.layers;
  record.opt_sha256_hex = layered.opt_sha256_hex;
  CO_TRY_VOID(check_total_size(record));
  co_return co_await commit_update(place, now, std::move(record), false);
}

Task<Result<FunctionConfiguration>> Service::commit_update(Place place, FunctionPtr before,
                                                           FunctionRecord record,
                                                           bool is_published) {
  if (!is_same_build(record, *before)) record.build_id = parts_.random.uuid();
  record.last_modified = parts_.clock.now();
  record.revision_id = parts_.random.uuid();
  FunctionConfiguration shown =
      describe(record, place, function_arn(place, record.name), View::Updating);
  std::vector<FunctionRecord> records;
  if (is_published) {
    records.push_back(publish(record, {}));
    shown = describe(records.front(), place,
                     qualified_arn(place, record.name, records.front().version), View::Creating);
  }
  record.revision_id = parts_.random.uuid();
  records.push_back(std::move(record));
  CO_TRY_VOID(co_await save(place.region, std::move(records)));
  forget_code_of(*before);
  co_return shown;
}

void Service::forget_code_of(const FunctionRecord& record) {
  std::vector<std::string> codes = {record.code_sha256_hex, record.opt_sha256_hex};
  for (const LayerUse& layer : record.layers) codes.push_back(layer.code_sha256_hex);
  for (const std::string& code : codes) {
    if (!code.empty() && !is_code_used(code)) keeper_.forget_later(code);
  }
}

Task<Result<wire::Empty>> Service::delete_function(const wire::Context& context,
                                                   DeleteFunctionRequest request) {
  CO_TRY(const FunctionName name,
         parse_function_name(request.function_name, request.qualifier, place_of(context)));
  if (name.qualifier == kLatest) {
    co_return invalid("$LATEST version cannot be deleted without deleting the function.");
  }
  if (!name.qualifier.empty()) co_return co_await delete_version(context, name);
  CO_TRY(const Resolved found, catalog_.resolve(place_of(context), name));
  const Catalog::Function gone = *catalog_.find(context.region, name.name);
  const std::string versions = keys::versions(context.region, name.name);
  const std::string aliases = keys::aliases(context.region, name.name);
  store::Batch batch;
  batch.erase(kTable, keys::function(context.region, name.name));
  batch.erase_range(kTable, versions, store::prefix_end(versions));
  batch.erase_range(kTable, aliases, store::prefix_end(aliases));
  events_.forget(batch, context.region, name.name);
  invoke_configs_.forget(batch, context.region, name.name);
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  catalog_.erase(context.region, name.name);
  fleet_.remove_function(context.region, name.name);
  CO_TRY_VOID(co_await parts_.store.sync());
  forget_code_of(*gone.latest);
  for (const auto& [number, version] : gone.versions) forget_code_of(*version);
  co_return wire::Empty{};
}

Task<Result<wire::Empty>> Service::delete_version(wire::Context context, FunctionName name) {
  CO_TRY(const Resolved function, catalog_.resolve(place_of(context), FunctionName{name.name, {}}));
  const auto number = version_number(name.qualifier);
  if (!number) co_return invalid("Deletion of aliases is not currently supported.");
  const Catalog::Function& all = *catalog_.find(context.region, name.name);
  const auto found = all.versions.find(*number);
  if (found == all.versions.end()) co_return wire::Empty{};
  std::vector<std::string> users;
  for (const auto& [alias, record] : all.aliases) {
    if (record->version == name.qualifier || record->other_version == name.qualifier) {
      users.push_back(alias);
    }
  }
  if (!users.empty()) {
    co_return base::fail(
        errors::kResourceConflictException,
        "Unable to delete version because the following aliases reference it: " + list_text(users));
  }
  const FunctionPtr gone = found->second;
  store::Batch batch;
  batch.erase(kTable, keys::version(context.region, name.name, *number));
  invoke_configs_.forget(batch, context.region, name.name, name.qualifier);
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  catalog_.erase_version(context.region, name.name, *number);
  fleet_.remove_version(context.region, name.name, name.qualifier);
  CO_TRY_VOID(co_await parts_.store.sync());
  forget_code_of(*gone);
  co_return wire::Empty{};
}

}  // namespace terrarium::lambda
