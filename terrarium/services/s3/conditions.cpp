#include "terrarium/services/s3/conditions.h"

#include <algorithm>
#include <charconv>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/names.h"

namespace terrarium::s3 {
namespace {

std::unexpected<base::Error> precondition_failed(std::string_view condition) {
  return with_field(base::fail(errors::kPreconditionFailed,
                               "At least one of the pre-conditions you specified did not hold"),
                    "Condition", std::string(condition));
}

std::unexpected<base::Error> not_a_condition(std::string header, std::string message) {
  return with_field(
      with_field(base::fail(errors::kNotImplemented,
                            "A header you provided implies functionality that is not implemented"),
                 "Header", std::move(header)),
      "additionalMessage", std::move(message));
}

std::unexpected<base::Error> not_modified(const ObjectRecord& object) {
  return with_field(with_field(base::fail(errors::kNotModified, "Not Modified"), "header:ETag",
                               quoted_etag(object.etag)),
                    "header:Last-Modified", base::http_date(object.last_modified));
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return number;
}

std::unexpected<base::Error> invalid_range(std::string_view header, std::uint64_t bytes) {
  return with_field(
      with_field(base::fail(errors::kInvalidRange, "The requested range is not satisfiable"),
                 "RangeRequested", std::string(header)),
      "ActualObjectSize", std::to_string(bytes));
}

}  // namespace

std::string quoted_etag(std::string_view etag) { return "\"" + std::string(etag) + "\""; }

std::string_view unquoted_etag(std::string_view etag) {
  const bool quoted = etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"');
  return quoted ? etag.substr(1, etag.size() - 2) : etag;
}

bool names_etag(std::string_view header, std::string_view etag) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(','), header.size());
    std::string_view tag = base::trim(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    tag = unquoted_etag(tag);
    if (tag == "*" || tag == etag) return true;
  }
  return false;
}

base::Result<void> check_read(const ReadConditions& conditions, const ObjectRecord& object) {
  // Each entity tag outranks the date beside it, whatever the date says.
  if (conditions.if_match) {
    if (!names_etag(*conditions.if_match, object.etag)) return precondition_failed("If-Match");
  } else if (conditions.if_unmodified_since &&
             object.last_modified > *conditions.if_unmodified_since) {
    return precondition_failed("If-Unmodified-Since");
  }
  if (conditions.if_none_match) {
    if (names_etag(*conditions.if_none_match, object.etag)) return not_modified(object);
  } else if (conditions.if_modified_since && *conditions.if_modified_since <= conditions.now &&
             object.last_modified <= *conditions.if_modified_since) {
    return not_modified(object);
  }
  return {};
}

base::Result<void> check_copy_source(const ReadConditions& conditions, const ObjectRecord& object) {
  const base::Result<void> checked = check_read(conditions, object);
  if (checked.has_value()) return {};
  if (!checked.error().is(errors::kNotModified)) {
    return precondition_failed(conditions.if_match ? "x-amz-copy-source-If-Match"
                                                   : "x-amz-copy-source-If-Unmodified-Since");
  }
  return precondition_failed(conditions.if_none_match ? "x-amz-copy-source-If-None-Match"
                                                      : "x-amz-copy-source-If-Modified-Since");
}

base::Result<void> check_write(const WriteConditions& conditions, const ObjectRecord* current,
                               std::string_view key) {
  if (conditions.if_match && conditions.if_none_match) {
    return not_a_condition("If-Match,If-None-Match",
                           "Multiple conditional request headers present in the request");
  }
  if (conditions.if_none_match) {
    if (*conditions.if_none_match != "*") {
      return not_a_condition("If-None-Match",
                             "We don't accept the provided value of If-None-Match header for this "
                             "API");
    }
    if (current != nullptr) return precondition_failed("If-None-Match");
  }
  if (!conditions.if_match) return {};
  if (*conditions.if_match == "*") {
    return not_a_condition("If-Match",
                           "We don't accept the provided value of If-Match header for this API");
  }
  return check_delete(conditions.if_match, current, key);
}

base::Result<void> check_delete(const std::optional<std::string>& if_match,
                                const ObjectRecord* current, std::string_view key) {
  if (!if_match) return {};
  if (current == nullptr || current->delete_marker) {
    return with_field(base::fail(errors::kNoSuchKey, "The specified key does not exist."), "Key",
                      std::string(key));
  }
  if (names_etag(*if_match, current->etag)) return {};
  return precondition_failed("If-Match");
}

base::Result<void> check_completion(const WriteConditions& conditions, const ObjectRecord* current,
                                    std::string_view key, const UploadStart& start) {
  TRY_VOID(check_write(conditions, current, key));
  const bool went = conditions.if_none_match && start.key_existed;
  const bool came = conditions.if_match && current->sequence > start.sequence;
  if (!went && !came) return {};
  return with_field(
      with_field(base::fail(errors::kConditionalRequestConflict,
                            "The conditional request cannot succeed due to a conflicting "
                            "operation against this resource."),
                 "Condition", went ? "If-None-Match" : "If-Match"),
      "Key", std::string(key));
}

base::Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t bytes) {
  constexpr std::string_view unit = "bytes=";
  const std::string_view whole = header;
  if (!header.starts_with(unit) || header.contains(',')) return std::nullopt;
  header = base::trim(header.substr(unit.size()));
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view first_text = base::trim(header.substr(0, dash));
  const std::string_view last_text = base::trim(header.substr(dash + 1));
  const auto first = parse_number(first_text);
  const auto last = parse_number(last_text);
  if (first_text.empty()) {
    if (!last) return std::nullopt;
    if (*last == 0 || bytes == 0) return invalid_range(whole, bytes);
    const std::uint64_t suffix = std::min(*last, bytes);
    return ByteRange{bytes - suffix, suffix};
  }
  if (!first || (!last && !last_text.empty()) || (last && *last < *first)) return std::nullopt;
  if (*first >= bytes) return invalid_range(whole, bytes);
  const std::uint64_t end = last ? std::min(*last, bytes - 1) : bytes - 1;
  return ByteRange{*first, end - *first + 1};
}

base::Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t bytes) {
  constexpr std::string_view name = "x-amz-copy-source-range";
  constexpr std::string_view unit = "bytes=";
  const std::size_t dash = header.find('-');
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;
  if (header.starts_with(unit) && dash != std::string_view::npos) {
    first = parse_number(header.substr(unit.size(), dash - unit.size()));
    last = parse_number(header.substr(dash + 1));
  }
  if (!first || !last || *first > *last) {
    return invalid_argument(
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
        "last are the zero-based offsets of the first and last bytes to copy",
        std::string(name), std::string(header));
  }
  if (*first >= bytes) {
    return base::fail(errors::kInvalidRequest,
                      "The specified copy range is invalid for the source object size");
  }
  if (*last >= bytes) {
    return invalid_argument(
        "Range specified is not valid for source object of size: " + std::to_string(bytes),
        std::string(name), std::string(header));
  }
  return ByteRange{*first, *last - *first + 1};
}

std::string content_range(const ByteRange& range, std::uint64_t bytes) {
  return "bytes " + std::to_string(range.first) + "-" +
         std::to_string(range.first + range.bytes - 1) + "/" + std::to_string(bytes);
}

}  // namespace terrarium::s3
