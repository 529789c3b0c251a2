// The three forms of a pattern. Part of pattern.h; nobody else includes it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "terrarium/services/logs/pattern.h"

namespace terrarium::logs {

using PatternForm = std::unique_ptr<const Pattern::Form>;

base::Result<PatternForm> parse_terms(std::string_view text);
base::Result<PatternForm> parse_json_pattern(std::string_view text,
                                             std::span<const std::string> references);
base::Result<PatternForm> parse_fields_pattern(std::string_view text,
                                               std::span<const std::string> references);

}  // namespace terrarium::logs
