// JSON bodies against every operation of a JSON 1.0, a JSON 1.1 and a REST-JSON service. What is
// read prints as JSON that reads again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "generated/lambda/model.h"
#include "generated/logs/model.h"
#include "generated/sqs/model.h"
#include "lib/base/check.h"
#include "terrarium/wire/json_parse.h"

namespace {

using namespace terrarium;

void decode_as(const wire::ServiceModel& service, wire::JsonNames names, std::string_view text) {
  for (const wire::OperationModel& operation : service.operations) {
    if (operation.input == nullptr) continue;
    const std::shared_ptr<void> input = operation.make_input();
    wire::DecodeReport report;
    if (!wire::parse_json(text, *operation.input, names, input.get(), wire::Path{}, report)) {
      continue;
    }
    (void)wire::validate(service, service.protocols.back(), *operation.input, input.get(), report);
    std::string printed;
    wire::print_json(printed, *operation.input, input.get(), names);
    const std::shared_ptr<void> again = operation.make_input();
    CHECK(wire::parse_json(printed, *operation.input, names, again.get(), wire::Path{}, report),
          "what was printed reads again");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  decode_as(sqs::kModel, wire::JsonNames::Model, text);
  decode_as(logs::kModel, wire::JsonNames::Model, text);
  decode_as(lambda::kModel, wire::JsonNames::Wire, text);
  return 0;
}
