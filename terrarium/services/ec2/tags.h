// Tags: AWS's rules for them, and the tags that a request gives what it makes.
// Source: "Tag your Amazon EC2 resources", Amazon EC2 User Guide.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/records.h"

namespace terrarium::ec2 {

inline constexpr std::size_t kTagsMax = 50;
inline constexpr std::size_t kTagKeyCharactersMax = 127;
inline constexpr std::size_t kTagValueCharactersMax = 256;

// `tags` with those of a request added or replaced. A key twice, too long, or beginning with
// "aws:" is refused.
base::Result<Tags> add_tags(Tags tags, const std::vector<Tag>& more);

// The tags that `specifications` gives to resources of `type` ("vpc"). A type that the operation
// does not make is refused: `types` are those it makes.
base::Result<Tags> tags_for(const std::optional<std::vector<TagSpecification>>& specifications,
                            std::string_view type, std::span<const std::string_view> types);
base::Result<Tags> tags_for(const std::optional<std::vector<TagSpecification>>& specifications,
                            std::string_view type);

// Nothing when there are none: AWS leaves an empty set out.
std::vector<Tag> tag_list(const Tags& tags);

}  // namespace terrarium::ec2
