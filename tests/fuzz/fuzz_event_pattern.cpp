// Filters of event source mappings and what they are matched with; and what functions answer about
// their batches. The first line is the pattern, the rest the message.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/check.h"
#include "terrarium/services/lambda/batch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view rest = input.substr(std::min(end + 1, input.size()));
  const terrarium::sqs::ReceivedMessage message{.message_id = "id", .body = std::string(rest)};
  if (const auto pattern = terrarium::lambda::EventPattern::parse(input.substr(0, end))) {
    const bool once = terrarium::lambda::passes({*pattern}, message, "arn", "us-east-1");
    const bool twice = terrarium::lambda::passes({*pattern, *pattern}, message, "arn", "us-east-1");
    CHECK(once == twice, "a filter said twice is the same filter");
  }
  const auto failed = terrarium::lambda::failed_items(rest, {message});
  CHECK(!failed || failed->empty() || failed->front() == "id", "only known messages fail");
  return 0;
}
