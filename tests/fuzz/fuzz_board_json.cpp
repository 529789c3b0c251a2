// The board's JSON reader: nothing may crash it, an error lies inside the text, and what it reads
// becomes text or a problem, never an invalid string.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "lib/base/check.h"
#include "messageboard/api/json_reader.h"
#include "messageboard/api/python_text.h"
#include "messageboard/api/validation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto json = messageboard::read_json(bytes);
  if (!json) {
    const auto* error = std::get_if<messageboard::JsonDecodeError>(&json.error());
    if (error == nullptr) return 0;
    CHECK(error->position <= size, "an error lies in the text");
    const auto body = messageboard::problems_body({messageboard::not_json(*error)});
    CHECK(messageboard::read_json(body), "answers are JSON");
    return 0;
  }
  const auto object = messageboard::as_object(*json);
  for (const auto& value : object ? object->items : json->items) {
    const auto text = messageboard::coerce_string(value, {"body", "author"});
    if (const auto* ready = std::get_if<std::string>(&text)) {
      CHECK(messageboard::decode_utf8(*ready), "text is UTF-8");
      CHECK(ready->find('\0') == std::string::npos, "PostgreSQL takes it");
    }
  }
  return 0;
}
