#include "terrarium/services/iam/rules.h"

#include <algorithm>
#include <charconv>

#include "generated/iam/errors.h"
#include "lib/aws/arn.h"
#include "lib/base/encoding.h"

namespace terrarium::iam {
namespace {

using base::Result;

constexpr std::string_view kNameExtras = "_+=,.@-";
constexpr std::size_t kPathLengthMax = 512;
constexpr std::size_t kTagKeyLengthMax = 128;
constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kIdLetters = 17;
constexpr std::size_t kKeyIdLetters = 16;
constexpr std::string_view kSecretAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kSecretLetters = 40;
constexpr std::string_view kTagPattern = R"([\p{L}\p{Z}\p{N}_.:/=+\-@]+)";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_tag_text(std::string_view text) {
  static constexpr std::string_view kExtras = " _.:/=+-@";
  return std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || kExtras.contains(c) || static_cast<unsigned char>(c) >= 0x80;
  });
}

bool is_same(std::string_view a, std::string_view b, TagCase tag_case) {
  return tag_case == TagCase::Matters ? a == b : base::equals_ignoring_case(a, b);
}

Result<void> check_tag(const Tag& tag, std::size_t number) {
  const std::pair<std::string_view, std::string_view> parts[] = {{"key", tag.key},
                                                                 {"value", tag.value}};
  for (const auto& [member, text] : parts) {
    if (is_tag_text(text)) continue;
    return base::fail(errors::kValidationError,
                      "1 validation error detected: Value at 'tags." + std::to_string(number) +
                          ".member." + std::string(member) +
                          "' failed to satisfy constraint: Member must satisfy regular expression "
                          "pattern: " +
                          std::string(kTagPattern));
  }
  if (tag.key.starts_with("aws:")) {
    return base::fail(errors::kInvalidInputException,
                      "Tag keys that begin with aws: are reserved for system use.");
  }
  return {};
}

}  // namespace

Result<void> check_name(std::string_view name, std::string_view member) {
  const bool ok = !name.empty() && std::ranges::all_of(name, [](char c) {
    return is_letter_or_digit(c) || kNameExtras.contains(c);
  });
  if (ok) return {};
  return base::fail(errors::kValidationError,
                    "The specified value for " + std::string(member) +
                        " is invalid. It must contain only alphanumeric characters and/or the "
                        "following: +=,.@_-");
}

Result<std::string> check_path(const std::optional<std::string>& path) {
  const std::string text = path.value_or("/");
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
  if (!text.empty() && text.size() <= kPathLengthMax && text.front() == '/' && text.back() == '/' &&
      printable) {
    return text;
  }
  return base::fail(errors::kValidationError,
                    "The specified value for path is invalid. It must begin and end with / and "
                    "contain only alphanumeric characters and/or / characters.");
}

Result<void> add_tags(Tags& tags, const std::vector<Tag>& add, TagCase tag_case) {
  for (std::size_t i = 0; i < add.size(); ++i) {
    TRY_VOID(check_tag(add[i], i + 1));
    const bool doubled =
        std::any_of(add.begin(), add.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const Tag& other) { return is_same(other.key, add[i].key, tag_case); });
    if (doubled) {
      return base::fail(
          errors::kInvalidInputException,
          tag_case == TagCase::Matters
              ? "Duplicate tag keys found."
              : "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
  }
  for (const Tag& tag : add) {
    const auto there = std::ranges::find_if(
        tags, [&](const auto& old) { return is_same(old.first, tag.key, tag_case); });
    if (there == tags.end()) {
      tags.emplace_back(tag.key, tag.value);
    } else {
      *there = {tag.key, tag.value};
    }
  }
  if (tags.size() > kTagsMax) {
    return base::fail(errors::kLimitExceededException,
                      "The number of tags has reached the maximum limit.");
  }
  return {};
}

Result<void> remove_tags(Tags& tags, const std::vector<std::string>& keys, TagCase tag_case) {
  for (const std::string& key : keys) {
    if (!key.empty() && key.size() <= kTagKeyLengthMax && is_tag_text(key)) continue;
    return base::fail(errors::kValidationError,
                      "1 validation error detected: Value at 'tagKeys' failed to satisfy "
                      "constraint: Member must satisfy constraint: [Member must have length less "
                      "than or equal to 128, Member must have length greater than or equal to 1, "
                      "Member must satisfy regular expression pattern: " +
                          std::string(kTagPattern) + ", Member must not be null]");
  }
  std::erase_if(tags, [&](const auto& tag) {
    return std::ranges::any_of(
        keys, [&](const std::string& key) { return is_same(tag.first, key, tag_case); });
  });
  return {};
}

std::vector<Tag> to_answer(const Tags& tags) {
  std::vector<Tag> out;
  for (const auto& [key, text] : tags) out.push_back({key, text});
  return out;
}

std::string new_id(base::Random& random, std::string_view prefix) {
  return std::string(prefix) + random.text(kIdLetters, kIdAlphabet);
}

std::string new_key_id(base::Random& random, std::string_view prefix) {
  return std::string(prefix) + random.text(kKeyIdLetters, kIdAlphabet);
}

std::string new_secret(base::Random& random) {
  return random.text(kSecretLetters, kSecretAlphabet);
}

Result<RoleName> parse_role_arn(std::string_view text) {
  const auto arn = aws::Arn::parse(text);
  constexpr std::string_view kRole = "role/";
  if (!arn || arn->service != "iam" || !arn->resource.starts_with(kRole) ||
      arn->resource.size() == kRole.size() || arn->resource.ends_with('/')) {
    return base::fail(errors::kValidationError, std::string(text) + " is invalid");
  }
  const std::string rest = arn->resource.substr(kRole.size() - 1);
  const std::size_t slash = rest.rfind('/');
  return RoleName{arn->account, rest.substr(0, slash + 1), rest.substr(slash + 1)};
}

std::string marker_of(std::string_view last) { return base::base64_encode(last); }

Result<std::string> parse_marker(std::string_view marker) {
  auto last = base::base64_decode(marker);
  if (!last || last->empty()) {
    return base::fail(errors::kValidationError, "Invalid Marker.");
  }
  return *std::move(last);
}

Result<Slice> slice(std::size_t size, const std::optional<std::string>& marker,
                    std::optional<std::int32_t> max_items) {
  Slice part;
  if (marker) {
    TRY(const std::string text, parse_marker(*marker));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part.first);
    if (error != std::errc() || end != text.data() + text.size()) {
      return base::fail(errors::kValidationError, "Invalid Marker.");
    }
    part.first = std::min(part.first, size);
  }
  const auto limit = static_cast<std::size_t>(max_items.value_or(kListItemsDefault));
  part.last = std::min(size, part.first + limit);
  if (part.last < size) part.marker = marker_of(std::to_string(part.last));
  return part;
}

}  // namespace terrarium::iam
