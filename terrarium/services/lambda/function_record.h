// Functions, their published versions and their aliases, as they are stored (README.md has the
// keys). How the three are told apart everywhere inside:
//
//   a function   {region, name}
//   a version    {region, name, version}: "$LATEST", which changes, or "1", "2", ... which don't.
//                Each has a FunctionRecord and, in the fleet, a FunctionPool of its own.
//   an alias     {region, name, alias name}: leads to a version, or to two by weight. Has no pool.
//
// What belongs to the function and not to one version - tags, reserved concurrency, the number of
// the last version - is in the record of $LATEST only. Concurrency is counted over all versions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace terrarium::lambda {

inline constexpr std::string_view kLatest = "$LATEST";

// One statement of a resource policy, as AddPermission made it.
struct PolicyStatement {
  std::string id;
  std::string json;
};

struct CorsRules {
  std::optional<bool> allow_credentials;
  std::optional<std::vector<std::string>> allow_headers;
  std::optional<std::vector<std::string>> allow_methods;
  std::optional<std::vector<std::string>> allow_origins;
  std::optional<std::vector<std::string>> expose_headers;
  std::optional<std::int32_t> max_age_s;
};

// The URL of a function ($LATEST) or of an alias.
struct UrlRecord {
  std::string id;         // the first label of its host name
  std::string auth_type;  // "NONE" or "AWS_IAM"
  std::optional<CorsRules> cors;
  base::Timestamp created;
  base::Timestamp last_modified;
};

// A layer version that a function has, with what is needed when the layer itself is deleted.
struct LayerUse {
  std::string arn;
  std::string code_sha256_hex;
  std::int64_t code_bytes = 0;
  std::int64_t unzipped_bytes = 0;
};

struct FunctionRecord {
  std::string name;
  std::string version{kLatest};
  // What a version freezes.
  std::string runtime;
  std::string role;
  std::string handler;
  std::string description;
  std::int32_t timeout_s = 3;
  std::int32_t memory_mb = 128;
  std::int32_t ephemeral_mb = 512;
  std::string package_type = "Zip";
  std::string log_group;  // empty: /aws/lambda/NAME
  std::string tracing_mode = "PassThrough";
  std::string dead_letter_arn;  // empty: none
  std::map<std::string, std::string> variables;
  bool has_environment = false;  // AWS answers Environment only when it was given
  std::vector<LayerUse> layers;
  std::string opt_sha256_hex;   // the layers' files together; empty: no layers
  std::string code_sha256_hex;  // names the code's folder
  std::int64_t code_bytes = 0;
  std::int64_t unzipped_bytes = 0;
  std::string update_runtime_on = "Auto";
  // Changes with everything above, and with nothing else: what runs an older build is retired.
  std::string build_id;
  base::Timestamp last_modified;
  std::string revision_id;  // changes with every change, of the policy too

  std::vector<PolicyStatement> policy;  // in $LATEST's record: the unqualified function's
  std::optional<std::int32_t> provisioned_concurrency;  // published versions only
  base::Timestamp provisioned_modified;

  // $LATEST only.
  std::map<std::string, std::string> tags;
  std::optional<std::int32_t> reserved_concurrency;
  std::uint64_t versions_made = 0;  // the last published version's number; never used again
  std::string published_build_id;   // of $LATEST when it was last published
  std::string recursive_loop = "Terminate";
  std::optional<UrlRecord> url;
};

struct AliasRecord {
  std::string function_name;
  std::string name;
  std::string version;
  std::string description;
  // A second version and how often, of 1, it runs instead. Empty: never.
  std::string other_version;
  double other_weight = 0;
  std::string revision_id;
  std::vector<PolicyStatement> policy;
  std::optional<std::int32_t> provisioned_concurrency;
  base::Timestamp provisioned_modified;
  std::optional<UrlRecord> url;
};

std::string to_text(const FunctionRecord& record);
base::Result<FunctionRecord> parse_function(std::string_view text);
std::string to_text(const AliasRecord& record);
base::Result<AliasRecord> parse_alias(std::string_view text);

// "17" -> 17; nothing for what is no published version's number.
std::optional<std::uint64_t> version_number(std::string_view version);

}  // namespace terrarium::lambda
