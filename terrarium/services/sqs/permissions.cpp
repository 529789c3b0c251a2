#include "terrarium/services/sqs/permissions.h"

#include <algorithm>
#include <boost/json.hpp>

#include "generated/sqs/errors.h"
#include "terrarium/services/sqs/attributes.h"

namespace terrarium::sqs {
namespace {

namespace json = boost::json;

constexpr std::size_t kActionsMax = 7;

// The policy with its statements as a list; `policy` has been checked when it was set.
json::object document_of(std::string_view policy, std::string_view queue_arn) {
  auto parsed = parse_object(policy);
  if (!parsed.has_value()) {
    return {{"Version", "2008-10-17"},
            {"Id", std::string(queue_arn) + "/SQSDefaultPolicy"},
            {"Statement", json::array{}}};
  }
  json::object document = *std::move(parsed);
  if (json::value& statements = document["Statement"]; !statements.is_array()) {
    json::array list;
    list.push_back(std::move(statements));
    statements = std::move(list);
  }
  return document;
}

bool has_label(const json::value& statement, std::string_view label) {
  const json::value* sid = statement.as_object().if_contains("Sid");
  return sid != nullptr && sid->is_string() && sid->as_string() == label;
}

json::value one_or_all(json::array& list) {
  return list.size() == 1 ? std::move(list.front()) : json::value(std::move(list));
}

bool is_action(std::string_view name) {
  static constexpr std::string_view kActions[] = {
      "*",           "ChangeMessageVisibility",    "DeleteMessage", "GetQueueAttributes",
      "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue",    "ReceiveMessage",
      "SendMessage"};
  return std::ranges::find(kActions, name) != std::end(kActions);
}

}  // namespace

base::Result<std::string> with_permission(std::string_view policy, std::string_view queue_arn,
                                          std::string_view label,
                                          const std::vector<std::string>& accounts,
                                          const std::vector<std::string>& actions) {
  if (!is_label(label)) {
    return invalid_parameter(label, "Label",
                             "A label can only contain alphanumeric characters, hyphens and "
                             "underscores, 1 to 80 in length.");
  }
  if (actions.empty()) {
    return base::fail(errors::kMissingParameter, "The request must contain the parameter Actions.");
  }
  if (accounts.empty()) return invalid_parameter("[]", "PrincipalId", "Unable to verify.");
  if (actions.size() > kActionsMax) {
    return base::fail(errors::kOverLimit, std::to_string(actions.size()) +
                                              " Actions were found, maximum allowed is 7.");
  }
  json::array who;
  for (const std::string& account : accounts) {
    const bool digits = std::ranges::all_of(account, [](char c) { return c >= '0' && c <= '9'; });
    if (account.size() != 12 || !digits) {
      return invalid_parameter(account, "PrincipalId", "Unable to verify.");
    }
    who.emplace_back("arn:aws:iam::" + account + ":root");
  }
  json::array what;
  for (const std::string& action : actions) {
    if (!is_action(action)) {
      return invalid_parameter("SQS:" + action, "ActionName",
                               "Only the queue owner is allowed to invoke this action.");
    }
    what.emplace_back("SQS:" + action);
  }
  json::object document = document_of(policy, queue_arn);
  json::array& statements = document["Statement"].as_array();
  if (std::ranges::any_of(statements, [label](const auto& s) { return has_label(s, label); })) {
    return invalid_parameter(label, "Label", "Already exists.");
  }
  statements.push_back(json::object{{"Sid", label},
                                    {"Effect", "Allow"},
                                    {"Principal", json::object{{"AWS", one_or_all(who)}}},
                                    {"Action", one_or_all(what)},
                                    {"Resource", queue_arn}});
  return json::serialize(document);
}

base::Result<std::string> without_permission(std::string_view policy, std::string_view label) {
  if (policy.empty()) return invalid_parameter(label, "Label", "can't find label.");
  json::object document = document_of(policy, {});
  json::array& statements = document["Statement"].as_array();
  const auto found =
      std::ranges::find_if(statements, [label](const auto& s) { return has_label(s, label); });
  if (found == statements.end()) {
    return invalid_parameter(label, "Label", "can't find label on existing policy.");
  }
  statements.erase(found);
  return statements.empty() ? std::string() : json::serialize(document);
}

}  // namespace terrarium::sqs
