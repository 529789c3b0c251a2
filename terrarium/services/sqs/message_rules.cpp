#include "terrarium/services/sqs/message_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "generated/sqs/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/sqs/bytes.h"

namespace terrarium::sqs {
namespace {

constexpr std::size_t kAttributeNameMax = 256;
constexpr std::size_t kAttributeTypeMax = 256;
constexpr std::string_view kTraceHeader = "AWSTraceHeader";

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterValue, std::move(message));
}

// One character of UTF-8 at the front of `text`; nothing when it is not well formed.
std::optional<char32_t> next_character(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || text.size() < length) return std::nullopt;
  char32_t character = length == 1 ? first : first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    character = character << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (character < kSmallest[length]) return std::nullopt;
  text.remove_prefix(length);
  return character;
}

bool allowed(char32_t c) {
  return c == 0x9 || c == 0xa || c == 0xd || (c >= 0x20 && c <= 0xd7ff) ||
         (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
}

bool is_number(std::string_view text) {
  const auto digits = [&text] {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end;
  };
  const auto sign = [&text] {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  };
  sign();
  std::size_t count = digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    count += digits();
  }
  // AWS keeps 38 digits.
  if (count == 0 || count > 38) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    sign();
    const std::size_t exponent = digits();
    if (exponent == 0 || exponent > 3) return false;
  }
  return text.empty();
}

base::Result<void> check_attribute_name(const std::string& name) {
  bool characters = true;
  for (std::string_view rest = name; characters && !rest.empty();) {
    const auto c = next_character(rest);
    // AWS also takes the accented letters of Latin-1 and Latin Extended-A.
    characters =
        c.has_value() && ((*c < 0x80 && std::isalnum(static_cast<int>(*c)) != 0) || *c == '-' ||
                          *c == '_' || *c == '.' || (*c >= 0xc0 && *c <= 0x17f));
  }
  if (name.empty() || name.size() > kAttributeNameMax || !characters || name.starts_with('.') ||
      name.ends_with('.') || name.find("..") != std::string::npos) {
    return invalid("Message (user) attribute name '" + name.substr(0, kAttributeNameMax) +
                   "' is invalid. It can contain only A-Z, a-z, 0-9, underscores, hyphens and "
                   "periods, at most 256, no period first, last or after another.");
  }
  const std::string lower = base::to_lower(name);
  if (lower.starts_with("aws.") || lower.starts_with("amazon.")) {
    return invalid("Message (user) attribute name '" + name +
                   "' is invalid. Names that start with AWS. or Amazon. are reserved.");
  }
  return {};
}

// The type and value of either kind of attribute.
template <class Value>
base::Result<StoredAttribute> check_value(const std::string& name, Value& given) {
  if (given.string_list_values.has_value() || given.binary_list_values.has_value()) {
    return base::fail(errors::kUnsupportedOperation,
                      "Message attribute list values in SendMessage operation are not supported.");
  }
  if (given.data_type.empty()) {
    return invalid("The message attribute '" + name +
                   "' must contain non-empty message attribute type.");
  }
  const std::string base_type = given.data_type.substr(0, given.data_type.find('.'));
  if (base_type != "String" && base_type != "Number" && base_type != "Binary") {
    return invalid("The type of message (user) attribute '" + name +
                   "' is invalid. You must use only the following supported type prefixes: "
                   "Binary, Number, String.");
  }
  if (given.data_type.size() > kAttributeTypeMax || !check_body(given.data_type).has_value()) {
    return invalid("The type of message (user) attribute '" + name + "' is invalid.");
  }
  StoredAttribute out{std::move(given.data_type), {}};
  const bool binary = base_type == "Binary";
  auto& value = binary ? given.binary_value : given.string_value;
  const auto& other = binary ? given.string_value : given.binary_value;
  if (!value.has_value() || value->empty() || (other.has_value() && !other->empty())) {
    return invalid("Message (user) attribute '" + name +
                   "' must contain a non-empty value of type '" + base_type + "'.");
  }
  if (base_type == "Number" && !is_number(*value)) {
    return invalid("Can't cast the value of message (user) attribute '" + name + "' to a number.");
  }
  if (base_type == "String") {
    const auto good = check_body(*value);
    if (!good.has_value()) return invalid(good.error().message);
  }
  out.value = std::move(*value);
  return out;
}

base::Result<void> add_attributes(MessageInput& input, CheckedMessage& out) {
  if (!input.attributes.has_value()) return {};
  if (input.attributes->size() > kMessageAttributesMax) {
    return invalid("Number of message attributes [" + std::to_string(input.attributes->size()) +
                   "] exceeds the allowed maximum [10].");
  }
  for (auto& [name, value] : *input.attributes) {
    TRY_VOID(check_attribute_name(name));
    TRY(StoredAttribute attribute, check_value(name, value));
    out.bytes += name.size() + attribute.type.size() + attribute.value.size();
    out.record.attributes.emplace(name, std::move(attribute));
  }
  if (!out.record.attributes.empty()) {
    out.md5_of_attributes = md5_of_attributes(out.record.attributes);
  }
  return {};
}

