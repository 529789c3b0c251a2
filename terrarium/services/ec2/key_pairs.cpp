#include "terrarium/services/ec2/key_pairs.h"

#include "terrarium/services/ec2/key_pair_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<KeyPair>> KeyPairs::create_key_pair(const wire::Context& context,
                                                CreateKeyPairRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_key_pair(transaction, request);
                      });
}

Task<Result<ImportKeyPairResult>> KeyPairs::import_key_pair(const wire::Context& context,
                                                            ImportKeyPairRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::import_key_pair(transaction, request);
                      });
}

Task<Result<DescribeKeyPairsResult>> KeyPairs::describe_key_pairs(const wire::Context& context,
                                                                  DescribeKeyPairsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_key_pairs(*state, request);
}

Task<Result<DeleteKeyPairResult>> KeyPairs::delete_key_pair(const wire::Context& context,
                                                            DeleteKeyPairRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_key_pair(transaction, request);
                      });
}

}  // namespace terrarium::ec2
