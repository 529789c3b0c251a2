// Resource policies of functions, versions, aliases and layers, statement by statement as AWS
// writes them; and whether one allows a caller. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generated/lambda/model.h"
#include "lib/base/result.h"
#include "terrarium/services/lambda/function_record.h"
#include "terrarium/wire/policy.h"

namespace terrarium::lambda {

// The condition keys that Lambda fills in beyond IAM's global ones.
inline constexpr std::string_view kFunctionUrlAuthTypeKey = "lambda:functionurlauthtype";
inline constexpr std::string_view kInvokedViaFunctionUrlKey = "lambda:invokedviafunctionurl";

// `arn` is what it is about: qualified as the request was.
base::Result<PolicyStatement> new_statement(const AddPermissionRequest& request,
                                            const std::string& arn);
base::Result<PolicyStatement> new_statement(const AddLayerVersionPermissionRequest& request,
                                            const std::string& arn);
// ResourceConflictException when its id is taken, PolicyLengthExceededException when the policy
// grows too large.
base::Result<void> add_statement(std::vector<PolicyStatement>& policy, PolicyStatement statement);
// ResourceNotFoundException when there is none of that id.
base::Result<void> remove_statement(std::vector<PolicyStatement>& policy, const std::string& id);

// Nothing: no statements.
base::Result<std::optional<wire::Policy>> parsed_policy(const std::vector<PolicyStatement>& policy);
std::string policy_json(const std::vector<PolicyStatement>& policy);
wire::Decision decide(const std::vector<PolicyStatement>& policy,
                      const wire::PolicyRequest& request);

}  // namespace terrarium::lambda
