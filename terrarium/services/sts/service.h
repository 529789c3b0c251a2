// STS: who calls, and temporary credentials. Keeps nothing: IAM does. On the control executor.
#pragma once

#include "generated/sts/model.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "terrarium/services/iam/api.h"
#include "terrarium/wire/service.h"

namespace terrarium::sts {

class Service {
 public:
  // `iam` outlives the service.
  explicit Service(iam::Api& iam) : iam_(iam) {}

  runtime::Task<base::Result<GetCallerIdentityResponse>> get_caller_identity(
      const wire::Context&, GetCallerIdentityRequest);
  runtime::Task<base::Result<AssumeRoleResponse>> assume_role(const wire::Context&,
                                                              AssumeRoleRequest);

 private:
  iam::Api& iam_;
};

}  // namespace terrarium::sts
