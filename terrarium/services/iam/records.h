// What IAM keeps, in store::Table::Control, as JSON. Names in keys are in lower case: two that
// differ in nothing but case are one name.
//
//   iam/user/NAME  iam/group/NAME  iam/role/NAME    Entity
//   iam/policy/NAME      PolicyRecord               iam/profile/NAME    ProfileRecord
//   iam/key/AKIA...      AccessKeyRecord            iam/used/AKIA...    KeyUse
//   iam/session/ASIA...  SessionRecord              iam/account         AccountRecord
// Indexes, empty: what is found by them is written with them (directory.h).
//   iam/attached/ARN \0 K NAME    who has a managed policy; K: u, g or r
//   iam/bounded/ARN \0 K NAME     whose permissions boundary it is
//   iam/member/GROUP \0 USER      iam/key-of/USER \0 AKIA...     iam/profile-of/ROLE \0 PROFILE
//   iam/expiry/MICROSECONDS ASIA...  sessions by their end; 16 hex digits
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace terrarium::iam {

inline constexpr std::string_view kUserPrefix = "iam/user/";
inline constexpr std::string_view kGroupPrefix = "iam/group/";
inline constexpr std::string_view kRolePrefix = "iam/role/";
inline constexpr std::string_view kPolicyPrefix = "iam/policy/";
inline constexpr std::string_view kProfilePrefix = "iam/profile/";
inline constexpr std::string_view kKeyPrefix = "iam/key/";
inline constexpr std::string_view kUsedPrefix = "iam/used/";
inline constexpr std::string_view kSessionPrefix = "iam/session/";
inline constexpr std::string_view kExpiryPrefix = "iam/expiry/";
inline constexpr std::string_view kAccountKey = "iam/account";

// AWS's quotas ("IAM and AWS STS quotas").
inline constexpr std::size_t kAccessKeysPerUserMax = 2;
inline constexpr std::size_t kGroupsPerUserMax = 10;
inline constexpr std::size_t kTagsMax = 50;
inline constexpr std::size_t kAttachedPoliciesMax = 10;
inline constexpr std::size_t kPolicyVersionsMax = 5;
inline constexpr std::size_t kUserPolicyBytesMax = 2048;
inline constexpr std::size_t kGroupPolicyBytesMax = 5120;
inline constexpr std::size_t kRolePolicyBytesMax = 10'240;
inline constexpr std::size_t kManagedPolicyBytesMax = 6144;
inline constexpr std::size_t kTrustPolicyBytesMax = 2048;
inline constexpr std::size_t kUsersMax = 5000;
inline constexpr std::size_t kGroupsMax = 300;
inline constexpr std::size_t kRolesMax = 1000;
inline constexpr std::size_t kPoliciesMax = 1500;
inline constexpr std::size_t kProfilesMax = 1000;
inline constexpr std::int32_t kListItemsDefault = 100;

enum class Kind : std::uint8_t { User, Group, Role };

using Tags = std::vector<std::pair<std::string, std::string>>;

struct LoginProfileRecord {
  base::Timestamp created;
  bool reset_required = false;
};

// A user, a group or a role.
struct Entity {
  std::string name;
  std::string path = "/";
  std::string id;  // AIDA..., AGPA... or AROA...
  base::Timestamp created;
  Tags tags;
  std::map<std::string, std::string> policies;  // inline: name -> document
  std::vector<std::string> attached;            // ARNs of managed policies
  std::string boundary;                         // ARN; empty: none
  // Users only.
  std::vector<std::string> groups;
  std::optional<LoginProfileRecord> login;
  // Roles only.
  std::string trust;
  std::optional<std::string> description;
  std::int32_t max_session_seconds = 3600;
};

struct PolicyVersionRecord {
  std::int32_t number = 1;
  std::string document;
  base::Timestamp created;
};

struct PolicyRecord {
  std::string name;
  std::string path = "/";
  std::string id;  // ANPA...
  std::string description;
  base::Timestamp created;
  base::Timestamp updated;
  Tags tags;
  std::int32_t default_version = 1;
  std::int32_t last_version = 1;              // numbers are never given twice
  std::vector<PolicyVersionRecord> versions;  // oldest first

  const PolicyVersionRecord* version(std::int32_t number) const;
};

struct ProfileRecord {
  std::string name;
  std::string path = "/";
  std::string id;  // AIPA...
  base::Timestamp created;
  Tags tags;
  std::string role;  // empty: none
};

struct AccessKeyRecord {
  std::string id;
  std::string user;
  std::string secret;
  bool active = true;
  base::Timestamp created;
};

struct KeyUse {
  base::Timestamp time;
  std::string service;
  std::string region;
};

// Who temporary credentials speak for.
enum class SessionKind : std::uint8_t { Role, User, Root, Federated };

struct SessionRecord {
  SessionKind kind = SessionKind::Role;
  std::string secret;
  std::string token;
  std::string arn;      // assumed-role, user, root or federated-user
  std::string id;       // AROA...:SESSION, AIDA..., the account
  std::string subject;  // the role's ARN, or the user's name; empty for root
  base::Timestamp expiration;
  // What narrows or marks it: kept, for whoever enforces policies.
  std::string policy;
  std::vector<std::string> policy_arns;
  Tags tags;
  std::vector<std::string> transitive_tags;
  std::string source_identity;
};

struct PasswordPolicyRecord {
  std::int32_t minimum_length = 6;
  bool symbols = false;
  bool numbers = false;
  bool uppercase = false;
  bool lowercase = false;
  bool users_may_change = false;
  std::optional<std::int32_t> max_age_days;
  std::optional<std::int32_t> reuse_prevention;
  std::optional<bool> hard_expiry;
};

struct AccountRecord {
  std::string alias;
  std::optional<PasswordPolicyRecord> password_policy;
};

std::string to_text(const Entity& entity);
std::string to_text(const PolicyRecord& policy);
std::string to_text(const ProfileRecord& profile);
std::string to_text(const AccessKeyRecord& key);
std::string to_text(const KeyUse& use);
std::string to_text(const SessionRecord& session);
std::string to_text(const AccountRecord& account);
base::Result<Entity> parse_entity(std::string_view text);
base::Result<PolicyRecord> parse_policy(std::string_view text);
base::Result<ProfileRecord> parse_profile(std::string_view text);
base::Result<AccessKeyRecord> parse_access_key(std::string_view text);
base::Result<KeyUse> parse_key_use(std::string_view text);
base::Result<SessionRecord> parse_session(std::string_view text);
base::Result<AccountRecord> parse_account(std::string_view text);

}  // namespace terrarium::iam
