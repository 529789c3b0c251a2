// AWS's names for what is wrong with a signature. Used by sigv4_parse.cpp and sigv4_verify.cpp
// only.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "lib/aws/sigv4.h"
#include "lib/base/result.h"

namespace aws::signature_errors {

inline constexpr base::ErrorRow kIncompleteSignature{"IncompleteSignature", 400, {}};
inline constexpr base::ErrorRow kSignatureDoesNotMatch{"SignatureDoesNotMatch", 403, {}};
// S3's own.
inline constexpr base::ErrorRow kAccessDenied{"AccessDenied", 403, {}};
inline constexpr base::ErrorRow kAuthorizationHeaderMalformed{
    "AuthorizationHeaderMalformed", 400, {}};
inline constexpr base::ErrorRow kAuthorizationQueryParametersError{
    "AuthorizationQueryParametersError", 400, {}};
inline constexpr base::ErrorRow kContentSha256Mismatch{"XAmzContentSHA256Mismatch", 400, {}};
inline constexpr base::ErrorRow kInvalidArgument{"InvalidArgument", 400, {}};
inline constexpr base::ErrorRow kInvalidRequest{"InvalidRequest", 400, {}};
inline constexpr base::ErrorRow kRequestTimeTooSkewed{"RequestTimeTooSkewed", 403, {}};

inline std::unexpected<AuthenticationError> refuse(AuthenticationFailure failure,
                                                   const base::ErrorRow& row, std::string message,
                                                   std::string headers_not_signed = {}) {
  AuthenticationError error;
  error.failure = failure;
  error.row = &row;
  error.message = std::move(message);
  error.headers_not_signed = std::move(headers_not_signed);
  return std::unexpected(std::move(error));
}

}  // namespace aws::signature_errors
