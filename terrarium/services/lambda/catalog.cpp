#include "terrarium/services/lambda/catalog.h"

#include "generated/lambda/errors.h"

namespace terrarium::lambda {
namespace {

std::unexpected<base::Error> not_found(const std::string& arn) {
  return base::fail(errors::kResourceNotFoundException, "Function not found: " + arn);
}

}  // namespace

base::Result<Resolved> Catalog::resolve(const Place& place, std::string_view name,
                                        const std::optional<std::string>& qualifier) const {
  TRY(const FunctionName parsed, parse_function_name(name, qualifier, place));
  return resolve(place, parsed);
}

base::Result<Resolved> Catalog::resolve(const Place& place, const FunctionName& name) const {
  Resolved found{.qualifier = name.qualifier,
                 .arn = qualified_arn(place, name.name, name.qualifier),
                 .latest = nullptr,
                 .version = nullptr,
                 .alias = nullptr};
  const Function* function = find(place.region, name.name);
  if (function == nullptr) return not_found(found.arn);
  found.latest = function->latest;
  if (name.qualifier.empty() || name.qualifier == kLatest) {
    found.version = function->latest;
    return found;
  }
  std::optional<std::uint64_t> number = version_number(name.qualifier);
  if (const auto alias = function->aliases.find(name.qualifier); alias != function->aliases.end()) {
    found.alias = alias->second;
    if (found.alias->version == kLatest) found.version = function->latest;
    number = version_number(found.alias->version);
  }
  if (number) {
    const auto version = function->versions.find(*number);
    if (version != function->versions.end()) found.version = version->second;
  }
  if (!found.version) return not_found(found.arn);
  return found;
}

FunctionPtr Catalog::choose(const std::string& region, const Resolved& resolved,
                            base::Random& random) const {
  const AliasPtr& alias = resolved.alias;
  if (!alias || alias->other_version.empty()) return resolved.version;
  constexpr std::uint64_t kSteps = 1'000'000;
  const auto draw = static_cast<double>(random.below(kSteps)) / static_cast<double>(kSteps);
  if (draw >= alias->other_weight) return resolved.version;
  const Function* function = find(region, alias->function_name);
  const auto number = version_number(alias->other_version);
  if (function == nullptr || !number) return resolved.version;
  const auto other = function->versions.find(*number);
  return other == function->versions.end() ? resolved.version : other->second;
}

const Catalog::Function* Catalog::find(const std::string& region, const std::string& name) const {
  const auto& all = functions(region);
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

const Catalog::Functions& Catalog::functions(const std::string& region) const {
  static const Functions kNone;
  const auto found = regions_.find(region);
  return found == regions_.end() ? kNone : found->second;
}

void Catalog::put(const std::string& region, FunctionPtr record) {
  Function& function = regions_[region][record->name];
  if (const auto number = version_number(record->version)) {
    function.versions[*number] = std::move(record);
  } else {
    function.latest = std::move(record);
  }
}

void Catalog::put(const std::string& region, AliasPtr record) {
  auto& aliases = regions_[region][record->function_name].aliases;
  aliases[record->name] = std::move(record);
}

void Catalog::erase(const std::string& region, const std::string& name) {
  const auto found = regions_.find(region);
  if (found != regions_.end()) found->second.erase(name);
}

void Catalog::erase_version(const std::string& region, const std::string& name,
                            std::uint64_t number) {
  regions_[region][name].versions.erase(number);
}

void Catalog::erase_alias(const std::string& region, const std::string& name,
                          const std::string& alias) {
  regions_[region][name].aliases.erase(alias);
}

}  // namespace terrarium::lambda
