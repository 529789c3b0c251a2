// S3's routing: a request line, then "Name: value" lines, the Host header among them. Whatever is
// routed also decodes without harm.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "generated/s3/model.h"
#include "lib/base/check.h"
#include "terrarium/wire/rest.h"
#include "terrarium/wire/rest_route.h"
#include "terrarium/wire/s3_address.h"

namespace {

using namespace terrarium;

std::string_view take(std::string_view& text, char end) {
  const std::string_view part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const wire::RestRoutes routes(s3::kModel);
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view target = take(text, '\n');
  const std::string_view method = take(target, ' ');
  http::HeaderViews headers;
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    const std::string_view name = take(line, ':');
    headers.add(name, line);
  }
  const auto bucket = wire::bucket_of_host(headers.find("host").value_or(""));
  const std::string_view raw_path = take(target, '?');
  const std::string path = bucket ? "/" + *bucket + std::string(raw_path) : std::string(raw_path);
  const auto query = wire::Parameters::parse(target);
  if (!query) return 0;
  const auto match = routes.find(method, path, *query, headers);
  if (!match) return 0;
  const wire::OperationModel& operation = s3::kModel.operations[match->operation];
  CHECK(operation.http_method == method, "a route never changes the method");
  if (operation.input == nullptr) return 0;
  const std::shared_ptr<void> input = operation.make_input();
  wire::DecodeReport report;
  const wire::RestRequest request{headers, *query, match->labels, {}};
  (void)wire::decode_rest(wire::Protocol::RestXml, operation, request, input.get(), report);
  return 0;
}
