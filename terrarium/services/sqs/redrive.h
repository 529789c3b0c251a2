// RedrivePolicy and RedriveAllowPolicy: what they may say. Pure.
// Source: Amazon SQS API Reference, SetQueueAttributes.
#pragma once

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

// InvalidParameterValue in AWS's words: "Value x for parameter Y is invalid. Reason: ...".
std::unexpected<base::Error> invalid_parameter(std::string_view value, std::string_view parameter,
                                               std::string_view reason);

}  // namespace terrarium::sqs
