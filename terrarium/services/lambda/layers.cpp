#include "terrarium/services/lambda/layers.h"

#include <algorithm>
#include <charconv>
#include <ranges>

#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/function_rules.h"
#include "terrarium/services/lambda/layer_rules.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/page.h"
#include "terrarium/services/lambda/policy_statement.h"
#include "terrarium/services/lambda/records.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

std::unexpected<base::Error> no_resource() {
  return base::fail(errors::kResourceNotFoundException,
                    "The resource you requested does not exist.");
}

base::Result<void> check_version_number(std::int64_t version) {
  if (version < 1) return invalid("Layer Version Cannot be less than 1");
  return {};
}

base::Result<void> check_policy_revision(const std::optional<std::string>& given,
                                         const std::string& current) {
  if (!given || *given == current) return {};
  return base::fail(errors::kPreconditionFailedException,
                    "The Revision Id provided does not match the latest Revision Id. Call the "
                    "GetLayerPolicy API to retrieve the latest Revision Id");
}

LayerVersionsListItem list_item(const Place& place, const LayerVersionRecord& record) {
  LayerVersionsListItem item;
  item.layer_version_arn = layer_version_arn(place, record.name, record.version);
  item.version = record.version;
  item.description = record.description;
  item.created_date = last_modified_text(record.created);
  item.compatible_runtimes = record.runtimes;
  item.compatible_architectures = record.architectures;
  item.license_info = record.license;
  return item;
}

}  // namespace

base::Result<void> Layers::load_layers() {
  const auto scan = [this](std::string_view prefix, auto take) -> base::Result<void> {
    const auto cursor =
        store_.scan(kTable, std::string(prefix), store::prefix_end(std::string(prefix)));
    for (; cursor->valid(); cursor->next()) TRY_VOID(take(cursor->key(), cursor->value()));
    return cursor->status();
  };
  TRY_VOID(scan(keys::kAllLayers, [this](auto key, auto value) -> base::Result<void> {
    const keys::Parts parts = keys::parts(key);
    Layer& layer = layers_[{parts.region, parts.name}];
    std::from_chars(value.data(), value.data() + value.size(), layer.last);
    return {};
  }));
  return scan(keys::kAllLayerVersions, [this](auto key, auto value) -> base::Result<void> {
    TRY(LayerVersionRecord record, parse_layer_version(value));
    const keys::Parts parts = keys::parts(key);
    layers_[{parts.region, parts.name}].versions[record.version] = std::move(record);
    return {};
  });
}

const LayerVersionRecord* Layers::find_layer(const Name& name, std::int64_t version) const {
  const auto layer = layers_.find(name);
  if (layer == layers_.end()) return nullptr;
  const auto found = layer->second.versions.find(version);
  return found == layer->second.versions.end() ? nullptr : &found->second;
}

runtime::Task<base::Result<void>> Layers::save_layer(std::string region,
                                                     LayerVersionRecord record) {
  Layer& layer = layers_[{region, record.name}];
  store::Batch batch;
  batch.put(kTable, keys::layer_version(region, record.name, record.version), to_text(record));
  const std::int64_t last = std::max(layer.last, record.version);
  batch.put(kTable, keys::layer(region, record.name), std::to_string(last));
  CO_TRY_VOID(store_.write(std::move(batch)));
  layer.last = last;
  layer.versions[record.version] = std::move(record);
  co_return co_await store_.sync();
}

Layers::Answer<PublishLayerVersionResponse> Layers::publish_layer_version(
    const Context& context, PublishLayerVersionRequest request) {
  const Place place = place_of(context);
  CO_TRY(LayerVersionRecord record, new_layer_version(request, place));
  FunctionCode content{.zip_file = std::move(request.content.zip_file),
                       .s3_bucket = std::move(request.content.s3_bucket),
                       .s3_key = std::move(request.content.s3_key),
                       .s3_object_version = std::move(request.content.s3_object_version)};
  CO_TRY(CodeSource source, code_source(std::move(content)));
  CO_TRY(const PinnedCode code, co_await code_.store(std::move(source)));
  record.code_sha256_hex = code->sha256_hex;
  record.code_bytes = code->bytes;
  record.unzipped_bytes = code->unzipped_bytes;
  record.created = clock_.now();
  // Numbered when the code is there: versions appear in the order of their numbers.
  record.version = layers_[{context.region, record.name}].last + 1;
  CO_TRY_VOID(co_await save_layer(context.region, record));
  GetLayerVersionResponse view = show_layer(context, record);
  PublishLayerVersionResponse response;
  response.content = std::move(view.content);
  response.layer_arn = std::move(view.layer_arn);
  response.layer_version_arn = std::move(view.layer_version_arn);
  response.description = std::move(view.description);
  response.created_date = std::move(view.created_date);
  response.version = view.version;
  response.compatible_runtimes = std::move(view.compatible_runtimes);
  response.compatible_architectures = std::move(view.compatible_architectures);
  response.license_info = std::move(view.license_info);
  co_return response;
}

