#include "terrarium/services/ec2/images.h"

#include "terrarium/services/ec2/image_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<CreateImageResult>> Images::create_image(const wire::Context& context,
                                                     CreateImageRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_image(transaction, request);
                      });
}

Task<Result<RegisterImageResult>> Images::register_image(const wire::Context& context,
                                                         RegisterImageRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::register_image(transaction, request);
                      });
}

Task<Result<CopyImageResult>> Images::copy_image(const wire::Context& context,
                                                 CopyImageRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::copy_image(transaction, request);
                      });
}

Task<Result<wire::Empty>> Images::deregister_image(const wire::Context& context,
                                                   DeregisterImageRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::deregister_image(transaction, request);
                      });
}

Task<Result<DescribeImagesResult>> Images::describe_images(const wire::Context& context,
                                                           DescribeImagesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_images(*state, core_.config().account, request);
}

Task<Result<DescribeSnapshotsResult>> Images::describe_snapshots(const wire::Context& context,
                                                                 DescribeSnapshotsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_snapshots(*state, core_.config().account, request);
}

Task<Result<ImageAttribute>> Images::describe_image_attribute(
    const wire::Context& context, DescribeImageAttributeRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_image_attribute(*state, core_.config().account, request);
}

Task<Result<wire::Empty>> Images::modify_image_attribute(const wire::Context& context,
                                                         ModifyImageAttributeRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::modify_image_attribute(transaction, request);
                      });
}

}  // namespace terrarium::ec2
