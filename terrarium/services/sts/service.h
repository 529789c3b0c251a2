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
  explicit Service(iam::Sessions& iam) : iam_(iam) {}

  template <class T>
  using Answer = runtime::Task<base::Result<T>>;
  using Context = wire::Context;

  Answer<GetCallerIdentityResponse> get_caller_identity(const Context&, GetCallerIdentityRequest);
  Answer<AssumeRoleResponse> assume_role(const Context&, AssumeRoleRequest);
  Answer<GetSessionTokenResponse> get_session_token(const Context&, GetSessionTokenRequest);
  Answer<GetFederationTokenResponse> get_federation_token(const Context&,
                                                          GetFederationTokenRequest);
  Answer<GetAccessKeyInfoResponse> get_access_key_info(const Context&, GetAccessKeyInfoRequest);
  Answer<AssumeRoleWithSAMLResponse> assume_role_with_saml(const Context&,
                                                           AssumeRoleWithSAMLRequest);
  Answer<AssumeRoleWithWebIdentityResponse> assume_role_with_web_identity(
      const Context&, AssumeRoleWithWebIdentityRequest);
  Answer<DecodeAuthorizationMessageResponse> decode_authorization_message(
      const Context&, DecodeAuthorizationMessageRequest);

 private:
  base::Result<void> check_policies(const iam::SessionLimits& limits) const;

  iam::Sessions& iam_;
};

}  // namespace terrarium::sts