GetLayerVersionResponse Layers::show_layer(const Context& context,
                                           const LayerVersionRecord& record) const {
  const Place place = place_of(context);
  GetLayerVersionResponse view;
  auto& content = view.content.emplace();
  content.location = code_.link(context.endpoint, record.code_sha256_hex);
  content.code_sha256 =
      base::base64_encode(base::hex_decode(record.code_sha256_hex).value_or(std::string()));
  content.code_size = record.code_bytes;
  view.layer_arn = layer_arn(place, record.name);
  view.layer_version_arn = layer_version_arn(place, record.name, record.version);
  view.description = record.description;
  view.created_date = last_modified_text(record.created);
  view.version = record.version;
  view.compatible_runtimes = record.runtimes;
  view.compatible_architectures = record.architectures;
  view.license_info = record.license;
  return view;
}

Layers::Answer<GetLayerVersionResponse> Layers::get_layer_version(const Context& context,
                                                                  GetLayerVersionRequest request) {
  CO_TRY_VOID(check_version_number(request.version_number));
  CO_TRY(const std::string name, parse_layer_name(request.layer_name, place_of(context)));
  const LayerVersionRecord* found = find_layer({context.region, name}, request.version_number);
  if (found == nullptr) co_return no_resource();
  co_return show_layer(context, *found);
}

Layers::Answer<GetLayerVersionResponse> Layers::get_layer_version_by_arn(
    const Context& context, GetLayerVersionByArnRequest request) {
  const auto parsed = parse_layer_version_arn(request.arn);
  if (!parsed) co_return pattern_violation(request.arn, "arn", kLayerVersionArnPattern);
  if (parsed->place.region != context.region || parsed->place.account != context.account) {
    co_return no_resource();
  }
  const LayerVersionRecord* found = find_layer({context.region, parsed->name}, parsed->version);
  if (found == nullptr) co_return no_resource();
  co_return show_layer(context, *found);
}

Layers::Answer<ListLayerVersionsResponse> Layers::list_layer_versions(
    const Context& context, ListLayerVersionsRequest request) {
  CO_TRY_VOID(check_filters(request.compatible_runtime, request.compatible_architecture));
  CO_TRY(const std::string name, parse_layer_name(request.layer_name, place_of(context)));
  CO_TRY(const Page page, page_of(request.marker, request.max_items));
  std::vector<LayerVersionsListItem> items;
  const auto layer = layers_.find({context.region, name});
  if (layer != layers_.end()) {
    for (const auto& [version, record] : layer->second.versions) {
      if (matches(record, request.compatible_runtime, request.compatible_architecture)) {
        items.push_back(list_item(place_of(context), record));
      }
    }
  }
  std::ranges::reverse(items);  // the newest first
  ListLayerVersionsResponse response;
  response.next_marker = cut(items, page, [](const LayerVersionsListItem& item) {
    return newest_first_key(item.version.value_or(0));
  });
  response.layer_versions = std::move(items);
  co_return response;
}

Layers::Answer<ListLayersResponse> Layers::list_layers(const Context& context,
                                                       ListLayersRequest request) {
  CO_TRY_VOID(check_filters(request.compatible_runtime, request.compatible_architecture));
  CO_TRY(const Page page, page_of(request.marker, request.max_items));
  const Place place = place_of(context);
  std::vector<LayersListItem> items;
  for (const auto& [key, layer] : layers_) {
    if (key.first != context.region) continue;
    for (const auto& [version, record] : std::views::reverse(layer.versions)) {
      if (!matches(record, request.compatible_runtime, request.compatible_architecture)) continue;
      LayersListItem& item = items.emplace_back();
      item.layer_name = record.name;
      item.layer_arn = layer_arn(place, record.name);
      item.latest_matching_version = list_item(place, record);
      break;
    }
  }
  ListLayersResponse response;
  response.next_marker =
      cut(items, page, [](const LayersListItem& item) { return *item.layer_name; });
  response.layers = std::move(items);
  co_return response;
}

Layers::Answer<wire::Empty> Layers::delete_layer_version(const Context& context,
                                                         DeleteLayerVersionRequest request) {
  CO_TRY_VOID(check_version_number(request.version_number));
  CO_TRY(const std::string name, parse_layer_name(request.layer_name, place_of(context)));
  const LayerVersionRecord* found = find_layer({context.region, name}, request.version_number);
  if (found == nullptr) co_return wire::Empty{};
  const std::string code = found->code_sha256_hex;
  store::Batch batch;
  batch.erase(kTable, keys::layer_version(context.region, name, request.version_number));
  CO_TRY_VOID(store_.write(std::move(batch)));
  layers_[{context.region, name}].versions.erase(request.version_number);
  CO_TRY_VOID(co_await store_.sync());
  code_.forget_later(code);
  co_return wire::Empty{};
}

