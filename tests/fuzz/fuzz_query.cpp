// The query protocol and EC2's: any form body against every operation of a service with flattened
// lists and maps, of one without, and of EC2. What is read prints again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "generated/ec2/model.h"
#include "generated/iam/model.h"
#include "generated/sqs/model.h"
#include "terrarium/wire/query.h"

namespace {

using namespace terrarium;

void decode_as(const wire::ServiceModel& service, const wire::Parameters& parameters) {
  const wire::Protocol protocol = service.protocols.front();
  for (const wire::OperationModel& operation : service.operations) {
    if (operation.input == nullptr) continue;
    const std::shared_ptr<void> input = operation.make_input();
    wire::DecodeReport report;
    if (!wire::decode_query(protocol, operation, parameters, input.get(), report)) continue;
    (void)wire::validate(service, protocol, *operation.input, input.get(), report);
    wire::OperationModel echo = operation;
    echo.output = operation.input;
    (void)(protocol == wire::Protocol::Ec2 ? wire::encode_ec2 : wire::encode_query)(
        service, echo, input.get(), "request");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parameters = wire::Parameters::parse({reinterpret_cast<const char*>(data), size});
  if (!parameters) return 0;
  decode_as(sqs::kModel, *parameters);
  decode_as(iam::kModel, *parameters);
  decode_as(ec2::kModel, *parameters);
  return 0;
}
