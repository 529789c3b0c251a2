// The query protocol: any form body against every operation of a service with flattened lists and
// maps, and of one without. What is read prints again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "generated/iam/model.h"
#include "generated/sqs/model.h"
#include "terrarium/wire/query.h"

namespace {

using namespace terrarium;

void decode_as(const wire::ServiceModel& service, const wire::Parameters& parameters) {
  for (const wire::OperationModel& operation : service.operations) {
    if (operation.input == nullptr) continue;
    const std::shared_ptr<void> input = operation.make_input();
    wire::DecodeReport report;
    if (!wire::decode_query(operation, parameters, input.get(), report)) continue;
    (void)wire::validate(service, wire::Protocol::Query, *operation.input, input.get(), report);
    wire::OperationModel echo = operation;
    echo.output = operation.input;
    (void)wire::encode_query(service, echo, input.get(), "request");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parameters = wire::Parameters::parse({reinterpret_cast<const char*>(data), size});
  if (!parameters) return 0;
  decode_as(sqs::kModel, *parameters);
  decode_as(iam::kModel, *parameters);
  return 0;
}
