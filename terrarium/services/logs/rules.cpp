#include "terrarium/services/logs/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "generated/logs/errors.h"
#include "lib/base/encoding.h"

namespace terrarium::logs {
namespace {

constexpr Millis kTooNewMs = 2 * 3600 * 1000LL;
constexpr Millis kTooOldMs = 14 * kDayMs;
constexpr std::array kRetentionDays = {1,    3,    5,    7,    14,   30,  60,  90,
                                       120,  150,  180,  365,  400,  545, 731, 1096,
                                       1827, 2192, 2557, 2922, 3288, 3653};
constexpr std::size_t kTokenDigits = 56;
constexpr std::size_t kTokenTimeDigits = 20;
constexpr std::size_t kTagKeyBytesMax = 128 * 4;
constexpr std::size_t kTagValueBytesMax = 256 * 4;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterException, std::move(message));
}

std::unexpected<base::Error> constraint(std::string_view value, std::string_view member,
                                        std::string_view rule) {
  return invalid(
      fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy "
                  "constraint: {}",
                  value, member, rule));
}

bool is_group_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '_' || c == '/' || c == '#';
}

base::Result<void> check_length(std::string_view name, std::string_view member) {
  if (name.empty()) {
    return constraint(name, member, "Member must have length greater than or equal to 1");
  }
  if (name.size() > kNameBytesMax) {
    return invalid(
        "Invalid LogGroup or LogStream, both must have length less than or equal to 512.");
  }
  return {};
}

base::Result<void> check_batch_size(const std::vector<InputLogEvent>& events) {
  std::size_t total = 0;
  for (const InputLogEvent& event : events) {
    if (event.message.empty()) {
      return constraint("", "logEvents.1.member.message",
                        "Member must have length greater than or equal to 1");
    }
    const std::size_t bytes = event.message.size() + kEventOverheadBytes;
    if (bytes > kEventBytesMax) {
      return invalid(
          fmt::format("Log event too large: {} bytes exceeds limit of {}", bytes, kEventBytesMax));
    }
    total += bytes;
  }
  if (total > kBatchBytesMax) {
    return invalid(
        fmt::format("Upload too large: {} bytes exceeds limit of {}", total, kBatchBytesMax));
  }
  return {};
}

