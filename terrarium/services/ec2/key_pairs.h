// The operations of key pairs: rules in key_pair_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class KeyPairs {
 public:
  explicit KeyPairs(Core& core) : core_(core) {}

  EC2_OPERATION(create_key_pair, CreateKeyPairRequest, KeyPair);
  EC2_OPERATION(import_key_pair, ImportKeyPairRequest, ImportKeyPairResult);
  EC2_OPERATION(describe_key_pairs, DescribeKeyPairsRequest, DescribeKeyPairsResult);
  EC2_OPERATION(delete_key_pair, DeleteKeyPairRequest, DeleteKeyPairResult);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
