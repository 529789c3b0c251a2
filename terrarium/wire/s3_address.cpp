#include "terrarium/wire/s3_address.h"

#include <algorithm>

#include "lib/base/encoding.h"

namespace terrarium::wire {
namespace {

constexpr std::string_view kAwsSuffix = ".amazonaws.com";
constexpr std::string_view kLocalSuffix = ".localhost";

// Removes the last label of `name` and returns it.
std::string_view take_last_label(std::string_view& name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view label = dot == name.npos ? name : name.substr(dot + 1);
  name = dot == name.npos ? std::string_view() : name.substr(0, dot);
  return label;
}

// "us-east-1": at least two hyphens and a digit at the end.
bool looks_like_region(std::string_view label) {
  return std::ranges::count(label, '-') >= 2 && !label.empty() && label.back() >= '0' &&
         label.back() <= '9';
}

}  // namespace

std::string host_name(std::string_view host) {
  if (host.starts_with('[')) {
    return base::to_lower(host.substr(0, std::min(host.find(']') + 1, host.size())));
  }
  return base::to_lower(host.substr(0, host.find(':')));
}

std::optional<std::string> bucket_of_host(std::string_view host) {
  const std::string full = host_name(host);
  std::string_view name = full;
  const bool local = name.ends_with(kLocalSuffix);
  if (!local && !name.ends_with(kAwsSuffix)) return std::nullopt;
  name.remove_suffix(local ? kLocalSuffix.size() : kAwsSuffix.size());
  const std::string_view whole = name;
  std::string_view rest = name;
  std::string_view label = take_last_label(rest);
  if (looks_like_region(label) && !label.starts_with("s3-")) {
    label = take_last_label(rest);
    if (label == "dualstack") label = take_last_label(rest);
  }
  if (label == "s3" || label.starts_with("s3-")) {
    if (rest.empty()) return std::nullopt;
    return std::string(rest);
  }
  // bucket.localhost: there is nothing else that such a name could mean.
  if (local && !whole.empty()) return std::string(whole);
  return std::nullopt;
}

std::string service_of_host(std::string_view host) {
  const std::string full = host_name(host);
  std::string_view name = full;
  if (!name.ends_with(kAwsSuffix)) return {};
  name.remove_suffix(kAwsSuffix.size());
  // The older names of queues: queue.amazonaws.com and us-west-2.queue.amazonaws.com.
  if (name == "queue" || name.ends_with(".queue")) return "sqs";
  const std::string_view first = name.substr(0, name.find('.'));
  const std::string_view rest = name.substr(std::min(first.size() + 1, name.size()));
  return rest.empty() || looks_like_region(rest) ? std::string(first) : std::string();
}

}  // namespace terrarium::wire
