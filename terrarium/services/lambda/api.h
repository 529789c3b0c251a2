// What the rest of the region asks of Lambda: S3 invokes functions with its notifications.
//
// Any executor may call: each call hops to the service's own and comes back. Functions are named by
// ARN, with or without a qualifier (":live", ":3"). Errors are Lambda's rows; a function that is
// not there is ResourceNotFoundException, one whose policy does not allow the caller
// AccessDeniedException.
#pragma once

#include <string>

#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::lambda {

// A service of the region that invokes on behalf of a resource: what the Principal of a function's
// policy and its aws:SourceArn and aws:SourceAccount conditions are checked against.
struct InvokingService {
  std::string principal;       // "s3.amazonaws.com"
  std::string source_arn;      // "arn:aws:s3:::bucket"
  std::string source_account;  // "000000000000"
};

class Api {
 public:
  virtual ~Api() = default;

  // Invocation type Event: accepted, and on disk, when it returns.
  virtual runtime::Task<base::Result<void>> invoke_later(InvokingService from,
                                                         std::string function_arn,
                                                         std::string payload) = 0;
  // Whether invoke_later() would be accepted now.
  virtual runtime::Task<base::Result<void>> check_can_invoke(InvokingService from,
                                                             std::string function_arn) = 0;
};

}  // namespace terrarium::lambda