base::Result<void> add_system_attributes(MessageInput& input, CheckedMessage& out) {
  if (!input.system_attributes.has_value()) return {};
  for (auto& [name, value] : *input.system_attributes) {
    if (name != kTraceHeader) {
      return invalid("Message system attribute name '" + name +
                     "' is invalid. The only one that can be sent is AWSTraceHeader.");
    }
    TRY(StoredAttribute attribute, check_value(name, value));
    if (attribute.type != "String" || attribute.value.size() > 1'024) {
      return invalid("Message system attribute 'AWSTraceHeader' must be a String.");
    }
    out.md5_of_system_attributes = md5_of_attributes({{name, attribute}});
    out.record.trace_header = std::move(attribute.value);
  }
  return {};
}

bool is_fifo_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 &&
         std::ranges::all_of(id, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

base::Result<void> check_fifo_id(const std::optional<std::string>& id, std::string_view parameter) {
  if (!id.has_value() || is_fifo_id(*id)) return {};
  return invalid_parameter(
      *id, parameter,
      std::string(parameter) +
          " can only include alphanumeric and punctuation characters. 1 to 128 "
          "in length.");
}

std::unexpected<base::Error> not_for_this_type(std::string_view value, std::string_view parameter) {
  return invalid_parameter(value, parameter,
                           "The request include parameter that is not valid for this queue type.");
}

base::Result<void> add_standard(MessageInput& input, const Settings& settings,
                                CheckedMessage& out) {
  if (input.deduplication_id.has_value()) {
    return not_for_this_type(*input.deduplication_id, "MessageDeduplicationId");
  }
  TRY_VOID(check_fifo_id(input.group_id, "MessageGroupId"));
  out.record.group_id = std::move(input.group_id).value_or("");
  out.delay = settings.delay;
  if (input.delay_seconds.has_value()) {
    TRY(out.delay, check_delay(*input.delay_seconds));
  }
  return {};
}

base::Result<void> add_fifo(MessageInput& input, const Settings& settings, CheckedMessage& out) {
  if (input.delay_seconds.value_or(0) != 0) {
    return not_for_this_type(std::to_string(*input.delay_seconds), "DelaySeconds");
  }
  TRY_VOID(check_fifo_input(input.group_id, input.deduplication_id, settings));
  TRY_VOID(check_fifo_id(input.group_id, "MessageGroupId"));
  TRY_VOID(check_fifo_id(input.deduplication_id, "MessageDeduplicationId"));
  out.delay = settings.delay;
  out.record.group_id = *std::move(input.group_id);
  out.record.deduplication_id =
      input.deduplication_id.has_value()
          ? *std::move(input.deduplication_id)
          : base::hex_encode(base::digest(base::DigestKind::Sha256, input.body));
  return {};
}

}  // namespace

base::Result<void> check_fifo_input(const std::optional<std::string>& group_id,
                                    const std::optional<std::string>& deduplication_id,
                                    const Settings& settings) {
  if (!settings.fifo) return {};
  if (!group_id.has_value() || group_id->empty()) {
    return base::fail(errors::kMissingParameter,
                      "The request must contain the parameter MessageGroupId.");
  }
  if (!deduplication_id.has_value() && !settings.content_based_deduplication) {
    return invalid(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
        "provided explicitly");
  }
  return {};
}

std::string deduplication_digest(const MessageRecord& message, bool by_group) {
  std::string text = by_group ? message.group_id + '\0' : std::string();
  return base::digest(base::DigestKind::Sha256, text + message.deduplication_id).substr(0, 16);
}

std::string sequence_number_text(std::uint64_t sequence) {
  // Twenty digits, as AWS's have.
  constexpr std::uint64_t kFirst = 18'000'000'000'000'000'000U;
  return std::to_string(kFirst + sequence);
}

base::Result<void> check_body(std::string_view body) {
  while (!body.empty()) {
    const auto character = next_character(body);
    if (character.has_value() && allowed(*character)) continue;
    const std::string shown =
        character.has_value()
            ? fmt::format("#x{:x}", static_cast<std::uint32_t>(*character))
            : fmt::format("byte #x{:x}", static_cast<unsigned char>(body.front()));
    return base::fail(errors::kInvalidMessageContents,
                      "Invalid binary character '" + shown +
                          "' was found in the message body, the set of allowed characters is #x9 "
                          "| #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF");
  }
  return {};
}

