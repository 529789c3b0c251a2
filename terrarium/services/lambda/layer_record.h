// Layers as they are stored: the number of a name's last version, and each version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/services/lambda/function_record.h"
#include "terrarium/services/lambda/names.h"

namespace terrarium::lambda {

struct LayerVersionRecord {
  std::string name;
  std::int64_t version = 0;
  std::string description;
  std::optional<std::vector<std::string>> runtimes;
  std::optional<std::vector<std::string>> architectures;
  std::optional<std::string> license;
  std::string code_sha256_hex;
  std::int64_t code_bytes = 0;
  std::int64_t unzipped_bytes = 0;
  base::Timestamp created;
  std::vector<PolicyStatement> policy;
  std::string policy_revision_id;
};

std::string to_text(const LayerVersionRecord& record);
base::Result<LayerVersionRecord> parse_layer_version(std::string_view text);

std::string layer_arn(const Place& place, std::string_view name);
std::string layer_version_arn(const Place& place, std::string_view name, std::int64_t version);

namespace keys {

inline constexpr std::string_view kAllLayers = "l";
inline constexpr std::string_view kAllLayerVersions = "L";

// The number of the last version, in decimal: never given out again.
std::string layer(std::string_view region, std::string_view name);
std::string layer_version(std::string_view region, std::string_view name, std::int64_t version);

}  // namespace keys
}  // namespace terrarium::lambda