// How many bytes the well-formed sequence at the front of `text` has; 0 when there is none.
std::size_t sequence_bytes(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&byte](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::int64_t stored_bytes(std::string_view message) {
  return static_cast<std::int64_t>(message.size() + kEventOverheadBytes);
}

base::Result<void> check_group_name(std::string_view name) {
  TRY_VOID(check_length(name, "logGroupName"));
  if (!std::ranges::all_of(name, is_group_character)) {
    return constraint(name, "logGroupName",
                      "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+");
  }
  return {};
}

base::Result<void> check_stream_name(std::string_view name) {
  TRY_VOID(check_length(name, "logStreamName"));
  constexpr std::string_view kRefused(":*\0", 3);
  if (name.find_first_of(kRefused) != std::string_view::npos) {
    return constraint(name, "logStreamName",
                      "Member must satisfy regular expression pattern: [^:*]*");
  }
  return {};
}

base::Result<void> check_filter_name(std::string_view name) {
  if (name.find_first_of(":*") == std::string_view::npos) return {};
  return constraint(name, "filterName", "Member must satisfy regular expression pattern: [^:*]*");
}

base::Result<void> check_retention(std::int32_t days) {
  if (std::ranges::find(kRetentionDays, days) != kRetentionDays.end()) return {};
  return constraint(
      std::to_string(days), "retentionInDays",
      fmt::format("Member must satisfy enum value set: [{}]", fmt::join(kRetentionDays, ", ")));
}

base::Result<void> add_tags(std::map<std::string, std::string>& tags,
                            const std::map<std::string, std::string>& add) {
  for (const auto& [key, value] : add) {
    if (key.empty() || key.size() > kTagKeyBytesMax || value.size() > kTagValueBytesMax) {
      return invalid("A tag's key has 1 to 128 characters and its value up to 256");
    }
    if (key.starts_with("aws:")) return invalid("Tag keys starting with aws: are reserved");
    tags[key] = value;
  }
  if (tags.size() > kTagsMax) {
    return base::fail(errors::kTooManyTagsException, "A resource can have no more than 50 tags");
  }
  return {};
}

base::Result<std::size_t> check_limit(std::optional<std::int32_t> given, std::size_t max) {
  if (!given) return max;
  if (*given < 1) {
    return constraint(std::to_string(*given), "limit",
                      "Member must have value greater than or equal to 1");
  }
  if (static_cast<std::size_t>(*given) > max) {
    return constraint(std::to_string(*given), "limit",
                      fmt::format("Member must have value less than or equal to {}", max));
  }
  return static_cast<std::size_t>(*given);
}

base::Result<Accepted> accept(const std::vector<InputLogEvent>& events, Millis now_ms,
                              std::optional<std::int32_t> retention_days) {
  if (events.empty() || events.size() > kBatchEventsMax) {
    return invalid("A batch has 1 to 10000 log events");
  }
  TRY_VOID(check_batch_size(events));
  if (events.front().timestamp < 0) return invalid("A log event's timestamp is not negative");
  const auto earlier = [](const InputLogEvent& a, const InputLogEvent& b) {
    return a.timestamp < b.timestamp;
  };
  if (!std::ranges::is_sorted(events, earlier)) {
    return invalid("Log events in a single PutLogEvents request must be in chronological order.");
  }
  if (events.back().timestamp - events.front().timestamp > kDayMs) {
    return invalid(
        "The batch of log events in a single PutLogEvents request cannot span more than 24 "
        "hours.");
  }
  // Sorted: what is refused lies at the ends.
  const auto count_before = [&events](Millis time_ms) {
    return static_cast<std::size_t>(std::ranges::count_if(
        events, [time_ms](const InputLogEvent& event) { return event.timestamp < time_ms; }));
  };
  const std::size_t too_old = count_before(now_ms - kTooOldMs);
  const std::size_t expired = retention_days ? count_before(now_ms - *retention_days * kDayMs) : 0;
  const std::size_t too_new = count_before(now_ms + kTooNewMs + 1);
  Accepted accepted{.first = std::max(too_old, expired), .last = too_new, .rejected = {}};
  accepted.first = std::min(accepted.first, accepted.last);
  RejectedLogEventsInfo info;
  if (too_old > 0) info.too_old_log_event_end_index = static_cast<std::int32_t>(too_old);
  if (expired > 0) info.expired_log_event_end_index = static_cast<std::int32_t>(expired);
  if (too_new < events.size()) {
    info.too_new_log_event_start_index = static_cast<std::int32_t>(too_new);
  }
  if (too_old > 0 || expired > 0 || too_new < events.size()) accepted.rejected = info;
  return accepted;
}

std::string event_id(Position position) {
  return fmt::format("{:020}{:036}", position.time_ms, position.sequence);
}

std::string sequence_token(const StreamRecord& record) {
  return event_id({record.last_ingestion_ms.value_or(0), record.id});
}

std::string to_text(const ReadToken& token) {
  return (token.forward ? "f/" : "b/") + event_id(token.position) + "/s";
}

base::Result<ReadToken> parse_read_token(std::string_view text) {
  const auto wrong = [] { return invalid("The specified nextToken is invalid."); };
  const bool forward = text.starts_with("f/");
  if (!(forward || text.starts_with("b/")) || !text.ends_with("/s")) return wrong();
  if (text.size() != 2 + kTokenDigits + 2) return wrong();
  const std::string_view digits = text.substr(2, kTokenDigits);
  ReadToken token{.forward = forward, .position = {}};
  const auto read = [](std::string_view part, auto& number) {
    const char* end = part.data() + part.size();
    const auto [at, error] = std::from_chars(part.data(), end, number);
    return error == std::errc() && at == end;
  };
  if (!read(digits.substr(0, kTokenTimeDigits), token.position.time_ms) ||
      !read(digits.substr(kTokenTimeDigits), token.position.sequence) ||
      token.position.time_ms < 0) {
    return wrong();
  }
  return token;
}

std::string list_token(std::string_view last) { return base::base64_encode(last); }

base::Result<std::string> parse_list_token(std::string_view token) {
  auto last = base::base64_decode(token);
  if (!last || last->empty()) return invalid("The specified nextToken is invalid.");
  return *std::move(last);
}

std::string group_arn(std::string_view region, std::string_view account, std::string_view group) {
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}", region, account, group);
}

base::Result<std::string> group_of_arn(std::string_view arn) {
  constexpr std::string_view kKind = ":log-group:";
  const std::size_t at = arn.find(kKind);
  if (!arn.starts_with("arn:aws:logs:") || at == std::string_view::npos) {
    return invalid("The specified ARN is not of a log group: '" + std::string(arn) + "'");
  }
  std::string_view name = arn.substr(at + kKind.size());
  if (name.ends_with(":*")) name.remove_suffix(2);
  TRY_VOID(check_group_name(name));
  return std::string(name);
}

base::Result<std::string> group_of(const std::optional<std::string>& name,
                                   const std::optional<std::string>& identifier) {
  if (name && identifier) {
    return base::fail(errors::kValidationException,
                      "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
  }
  if (!name && !identifier) {
    return constraint("null", "logGroupName", "Member must not be null");
  }
  if (identifier && identifier->starts_with("arn:")) return group_of_arn(*identifier);
  const std::string& group = name ? *name : *identifier;
  TRY_VOID(check_group_name(group));
  return group;
}

std::string well_formed(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t bytes = sequence_bytes(text);
    clean.append(bytes > 0 ? text.substr(0, bytes) : "\xEF\xBF\xBD");
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return clean;
}

}  // namespace terrarium::logs
