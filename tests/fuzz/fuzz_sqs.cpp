// What SQS reads from clients and from its own disk: receipt handles, redrive policies, bodies,
// stored records. What is taken is written back as it was.
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/check.h"
#include "terrarium/services/sqs/attributes.h"
#include "terrarium/services/sqs/message_rules.h"
#include "terrarium/services/sqs/permissions.h"
#include "terrarium/services/sqs/receipt.h"
#include "terrarium/services/sqs/records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace sqs = terrarium::sqs;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto receipt = sqs::decode_receipt(text)) {
    CHECK(sqs::encode(*receipt) == text, "a handle has one text");
  }
  if (const auto index = sqs::decode_index(text)) {
    const std::string written = sqs::encode(index->record, index->group);
    const auto again = sqs::decode_index(written);
    CHECK(again && again->record == index->record && again->group == index->group,
          "an index entry reads back");
  }
  if (const auto message = sqs::decode_message(text)) {
    const auto again = sqs::decode_message(sqs::encode(*message));
    CHECK(again && again->body == message->body && again->id == message->id,
          "a message reads back");
  }
  if (const auto queue = sqs::decode_queue(text)) {
    CHECK(sqs::decode_queue(sqs::encode(*queue)).has_value(), "a queue reads back");
  }
  (void)sqs::check_body(text);
  if (const auto target = sqs::parse_redrive_policy(text)) {
    CHECK(target->max_receive_count >= 1, "a message may be received once at least");
  }
  (void)sqs::parse_redrive_allow_policy(text);
  if (sqs::check_change({{"Policy", std::string(text)}}, {}, false).has_value() && !text.empty()) {
    const auto more = sqs::with_permission(text, "arn:aws:sqs:r:000000000000:q", "a-new-label",
                                           {"000000000000"}, {"*"});
    CHECK(!more || sqs::without_permission(*more, "a-new-label").has_value(),
          "a permission added can be taken away");
  }
  return 0;
}
