// XML bodies against every operation of S3 that takes one. What is read prints as XML.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "generated/s3/model.h"
#include "terrarium/wire/xml_parse.h"
#include "terrarium/wire/xml_print.h"

namespace {

using namespace terrarium;

constexpr wire::TextStyle kStyle{wire::TimestampFormat::Iso8601, 3};

const wire::Member* payload_of(const wire::Shape& shape) {
  for (const wire::Member& member : shape.members) {
    const bool structure = member.shape->kind == wire::Kind::Structure;
    if (member.location == wire::Location::Payload && structure) return &member;
  }
  return nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const wire::OperationModel& operation : s3::kModel.operations) {
    if (operation.input == nullptr) continue;
    const wire::Member* payload = payload_of(*operation.input);
    if (payload == nullptr) continue;
    const std::shared_ptr<void> input = operation.make_input();
    wire::DecodeReport report;
    void* into = payload->ensure(input.get());
    if (!wire::parse_xml(text, operation.input->xml_root, *payload->shape, kStyle, into,
                         wire::Path{}, report)) {
      continue;
    }
    std::string printed;
    wire::print_xml(printed, operation.input->xml_root, {}, *payload->shape,
                    wire::TimestampFormat::Iso8601, into, kStyle);
  }
  return 0;
}
