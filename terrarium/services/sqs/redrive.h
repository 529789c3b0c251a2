// RedrivePolicy and RedriveAllowPolicy: what they may say. Pure.
// Source: Amazon SQS API Reference, SetQueueAttributes.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/services/sqs/api.h"

namespace terrarium::sqs {

// RedriveAllowPolicy: which queues may name this one as their dead-letter queue.
struct RedriveAllow {
  enum class Kind : std::uint8_t { All, None, ByQueue };
  Kind kind = Kind::All;
  std::vector<std::string> sources;

  bool allows(std::string_view source_arn) const;
};

base::Result<RedriveTarget> parse_redrive_policy(std::string_view text);
base::Result<RedriveAllow> parse_redrive_allow_policy(std::string_view text);

// Attribute values, read; nothing: they are no such thing.
std::optional<boost::json::object> parse_object(std::string_view text);
std::optional<std::int64_t> integer_of(std::string_view text);

// InvalidParameterValue in AWS's words: "Value x for parameter Y is invalid. Reason: ...".
std::unexpected<base::Error> invalid_parameter(std::string_view value, std::string_view parameter,
                                               std::string_view reason);
// `value`, or that refusal with `rule` as its reason.
base::Result<std::int32_t> within(std::int32_t value, std::int32_t min, std::int32_t max,
                                  std::string_view parameter, std::string_view rule);

}  // namespace terrarium::sqs
