#include "terrarium/services/sqs/queue_address.h"

#include <vector>

#include "generated/sqs/errors.h"

namespace terrarium::sqs {
namespace {

constexpr std::size_t kUrlShownMax = 1'024;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

base::Result<QueueAddress> parse_queue_url(std::string_view url) {
  const std::string_view whole = url;
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    url.remove_prefix(std::min(url.find('/'), url.size()));
  } else if (!url.empty() && url.find('/') == std::string_view::npos) {
    return QueueAddress{{}, {}, url};
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  const auto parts = split(url, '/');
  const bool good = (parts.size() == 3 || (parts.size() == 5 && parts[1] == "queue")) &&
                    parts.front().empty() && !parts[parts.size() - 2].empty() &&
                    !parts.back().empty();
  if (!good) {
    return base::fail(errors::kInvalidAddress, "The address " +
                                                   std::string(whole.substr(0, kUrlShownMax)) +
                                                   " is not valid for this endpoint.");
  }
  return QueueAddress{parts.size() == 5 ? parts[2] : std::string_view(), parts[parts.size() - 2],
                      parts.back()};
}

QueueAddress parse_queue_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || !arn.starts_with("arn:aws:sqs:")) return {};
  return {parts[3], parts[4], parts[5]};
}

}  // namespace terrarium::sqs
