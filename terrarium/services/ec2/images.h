// The operations of images and snapshots: rules in image_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class Images {
 public:
  explicit Images(Core& core) : core_(core) {}

  EC2_OPERATION(create_image, CreateImageRequest, CreateImageResult);
  EC2_OPERATION(register_image, RegisterImageRequest, RegisterImageResult);
  EC2_OPERATION(copy_image, CopyImageRequest, CopyImageResult);
  EC2_OPERATION(deregister_image, DeregisterImageRequest, wire::Empty);
  EC2_OPERATION(describe_images, DescribeImagesRequest, DescribeImagesResult);
  EC2_OPERATION(describe_snapshots, DescribeSnapshotsRequest, DescribeSnapshotsResult);
  EC2_OPERATION(describe_image_attribute, DescribeImageAttributeRequest, ImageAttribute);
  EC2_OPERATION(modify_image_attribute, ModifyImageAttributeRequest, wire::Empty);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