base::Result<LayerVersionRecord> Layers::existing_layer(const Context& context,
                                                        const std::string& text,
                                                        std::int64_t version) const {
  TRY_VOID(check_version_number(version));
  const Place place = place_of(context);
  TRY(const std::string name, parse_layer_name(text, place));
  const LayerVersionRecord* found = find_layer({context.region, name}, version);
  if (found != nullptr) return *found;
  return base::fail(
      errors::kResourceNotFoundException,
      "Layer version " + layer_version_arn(place, name, version) + " does not exist.");
}

Layers::Answer<AddLayerVersionPermissionResponse> Layers::add_layer_version_permission(
    const Context& context, AddLayerVersionPermissionRequest request) {
  CO_TRY(PolicyStatement statement,
         new_statement(request,
                       layer_version_arn(place_of(context), short_layer_name(request.layer_name),
                                         request.version_number)));
  CO_TRY(LayerVersionRecord record,
         existing_layer(context, request.layer_name, request.version_number));
  CO_TRY_VOID(check_policy_revision(request.revision_id, record.policy_revision_id));
  AddLayerVersionPermissionResponse response;
  response.statement = statement.json;
  CO_TRY_VOID(add_statement(record.policy, std::move(statement)));
  record.policy_revision_id = random_.uuid();
  response.revision_id = record.policy_revision_id;
  CO_TRY_VOID(co_await save_layer(context.region, std::move(record)));
  co_return response;
}

Layers::Answer<GetLayerVersionPolicyResponse> Layers::get_layer_version_policy(
    const Context& context, GetLayerVersionPolicyRequest request) {
  CO_TRY(const LayerVersionRecord record,
         existing_layer(context, request.layer_name, request.version_number));
  if (record.policy.empty()) {
    co_return base::fail(errors::kResourceNotFoundException,
                         "No policy is associated with the given resource.");
  }
  GetLayerVersionPolicyResponse response;
  response.policy = policy_json(record.policy);
  response.revision_id = record.policy_revision_id;
  co_return response;
}

Layers::Answer<wire::Empty> Layers::remove_layer_version_permission(
    const Context& context, RemoveLayerVersionPermissionRequest request) {
  CO_TRY(LayerVersionRecord record,
         existing_layer(context, request.layer_name, request.version_number));
  CO_TRY_VOID(check_policy_revision(request.revision_id, record.policy_revision_id));
  CO_TRY_VOID(remove_statement(record.policy, request.statement_id));
  record.policy_revision_id = random_.uuid();
  CO_TRY_VOID(co_await save_layer(context.region, std::move(record)));
  co_return wire::Empty{};
}

base::Result<std::vector<LayerUse>> Layers::layer_uses(const Place& place,
                                                       const std::vector<std::string>& arns) const {
  TRY(const std::vector<LayerVersionArn> named, parse_layer_arns(arns, place));
  std::vector<LayerUse> uses;
  for (std::size_t i = 0; i < named.size(); ++i) {
    const LayerVersionRecord* found = find_layer({place.region, named[i].name}, named[i].version);
    if (found == nullptr) return invalid("Layer version " + arns[i] + " does not exist.");
    const auto same =
        std::ranges::find(named.begin(), named.begin() + i, named[i].name, &LayerVersionArn::name);
    if (same != named.begin() + i) {
      const std::string& other = arns[same - named.begin()];
      return invalid(
          "Two different versions of the same layer are not allowed to be referenced in the same "
          "function. " +
          other + " and " + arns[i] + " are versions of the same layer.");
    }
    uses.push_back({.arn = arns[i],
                    .code_sha256_hex = found->code_sha256_hex,
                    .code_bytes = found->code_bytes,
                    .unzipped_bytes = found->unzipped_bytes});
  }
  return uses;
}

bool Layers::is_layer_code(const std::string& sha256_hex) const {
  return std::ranges::any_of(layers_, [&](const auto& layer) {
    return std::ranges::any_of(layer.second.versions, [&](const auto& version) {
      return version.second.code_sha256_hex == sha256_hex;
    });
  });
}

void Layers::collect_layer_code(std::set<std::string>& sha256_hex) const {
  for (const auto& [name, layer] : layers_) {
    for (const auto& [version, record] : layer.versions) sha256_hex.insert(record.code_sha256_hex);
  }
}

std::int64_t Layers::layer_bytes(const std::string& region) const {
  std::int64_t bytes = 0;
  for (const auto& [name, layer] : layers_) {
    if (name.first != region) continue;
    for (const auto& [version, record] : layer.versions) bytes += record.code_bytes;
  }
  return bytes;
}

}  // namespace terrarium::lambda
