#include "terrarium/services/ec2/tag_operations.h"

#include "terrarium/services/ec2/tag_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<wire::Empty>> TagOperations::create_tags(const wire::Context& context,
                                                     CreateTagsRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_tags(transaction, request);
                      });
}

Task<Result<wire::Empty>> TagOperations::delete_tags(const wire::Context& context,
                                                     DeleteTagsRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_tags(transaction, request);
                      });
}

Task<Result<DescribeTagsResult>> TagOperations::describe_tags(const wire::Context& context,
                                                              DescribeTagsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_tags(*state, request);
}

}  // namespace terrarium::ec2
