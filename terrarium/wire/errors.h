// Errors that every AWS service shares, by protocol family. Each service's own are generated
// (generated/<service>/errors.h) from the model and its amendments.json.
#pragma once

#include "lib/base/result.h"

namespace terrarium::wire::errors {

inline constexpr base::ErrorRow kAccessDenied{"AccessDenied", 403, {}};
inline constexpr base::ErrorRow kAccessDeniedException{"AccessDeniedException", 400,
                                                       "AccessDenied"};
inline constexpr base::ErrorRow kInternalFailure{"InternalFailure", 500, {}};
inline constexpr base::ErrorRow kInvalidAction{"InvalidAction", 400, {}};
inline constexpr base::ErrorRow kInvalidParameterValue{"InvalidParameterValue", 400, {}};
inline constexpr base::ErrorRow kMalformedQueryString{"MalformedQueryString", 400, {}};
inline constexpr base::ErrorRow kMissingAction{"MissingAction", 400, {}};
inline constexpr base::ErrorRow kMissingParameter{"MissingParameter", 400, {}};
inline constexpr base::ErrorRow kNotFound{"ResourceNotFound", 404, {}};
inline constexpr base::ErrorRow kNotImplemented{"NotImplemented", 501, {}};
inline constexpr base::ErrorRow kRequestEntityTooLarge{"RequestEntityTooLarge", 413, {}};
inline constexpr base::ErrorRow kRequestTimeout{"RequestTimeout", 400, {}};
inline constexpr base::ErrorRow kResourceConflict{"ResourceConflictException", 409, {}};
inline constexpr base::ErrorRow kResourceNotFound{"ResourceNotFoundException", 404, {}};
inline constexpr base::ErrorRow kSerializationException{"SerializationException", 400, {}};
inline constexpr base::ErrorRow kServiceUnavailable{"ServiceUnavailable", 503, {}};
inline constexpr base::ErrorRow kThrottling{"Throttling", 400, {}};
inline constexpr base::ErrorRow kThrottlingException{"ThrottlingException", 400, "Throttling"};
inline constexpr base::ErrorRow kUnknownOperation{"UnknownOperationException", 404, {}};
inline constexpr base::ErrorRow kUnknownParameter{"UnknownParameter", 400, {}};
inline constexpr base::ErrorRow kValidationException{"ValidationException", 400, {}};

// EC2's.
inline constexpr base::ErrorRow kDryRunOperation{"DryRunOperation", 412, {}};
inline constexpr base::ErrorRow kIncorrectState{"IncorrectState", 400, {}};
inline constexpr base::ErrorRow kNoSuchVersion{"NoSuchVersion", 400, {}};
inline constexpr base::ErrorRow kRequestLimitExceeded{"RequestLimitExceeded", 503, {}};
inline constexpr base::ErrorRow kUnauthorizedOperation{"UnauthorizedOperation", 403, {}};
inline constexpr base::ErrorRow kUnavailable{"Unavailable", 503, {}};

// S3's.
inline constexpr base::ErrorRow kBadDigest{"BadDigest", 400, {}};
inline constexpr base::ErrorRow kEntityTooLarge{"EntityTooLarge", 400, {}};
inline constexpr base::ErrorRow kIncompleteBody{"IncompleteBody", 400, {}};
inline constexpr base::ErrorRow kInternalError{"InternalError", 500, {}};
inline constexpr base::ErrorRow kInvalidArgument{"InvalidArgument", 400, {}};
inline constexpr base::ErrorRow kInvalidDigest{"InvalidDigest", 400, {}};
inline constexpr base::ErrorRow kInvalidRequest{"InvalidRequest", 400, {}};
inline constexpr base::ErrorRow kInvalidUri{"InvalidURI", 400, {}};
inline constexpr base::ErrorRow kMalformedXml{"MalformedXML", 400, {}};
inline constexpr base::ErrorRow kMethodNotAllowed{"MethodNotAllowed", 405, {}};
inline constexpr base::ErrorRow kMissingContentLength{"MissingContentLength", 411, {}};
inline constexpr base::ErrorRow kMissingRequestBody{"MissingRequestBodyError", 400, {}};
inline constexpr base::ErrorRow kNoSuchKey{"NoSuchKey", 404, {}};
inline constexpr base::ErrorRow kOperationAborted{"OperationAborted", 409, {}};
inline constexpr base::ErrorRow kSlowDown{"SlowDown", 503, {}};
inline constexpr base::ErrorRow kContentSha256Mismatch{"XAmzContentSHA256Mismatch", 400, {}};

}  // namespace terrarium::wire::errors
