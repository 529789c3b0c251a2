// The rules of key pairs. Only CreateKeyPair's answer ever holds the private key.
// Source: "Amazon EC2 key pairs and Amazon EC2 instances", Amazon EC2 User Guide.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::size_t kKeyPairsMax = 5000;  // of a region

// Makes the key too: some 50 ms for RSA.
base::Result<KeyPair> create_key_pair(Transaction& transaction,
                                      const CreateKeyPairRequest& request);
base::Result<ImportKeyPairResult> import_key_pair(Transaction& transaction,
                                                  const ImportKeyPairRequest& request);
base::Result<DescribeKeyPairsResult> describe_key_pairs(const State& state,
                                                        const DescribeKeyPairsRequest& request);
// By name or id; one that does not exist is gone already.
base::Result<DeleteKeyPairResult> delete_key_pair(Transaction& transaction,
                                                  const DeleteKeyPairRequest& request);

}  // namespace terrarium::ec2
