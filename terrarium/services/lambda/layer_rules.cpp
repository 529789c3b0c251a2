#include "terrarium/services/lambda/layer_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/runtimes.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr std::size_t kNameBytesMax = 140;
constexpr std::size_t kLicenseBytesMax = 512;
constexpr std::array<std::string_view, 2> kArchitectures = {"x86_64", "arm64"};
constexpr std::string_view kArchitectureRule =
    "Member must satisfy enum value set: [x86_64, arm64]";

bool is_architecture(std::string_view name) {
  return std::ranges::find(kArchitectures, name) != kArchitectures.end();
}

// "a:b:c" cut at its colons.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    parts.emplace_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

bool contains(const std::optional<std::vector<std::string>>& list, const std::string& item) {
  return list && std::ranges::find(*list, item) != list->end();
}

}  // namespace

std::optional<LayerVersionArn> parse_layer_version_arn(std::string_view arn) {
  const std::vector<std::string> parts = split(arn);
  const bool shaped = parts.size() == 8 && parts[0] == "arn" && parts[1].starts_with("aws") &&
                      parts[2] == "lambda" && !parts[3].empty() && parts[4].size() == 12 &&
                      parts[5] == "layer" && is_word(parts[6]);
  if (!shaped || arn.size() > kNameBytesMax) return std::nullopt;
  LayerVersionArn parsed{.place = {parts[3], parts[4]}, .name = parts[6]};
  const std::string& number = parts[7];
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), parsed.version);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return parsed;
}

base::Result<std::vector<LayerVersionArn>> parse_layer_arns(const std::vector<std::string>& arns,
                                                            const Place& place) {
  std::vector<LayerVersionArn> parsed;
  for (const std::string& arn : arns) {
    auto one = parse_layer_version_arn(arn);
    if (!one) {
      return violation(
          list_text(arns), "layers",
          "Member must satisfy constraint: [Member must have length less than or equal to 140, "
          "Member must have length greater than or equal to 1, Member must satisfy regular "
          "expression pattern: (arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:"
          "[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+), Member "
          "must not be null]");
    }
    parsed.push_back(*std::move(one));
  }
  if (parsed.size() > kLayersMax) return invalid("Cannot reference more than 5 layers.");
  for (std::size_t i = 0; i < parsed.size(); ++i) {
    if (parsed[i].place.region != place.region) {
      return invalid(
          "Layers are not in the same region as the function. Layers are expected to be in "
          "region " +
          place.region + ".");
    }
    if (parsed[i].place.account != place.account) {
      return base::fail(
          errors::kAccessDeniedException,
          "The account " + place.account +
              " is not authorized to perform: lambda:GetLayerVersion on resource: " + arns[i] +
              " because no resource-based policy allows the lambda:GetLayerVersion "
              "action");
    }
  }
  return parsed;
}

base::Result<std::string> parse_layer_name(std::string_view text, const Place& place) {
  const auto wrong = [text] {
    return pattern_violation(text, "layerName",
                             "(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:"
                             "[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+");
  };
  if (text.size() > kNameBytesMax) return wrong();
  if (is_word(text)) return std::string(text);
  const std::vector<std::string> parts = split(text);
  const bool shaped = parts.size() == 7 && parts[0] == "arn" && parts[2] == "lambda" &&
                      parts[5] == "layer" && is_word(parts[6]);
  if (!shaped) return wrong();
  if (parts[3] != place.region || parts[4] != place.account) {
    return base::fail(errors::kResourceNotFoundException,
                      "The resource you requested does not exist.");
  }
  return parts[6];
}

std::string_view short_layer_name(std::string_view text) {
  return text.substr(text.rfind(':') + 1);
}

base::Result<LayerVersionRecord> new_layer_version(const PublishLayerVersionRequest& request,
                                                   const Place& place) {
  TRY(const std::string name, parse_layer_name(request.layer_name, place));
  std::vector<Violation> wrong;
  const auto& runtimes = request.compatible_runtimes;
  if (runtimes && !std::ranges::all_of(*runtimes, is_known_runtime)) {
    wrong.push_back({list_text(*runtimes), "compatibleRuntimes",
                     fmt::format("Member must satisfy enum value set: {}", current_runtimes())});
  }
  const auto& architectures = request.compatible_architectures;
  if (architectures && !std::ranges::all_of(*architectures, is_architecture)) {
    wrong.push_back({list_text(*architectures), "compatibleArchitectures",
                     fmt::format("Member must satisfy constraint: [{}]", kArchitectureRule)});
  }
  if (request.license_info && request.license_info->size() > kLicenseBytesMax) {
    wrong.push_back({*request.license_info, "licenseInfo",
                     "Member must have length less than or equal to 512"});
  }
  if (!wrong.empty()) return violations(wrong);
  LayerVersionRecord record;
  record.name = name;
  record.description = request.description.value_or("");
  record.runtimes = request.compatible_runtimes;
  record.architectures = request.compatible_architectures;
  record.license = request.license_info;
  return record;
}

base::Result<void> check_filters(const std::optional<std::string>& runtime,
                                 const std::optional<std::string>& architecture) {
  std::vector<Violation> found;
  if (runtime && !is_known_runtime(*runtime)) {
    found.push_back({*runtime, "compatibleRuntime",
                     fmt::format("Member must satisfy enum value set: {}", current_runtimes())});
  }
  if (architecture && !is_architecture(*architecture)) {
    found.push_back({*architecture, "compatibleArchitecture", std::string(kArchitectureRule)});
  }
  if (found.empty()) return {};
  return violations(found);
}

bool matches(const LayerVersionRecord& record, const std::optional<std::string>& runtime,
             const std::optional<std::string>& architecture) {
  return (!runtime || contains(record.runtimes, *runtime)) &&
         (!architecture || contains(record.architectures, *architecture));
}

std::string newest_first_key(std::int64_t version) {
  return fmt::format("{:020}", INT64_MAX - version);
}

}  // namespace terrarium::lambda
