// What a layer may be, and how requests name one. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generated/lambda/model.h"
#include "lib/base/result.h"
#include "terrarium/services/lambda/layer_record.h"
#include "terrarium/services/lambda/names.h"

namespace terrarium::lambda {

inline constexpr std::string_view kLayerVersionArnPattern =
    "arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\\d{1}:\\d{12}:layer:"
    "[a-zA-Z0-9-_]+:[0-9]+";

struct LayerVersionArn {
  Place place;
  std::string name;
  std::int64_t version = 0;
};
std::optional<LayerVersionArn> parse_layer_version_arn(std::string_view arn);
// A function's Layers: how many, whose, where.
base::Result<std::vector<LayerVersionArn>> parse_layer_arns(const std::vector<std::string>& arns,
                                                            const Place& place);
// A name or the ARN of a layer, unversioned, as its name.
base::Result<std::string> parse_layer_name(std::string_view text, const Place& place);
// What stands behind the last colon.
std::string_view short_layer_name(std::string_view text);

// The record of a new version, but for its number and code.
base::Result<LayerVersionRecord> new_layer_version(const PublishLayerVersionRequest& request,
                                                   const Place& place);

base::Result<void> check_filters(const std::optional<std::string>& runtime,
                                 const std::optional<std::string>& architecture);
bool matches(const LayerVersionRecord& record, const std::optional<std::string>& runtime,
             const std::optional<std::string>& architecture);
// Text that sorts as newer versions first.
std::string newest_first_key(std::int64_t version);

}  // namespace terrarium::lambda
