#include "messageboard/api/parameters.h"

#include "messageboard/api/multipart.h"

namespace messageboard {
namespace {

constexpr std::size_t kJsonBytesMax = std::size_t{64} * 1024;

// What email.message makes of the header: without exactly one '/', it is text/plain.
bool says_json(std::string_view content_type) {
  const std::string kind = header_value(content_type);
  const std::size_t slash = kind.find('/');
  if (slash == kind.npos || kind.substr(0, slash) != "application") return false;
  const std::string_view subtype = std::string_view(kind).substr(slash + 1);
  return subtype == "json" || (subtype.ends_with("+json") && subtype.find('/') == subtype.npos);
}

}  // namespace

runtime::Task<std::optional<Json>> read_json_body(Incoming& incoming, Trouble& trouble) {
  http::Request& request = incoming.request;
  const auto bytes = co_await http::read_all(*request.body, kJsonBytesMax);
  if (!bytes) {
    const bool large = bytes.error().kind == base::ErrorKind::TooLarge;
    trouble.refusal = large ? Refusal{413, "The body is larger than 64 KiB"}
                            : Refusal{400, "There was an error parsing the body"};
    co_return std::nullopt;
  }
  if (bytes->empty()) {
    trouble.problems.push_back(missing({"body"}));
    co_return std::nullopt;
  }
  const std::string_view content_type = request.headers.find("content-type").value_or("");
  if (!content_type.empty() && !says_json(content_type)) {
    trouble.problems.push_back(not_object({"body"}));
    co_return std::nullopt;
  }
  auto json = read_json(*bytes);
  if (!json) {
    if (const auto* error = std::get_if<JsonDecodeError>(&json.error())) {
      // The original raises at once: nothing else that is wrong is reported with it.
      trouble.problems = {not_json(*error)};
    } else {
      trouble.refusal = Refusal{400, "There was an error parsing the body"};
    }
    co_return std::nullopt;
  }
  if (json->kind == Json::Kind::Null) {
    trouble.problems.push_back(missing({"body"}));
    co_return std::nullopt;
  }
  co_return *std::move(json);
}

}  // namespace messageboard
