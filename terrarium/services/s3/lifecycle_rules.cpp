// What a lifecycle configuration must keep.
#include <set>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/lifecycle.h"
#include "terrarium/services/s3/names.h"

namespace terrarium::s3 {
namespace {

constexpr std::size_t kIdCharactersMax = 255;
constexpr std::size_t kIdBytes = 24;
constexpr std::int32_t kNewerVersionsMax = 100;

std::unexpected<base::Error> malformed() {
  return base::fail(errors::kMalformedXML,
                    "The XML you provided was not well-formed or did not validate against our "
                    "published schema");
}

std::unexpected<base::Error> invalid_request(std::string message) {
  return base::fail(errors::kInvalidRequest, std::move(message));
}

base::Result<void> check_positive(std::int32_t value, const std::string& name,
                                  const std::string& action) {
  if (value > 0) return {};
  return invalid_argument("'" + name + "' for " + action + " action must be a positive integer",
                          name, std::to_string(value));
}

struct FilterFacts {
  bool tags = false;
  bool sizes = false;
};

base::Result<void> check_tag_keys(const std::vector<Tag>& tags) {
  std::set<std::string> keys;
  for (const Tag& tag : tags) {
    if (!keys.insert(tag.key).second) {
      return invalid_request("Duplicate Tag Keys are not allowed.");
    }
  }
  return {};
}

base::Result<FilterFacts> check_filter(const LifecycleRule& rule) {
  // The old way, a prefix, or the new one.
  if (rule.prefix.has_value() == rule.filter.has_value()) return malformed();
  FilterFacts facts;
  if (!rule.filter) return facts;
  const LifecycleRuleFilter& filter = *rule.filter;
  const int given = int{filter.prefix.has_value()} + int{filter.tag.has_value()} +
                    int{filter.object_size_greater_than.has_value()} +
                    int{filter.object_size_less_than.has_value()} + int{filter.and_.has_value()};
  if (given > 1) return malformed();
  facts.tags = filter.tag.has_value();
  facts.sizes = filter.object_size_greater_than || filter.object_size_less_than;
  if (!filter.and_) return facts;
  const LifecycleRuleAndOperator& both = *filter.and_;
  facts.tags = both.tags && !both.tags->empty();
  facts.sizes = both.object_size_greater_than || both.object_size_less_than;
  if (both.tags) TRY_VOID(check_tag_keys(*both.tags));
  if (both.object_size_greater_than && both.object_size_less_than &&
      *both.object_size_greater_than >= *both.object_size_less_than) {
    return invalid_request(
        "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
  }
  return facts;
}

base::Result<void> refuse_filter(const FilterFacts& facts, const std::string& action) {
  if (facts.tags) return invalid_request(action + " cannot be specified with Tags.");
  if (facts.sizes) return invalid_request(action + " cannot be specified with Object Size.");
  return {};
}

base::Result<void> check_expiration(const LifecycleExpiration& expiration,
                                    const FilterFacts& facts) {
  const int given = int{expiration.days.has_value()} + int{expiration.date.has_value()} +
                    int{expiration.expired_object_delete_marker.has_value()};
  if (given != 1) return malformed();
  if (expiration.days) return check_positive(*expiration.days, "Days", "Expiration");
  if (!expiration.date) return refuse_filter(facts, "ExpiredObjectDeleteMarker");
  if (std::chrono::floor<std::chrono::days>(*expiration.date) == *expiration.date) return {};
  return invalid_argument("'Date' must be at midnight GMT", "Date",
                          base::iso8601(*expiration.date));
}

base::Result<void> check_noncurrent(const NoncurrentVersionExpiration& expiration) {
  const std::string action = "NoncurrentVersionExpiration";
  if (!expiration.noncurrent_days) return malformed();
  TRY_VOID(check_positive(*expiration.noncurrent_days, "NoncurrentDays", action));
  if (!expiration.newer_noncurrent_versions) return {};
  const std::int32_t newer = *expiration.newer_noncurrent_versions;
  TRY_VOID(check_positive(newer, "NewerNoncurrentVersions", action));
  if (newer <= kNewerVersionsMax) return {};
  return invalid_argument(
      "'NewerNoncurrentVersions' for " + action + " action must be less than or equal to 100",
      "NewerNoncurrentVersions", std::to_string(newer));
}

base::Result<void> check_actions(const LifecycleRule& rule, const FilterFacts& facts) {
  if ((rule.transitions && !rule.transitions->empty()) ||
      (rule.noncurrent_version_transitions && !rule.noncurrent_version_transitions->empty())) {
    return not_supported("A transition to another storage class");
  }
  if (!rule.expiration && !rule.noncurrent_version_expiration &&
      !rule.abort_incomplete_multipart_upload) {
    return invalid_request("At least one action needs to be specified in a rule");
  }
  if (rule.expiration) TRY_VOID(check_expiration(*rule.expiration, facts));
  if (rule.noncurrent_version_expiration) {
    TRY_VOID(check_noncurrent(*rule.noncurrent_version_expiration));
  }
  if (!rule.abort_incomplete_multipart_upload) return {};
  const std::string action = "AbortIncompleteMultipartUpload";
  const auto& days = rule.abort_incomplete_multipart_upload->days_after_initiation;
  if (!days) return malformed();
  TRY_VOID(check_positive(*days, "DaysAfterInitiation", action));
  return refuse_filter(facts, action);
}

base::Result<void> check_id(LifecycleRule& rule, std::set<std::string>& ids, base::Random& random) {
  if (rule.id.value_or("").empty()) rule.id = random.hex(kIdBytes);
  if (rule.id->size() > kIdCharactersMax) {
    return invalid_argument("ID length should not exceed allowed limit of 255", "ID", *rule.id);
  }
  if (ids.insert(*rule.id).second) return {};
  return invalid_argument("Rule ID must be unique. Found same ID for more than one rule", "ID",
                          *rule.id);
}

}  // namespace

base::Result<void> check_lifecycle(BucketLifecycleConfiguration& configuration,
                                   base::Random& random) {
  if (configuration.rules.empty() || configuration.rules.size() > kLifecycleRulesMax) {
    return malformed();
  }
  std::set<std::string> ids;
  for (LifecycleRule& rule : configuration.rules) {
    if (rule.status != "Enabled" && rule.status != "Disabled") return malformed();
    TRY_VOID(check_id(rule, ids, random));
    TRY(const FilterFacts facts, check_filter(rule));
    TRY_VOID(check_actions(rule, facts));
  }
  return {};
}

}  // namespace terrarium::s3
