// The rules of tags on every kind of record; tags.h has what one tag may be.
// Source: CreateTags, DeleteTags, DescribeTags, Amazon EC2 API Reference.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::size_t kTaggedResourcesMax = 1000;  // in one request

// All resources are tagged, or none.
base::Result<wire::Empty> create_tags(Transaction& transaction, const CreateTagsRequest& request);
// A tag with a value goes when it has that value; without tags, all of the user's own go.
base::Result<wire::Empty> delete_tags(Transaction& transaction, const DeleteTagsRequest& request);
// "instance" for "i-0a1b2c3d4e5f60718"; empty for what is no id of these kinds.
std::string_view resource_type_of(const std::string& id);
// Of any kind of record; null when there is none of this id.
const Tags* tags_of(const State& state, const std::string& id);
base::Result<DescribeTagsResult> describe_tags(const State& state,
                                               const DescribeTagsRequest& request);

}  // namespace terrarium::ec2
