// What asynchronous invocations leave behind: the invocation record that a destination gets, and
// the message that a dead-letter queue gets. Pure.
// Source: AWS "Capturing records of Lambda asynchronous invocations", "Dead-letter queues".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "terrarium/services/lambda/environment.h"
#include "terrarium/services/lambda/records.h"
#include "terrarium/services/sqs/api.h"

namespace terrarium::lambda {

// How an asynchronous invocation ended for good.
enum class Ending : std::uint8_t {
  Success,
  RetriesExhausted,
  EventAgeExceeded,
  ZeroReservedConcurrency,
  RecursiveInvocation
};
std::string_view to_string(Ending ending);

struct EndedEvent {
  QueuedEvent event;
  Ending ending = Ending::Success;
  std::string function_arn;  // with its qualifier, also "$LATEST"
  std::string executed_version;
  std::optional<Outcome> outcome;  // of the last try; nothing when there was none
};

// The record of version 1.0, as JSON.
std::string invocation_record(const EndedEvent& ended, base::Timestamp now);
// The event itself, with RequestID, ErrorCode and ErrorMessage as attributes.
sqs::OutgoingMessage dead_letter(const EndedEvent& ended);

}  // namespace terrarium::lambda
