// Errors that every AWS service shares. Each service's own are generated (generated/<service>/
// errors.h) from the model and its amendments.json.
#pragma once

#include "lib/base/result.h"

namespace terrarium::wire::errors {

inline constexpr base::ErrorRow kAccessDenied{"AccessDenied", 403, {}};
inline constexpr base::ErrorRow kIncompleteSignature{"IncompleteSignature", 400, {}};
inline constexpr base::ErrorRow kInternalFailure{"InternalFailure", 500, {}};
inline constexpr base::ErrorRow kInvalidAction{"InvalidAction", 400, {}};
inline constexpr base::ErrorRow kInvalidClientTokenId{"InvalidClientTokenId", 403, {}};
inline constexpr base::ErrorRow kInvalidParameterValue{"InvalidParameterValue", 400, {}};
inline constexpr base::ErrorRow kMalformedQueryString{"MalformedQueryString", 404, {}};
inline constexpr base::ErrorRow kMissingAction{"MissingAction", 400, {}};
inline constexpr base::ErrorRow kMissingAuthenticationToken{"MissingAuthenticationToken", 403, {}};
inline constexpr base::ErrorRow kMissingParameter{"MissingParameter", 400, {}};
inline constexpr base::ErrorRow kNotImplemented{"NotImplemented", 501, {}};
inline constexpr base::ErrorRow kRequestExpired{"RequestExpired", 400, {}};
inline constexpr base::ErrorRow kSerializationException{"SerializationException", 400, {}};
inline constexpr base::ErrorRow kServiceUnavailable{"ServiceUnavailable", 503, {}};
inline constexpr base::ErrorRow kSignatureDoesNotMatch{"SignatureDoesNotMatch", 403, {}};
inline constexpr base::ErrorRow kThrottling{"Throttling", 400, {}};
inline constexpr base::ErrorRow kUnknownOperation{"UnknownOperationException", 404, {}};
inline constexpr base::ErrorRow kValidationException{"ValidationException", 400, {}};

}  // namespace terrarium::wire::errors
