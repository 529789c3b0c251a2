// The rules of images and of the snapshots below them. An image is the layers of its disk; what
// CreateImage records as pending, the keeper saves. Pure.
// Source: "Amazon Machine Images", Amazon EC2 User Guide.
#pragma once

#include <set>
#include <string>

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::string_view kAmazonAccount = "137112412989";

// Pending, until image_saved() or image_failed().
base::Result<CreateImageResult> create_image(Transaction& transaction,
                                             const CreateImageRequest& request);
// From a snapshot of an image of this region.
base::Result<RegisterImageResult> register_image(Transaction& transaction,
                                                 const RegisterImageRequest& request);
// Within the region.
base::Result<CopyImageResult> copy_image(Transaction& transaction, const CopyImageRequest& request);
// Its snapshot goes with it, unless another image has the same.
base::Result<wire::Empty> deregister_image(Transaction& transaction,
                                           const DeregisterImageRequest& request);
base::Result<DescribeImagesResult> describe_images(const State& state, const std::string& account,
                                                   const DescribeImagesRequest& request);
base::Result<DescribeSnapshotsResult> describe_snapshots(const State& state,
                                                         const std::string& account,
                                                         const DescribeSnapshotsRequest& request);
// Of the account's own images only.
base::Result<ImageAttribute> describe_image_attribute(const State& state,
                                                      const std::string& account,
                                                      const DescribeImageAttributeRequest& request);
base::Result<wire::Empty> modify_image_attribute(Transaction& transaction,
                                                 const ModifyImageAttributeRequest& request);

// What the keeper found out; an image that is no longer pending is left as it is. A saved one's
// instance is rebooted when CreateImage asked for it.
base::Result<void> image_saved(Transaction& transaction, const ImageId& id);
base::Result<void> image_failed(Transaction& transaction, const ImageId& id,
                                const std::string& why);
// Layers that an image or an instance lies on.
void add_layers_in_use(const State& state, std::set<std::string>& layers);

}  // namespace terrarium::ec2