std::string md5_of_attributes(const std::map<std::string, StoredAttribute>& attributes) {
  base::Digest digest(base::DigestKind::Md5);
  for (const auto& [name, attribute] : attributes) {
    std::string text;
    put_text(text, name, 4);
    put_text(text, attribute.type, 4);
    put_number(text, attribute.binary() ? 2 : 1, 1);
    put_text(text, attribute.value, 4);
    digest.update(text);
  }
  return base::hex_encode(digest.finish());
}

base::Result<std::chrono::seconds> check_delay(std::int32_t seconds) {
  if (seconds < 0 || seconds > kDelayMax.count()) {
    return invalid_parameter(std::to_string(seconds), "DelaySeconds",
                             "DelaySeconds must be >= 0 and <= 900.");
  }
  return std::chrono::seconds(seconds);
}

base::Result<std::chrono::seconds> check_visibility(std::int32_t seconds) {
  if (seconds < 0 || seconds > kVisibilityMax.count()) {
    return invalid_parameter(std::to_string(seconds), "VisibilityTimeout",
                             "VisibilityTimeout must be an integer between 0 and 43200.");
  }
  return std::chrono::seconds(seconds);
}

base::Result<CheckedMessage> check_message(MessageInput input, const Settings& settings) {
  CheckedMessage out;
  if (input.body.empty()) {
    return base::fail(errors::kMissingParameter,
                      "The request must contain the parameter MessageBody.");
  }
  TRY_VOID(settings.fifo ? add_fifo(input, settings, out) : add_standard(input, settings, out));
  out.bytes = input.body.size();
  TRY_VOID(add_attributes(input, out));
  TRY_VOID(add_system_attributes(input, out));
  if (out.bytes > settings.message_bytes_max) {
    return invalid("One or more parameters are invalid. Reason: Message must be shorter than " +
                   std::to_string(settings.message_bytes_max) + " bytes.");
  }
  TRY_VOID(check_body(input.body));
  out.record.md5_of_body = base::hex_encode(base::digest(base::DigestKind::Md5, input.body));
  out.record.body = std::move(input.body);
  return out;
}

base::Result<Selection> Selection::parse(const std::vector<std::string>& system_names,
                                         const std::vector<std::string>& message_names) {
  static constexpr std::string_view kSystem[] = {
      "ApproximateFirstReceiveTimestamp",
      "ApproximateReceiveCount",
      "AWSTraceHeader",
      "DeadLetterQueueSourceArn",
      "MessageDeduplicationId",
      "MessageGroupId",
      "SenderId",
      "SentTimestamp",
      "SequenceNumber",
  };
  Selection out;
  for (const std::string& name : system_names) {
    if (name == "All") {
      out.all_system_ = true;
    } else if (std::ranges::find(kSystem, name) != std::end(kSystem)) {
      out.system_.insert(name);
    } else {
      return base::fail(errors::kInvalidAttributeName, "Unknown Attribute " + name + ".");
    }
  }
  for (const std::string& name : message_names) {
    if (name == "All" || name == ".*" || name == "*") {
      out.all_message_ = true;
    } else if (name.ends_with(".*")) {
      out.prefixes_.push_back(name.substr(0, name.size() - 2));
    } else {
      out.message_.insert(name);
    }
  }
  return out;
}

bool Selection::message(std::string_view name) const {
  return all_message_ || message_.contains(name) ||
         std::ranges::any_of(
             prefixes_, [name](const std::string& prefix) { return name.starts_with(prefix); });
}

base::Result<void> check_batch_ids(const std::vector<std::string_view>& ids,
                                   std::string_view entry_name) {
  if (ids.empty()) {
    return base::fail(errors::kEmptyBatchRequest, "There should be at least one " +
                                                      std::string(entry_name) + " in the request.");
  }
  if (ids.size() > kBatchEntriesMax) {
    return base::fail(errors::kTooManyEntriesInBatchRequest,
                      "Maximum number of entries per request are 10. You have sent " +
                          std::to_string(ids.size()) + ".");
  }
  std::set<std::string_view> seen;
  for (const std::string_view id : ids) {
    const bool good =
        !id.empty() && id.size() <= 80 && std::ranges::all_of(id, [](unsigned char c) {
          return std::isalnum(c) != 0 || c == '-' || c == '_';
        });
    if (!good) {
      return base::fail(errors::kInvalidBatchEntryId,
                        "A batch entry id can only contain alphanumeric characters, hyphens and "
                        "underscores. It can be at most 80 letters long.");
    }
    if (!seen.insert(id).second) {
      return base::fail(errors::kBatchEntryIdsNotDistinct, "Id " + std::string(id) + " repeated.");
    }
  }
  return {};
}

}  // namespace terrarium::sqs
