// The operations of tags: rules in tag_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class TagOperations {
 public:
  explicit TagOperations(Core& core) : core_(core) {}

  EC2_OPERATION(create_tags, CreateTagsRequest, wire::Empty);
  EC2_OPERATION(delete_tags, DeleteTagsRequest, wire::Empty);
  EC2_OPERATION(describe_tags, DescribeTagsRequest, DescribeTagsResult);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
