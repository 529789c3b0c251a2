// IAM's rules that need no records: names, paths, tags, ids, ARNs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generated/iam/model.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "terrarium/services/iam/records.h"

namespace terrarium::iam {

// Letters, digits and _+=,.@- as AWS has it; ValidationError naming `member` otherwise.
base::Result<void> check_name(std::string_view name, std::string_view member);
// Begins and ends with '/'.
base::Result<std::string> check_path(const std::optional<std::string>& path);

// The tags of policies are told apart by case, those of everything else are not.
enum class TagCase : std::uint8_t { Matters, Ignored };
// Adds `add`; refuses malformed, doubled or too many.
base::Result<void> add_tags(Tags& tags, const std::vector<Tag>& add, TagCase tag_case);
base::Result<void> remove_tags(Tags& tags, const std::vector<std::string>& keys, TagCase tag_case);
std::vector<Tag> to_answer(const Tags& tags);

// "AIDA" and 17 letters and digits.
std::string new_id(base::Random& random, std::string_view prefix);
// 20 characters: "AKIA" or "ASIA" and 16 more.
std::string new_key_id(base::Random& random, std::string_view prefix);
std::string new_secret(base::Random& random);

struct RoleName {
  std::string account;
  std::string path;
  std::string name;
};
// "arn:aws:iam::123456789012:role/path/name"
base::Result<RoleName> parse_role_arn(std::string_view arn);

// One page of `all`: markers are ours, opaque to callers.
template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> marker;
};
std::string marker_of(std::string_view last);
base::Result<std::string> parse_marker(std::string_view marker);
struct Slice {
  std::size_t first = 0;
  std::size_t last = 0;
  std::optional<std::string> marker;
};
base::Result<Slice> slice(std::size_t size, const std::optional<std::string>& marker,
                          std::optional<std::int32_t> max_items);
template <class T>
base::Result<Page<T>> page_of(std::vector<T> all, const std::optional<std::string>& marker,
                              std::optional<std::int32_t> max_items) {
  TRY(Slice part, slice(all.size(), marker, max_items));
  const auto at = [&all](std::size_t i) { return all.begin() + static_cast<std::ptrdiff_t>(i); };
  return Page<T>{{std::make_move_iterator(at(part.first)), std::make_move_iterator(at(part.last))},
                 std::move(part.marker)};
}
template <class Response, class T>
void finish(Response& response, const Page<T>& page) {
  response.is_truncated = page.marker.has_value();
  response.marker = page.marker;
}

}  // namespace terrarium::iam
