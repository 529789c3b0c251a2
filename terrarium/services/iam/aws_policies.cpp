#include "terrarium/services/iam/aws_policies.h"

#include <boost/json.hpp>
#include <charconv>

#include "generated/iam/aws_policies_text.h"
#include "lib/base/check.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace terrarium::iam {
namespace {

using boost::json::object;

base::Timestamp time_of(const boost::json::value& text) {
  const auto time = base::parse_iso8601(text.as_string());
  CHECK(time.has_value(), "aws_policies.json holds ISO 8601 times");
  return *time;
}

// The same id each time, as AWS's policies have.
std::string id_of(const std::string& name) {
  std::string id =
      "ANPA" + base::hex_encode(base::digest(base::DigestKind::Sha256, name)).substr(0, 17);
  for (char& c : id) c = static_cast<char>(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
  return id;
}

PolicyRecord policy_of(std::string name, const object& given) {
  PolicyRecord policy;
  policy.id = id_of(name);
  policy.name = std::move(name);
  policy.path = given.at("path").as_string();
  policy.created = time_of(given.at("created"));
  policy.updated = time_of(given.at("updated"));
  const std::string_view version = given.at("version").as_string();
  std::from_chars(version.data() + 1, version.data() + version.size(), policy.default_version);
  policy.last_version = policy.default_version;
  policy.versions.push_back(
      {policy.default_version, boost::json::serialize(given.at("document")), policy.updated});
  return policy;
}

}  // namespace

AwsPolicies::AwsPolicies() {
  boost::json::stream_parser parser;
  boost::system::error_code error;
  for (const std::string_view piece : kAwsPoliciesText) {
    parser.write(piece.data(), piece.size(), error);
    CHECK(!error, "aws_policies.json is JSON");
  }
  parser.finish(error);
  CHECK(!error, "aws_policies.json is JSON");
  const boost::json::value parsed = parser.release();
  for (const auto& [name, given] : parsed.as_object()) {
    PolicyRecord policy = policy_of(std::string(name), given.as_object());
    std::string arn = std::string(kAwsPolicyArn) + policy.path + policy.name;
    by_arn_.emplace(std::move(arn), std::move(policy));
  }
}

const PolicyRecord* AwsPolicies::find(std::string_view arn) const {
  const auto found = by_arn_.find(arn);
  return found == by_arn_.end() ? nullptr : &found->second;
}

}  // namespace terrarium::iam
