#include "lib/aws/s3_error.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aws {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

base::ErrorKind kind_of(int status, std::string_view code) {
  if (code == "RequestTimeout") return base::ErrorKind::Unavailable;
  if (code == "SlowDown" || code == "Throttling" || status == 429) {
    return base::ErrorKind::Throttled;
  }
  if (status == 501) return base::ErrorKind::NotImplemented;
  if (status >= 500) return base::ErrorKind::Unavailable;
  switch (status) {
    case 401:
    case 403: return base::ErrorKind::Denied;
    case 404: return base::ErrorKind::NotFound;
    case 409:
    case 412: return base::ErrorKind::Conflict;
    case 413: return base::ErrorKind::TooLarge;
    default: return base::ErrorKind::InvalidInput;
  }
}

}  // namespace

std::string xml_text(std::string_view xml, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">";
  const std::size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return {};
  std::string_view rest = xml.substr(begin + open.size());
  rest = rest.substr(0, rest.find('<'));
  std::string text;
  while (!rest.empty()) {
    const auto entity = std::ranges::find_if(
        kEntities, [rest](const auto& known) { return rest.starts_with(known.first); });
    const bool known = entity != kEntities.end();
    text += known ? entity->second : rest.front();
    rest.remove_prefix(known ? entity->first.size() : 1);
  }
  return text;
}

base::Error s3_error(int status, std::string_view body) {
  const std::string code = xml_text(body, "Code");
  std::string message = "S3 answered " + std::to_string(status);
  if (!code.empty()) message += " " + code + ": " + xml_text(body, "Message");
  base::Error error = base::fail(kind_of(status, code), std::move(message)).error();
  error.fields = {{"Status", std::to_string(status)}, {"Code", code}};
  return error;
}

bool may_be_sent_again(const base::Error& error) {
  return error.kind == base::ErrorKind::Unavailable || error.kind == base::ErrorKind::Throttled;
}

}  // namespace aws
