// Batches of an event source mapping: SQS messages as the event that a function gets, and what the
// function's answer says about each. Pure.
// Source: AWS "Using Lambda with Amazon SQS", "Implementing partial batch responses".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "terrarium/services/lambda/event_pattern.h"
#include "terrarium/services/sqs/api.h"

namespace terrarium::lambda {

// {"Records":[...]}
std::string batch_event(const std::vector<sqs::ReceivedMessage>& messages,
                        std::string_view queue_arn, std::string_view region);

// Bytes that a message takes in the event, not less than in truth.
std::size_t event_bytes(const sqs::ReceivedMessage& message);

// Whether a function gets a message: one of the filters matches, or there are none. A body that
// holds a JSON object or list is matched as such, any other as the string it is.
bool passes(const std::vector<EventPattern>& filters, const sqs::ReceivedMessage& message,
            std::string_view queue_arn, std::string_view region);

// The message ids that failed, by a function with ReportBatchItemFailures that returned `response`.
// Nothing: the whole batch failed, because the response is not what it should be.
std::optional<std::vector<std::string>> failed_items(
    std::string_view response, const std::vector<sqs::ReceivedMessage>& messages);

}  // namespace terrarium::lambda
