// S3's own condition keys: which a bucket's policy may name, and what a request gives them. Those
// of listings and versions come from the operations. Pure. Source: Service Authorization Reference,
// "Condition keys for Amazon S3".
#pragma once

#include <span>
#include <string_view>

#include "terrarium/services/s3/records.h"
#include "terrarium/wire/policy.h"

namespace terrarium::s3 {

class FormFields;

// The condition key that tells which version is asked for; without it the current object is.
inline constexpr std::string_view kVersionCondition = "s3:versionid";

// In lower case; one that ends with a slash has any tag's key behind it.
std::span<const std::string_view> condition_keys();

// What the headers of a request say, or the parameters of a presigned URL that stand for them.
void add_request_conditions(wire::ConditionContext& conditions, const wire::Context& context);
// What the fields of a browser's form say, which are its headers.
wire::ConditionContext form_conditions(const FormFields& fields, const Tags& tags);
// Tags that the request gives an object, and those that the object has.
void add_request_tags(wire::ConditionContext& conditions, const Tags& tags);
void add_existing_tags(wire::ConditionContext& conditions, const Tags& tags);
// Whether AWS looks at the tags of the object for this action.
bool knows_existing_tags(std::string_view action);
bool mentions_existing_tags(std::string_view policy);

}  // namespace terrarium::s3
