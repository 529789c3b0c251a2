// Resource policies, kept as they were put; and what a fresh account has none of.
#include <boost/json.hpp>

#include "generated/logs/errors.h"
#include "terrarium/services/logs/service.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterException, std::move(message));
}

ResourcePolicy describe(std::string name, PolicyRecord record) {
  ResourcePolicy policy;
  policy.policy_name = std::move(name);
  policy.policy_document = std::move(record.document);
  policy.last_updated_time = record.updated_ms;
  policy.policy_scope = "ACCOUNT";
  return policy;
}

Result<void> check_document(const std::string& document) {
  boost::system::error_code error;
  const boost::json::value policy = boost::json::parse(document, error);
  const bool complete = !error && policy.is_object() && policy.as_object().contains("Statement");
  if (!complete) return invalid("The policy document is not a policy in JSON.");
  return {};
}

}  // namespace

Task<Result<PutResourcePolicyResponse>> Service::put_resource_policy(
    const wire::Context& context, PutResourcePolicyRequest request) {
  if (!request.policy_name || request.policy_name->empty() || !request.policy_document) {
    co_return invalid("policyName and policyDocument are required.");
  }
  CO_TRY_VOID(check_document(*request.policy_document));
  const std::string key = keys::policy(context.region, *request.policy_name);
  const std::string prefix = keys::policies(context.region);
  std::size_t others = 0;
  const auto cursor = store_.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) others += cursor->key() != key ? 1 : 0;
  CO_TRY_VOID(cursor->status());
  if (others >= kPoliciesMax) {
    co_return base::fail(errors::kLimitExceededException, "Resource limit exceeded.");
  }
  PolicyRecord record{*std::move(request.policy_document), to_millis(clock_.now())};
  store::Batch batch;
  batch.put(kTable, key, to_text(record));
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return PutResourcePolicyResponse{describe(*std::move(request.policy_name), std::move(record))};
}

Task<Result<wire::Empty>> Service::delete_resource_policy(const wire::Context& context,
                                                          DeleteResourcePolicyRequest request) {
  const std::string name = request.policy_name.value_or("");
  const std::string key = keys::policy(context.region, name);
  CO_TRY(const auto there, store_.get(kTable, key));
  if (!there) {
    co_return base::fail(errors::kResourceNotFoundException,
                         "Policy with name [" + name + "] does not exist.");
  }
  store::Batch batch;
  batch.erase(kTable, key);
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return wire::Empty{};
}

Task<Result<DescribeResourcePoliciesResponse>> Service::describe_resource_policies(
    const wire::Context& context, DescribeResourcePoliciesRequest request) {
  CO_TRY(const std::size_t limit, check_limit(request.limit, kListMax));
  const std::string prefix = keys::policies(context.region);
  const auto cursor = store_.scan(kTable, prefix, store::prefix_end(prefix));
  if (request.next_token) {
    CO_TRY(const std::string last, parse_list_token(*request.next_token));
    cursor->seek(prefix + last + '\0');
  }
  DescribeResourcePoliciesResponse response;
  auto& page = response.resource_policies.emplace();
  for (; cursor->valid(); cursor->next()) {
    if (page.size() == limit) {
      response.next_token = list_token(*page.back().policy_name);
      break;
    }
    CO_TRY(PolicyRecord record, parse_policy(cursor->value()));
    page.push_back(
        describe(std::string(keys::name_of(cursor->key(), prefix.size())), std::move(record)));
  }
  CO_TRY_VOID(cursor->status());
  co_return response;
}

Task<Result<DescribeDestinationsResponse>> Service::describe_destinations(
    const wire::Context&, DescribeDestinationsRequest) {
  DescribeDestinationsResponse response;
  response.destinations.emplace();
  co_return response;
}

Task<Result<DescribeExportTasksResponse>> Service::describe_export_tasks(
    const wire::Context&, DescribeExportTasksRequest) {
  DescribeExportTasksResponse response;
  response.export_tasks.emplace();
  co_return response;
}

Task<Result<DescribeQueriesResponse>> Service::describe_queries(const wire::Context&,
                                                                DescribeQueriesRequest) {
  DescribeQueriesResponse response;
  response.queries.emplace();
  co_return response;
}

Task<Result<DescribeQueryDefinitionsResponse>> Service::describe_query_definitions(
    const wire::Context&, DescribeQueryDefinitionsRequest) {
  DescribeQueryDefinitionsResponse response;
  response.query_definitions.emplace();
  co_return response;
}

Task<Result<DescribeSubscriptionFiltersResponse>> Service::describe_subscription_filters(
    const wire::Context& context, DescribeSubscriptionFiltersRequest request) {
  CO_TRY_VOID(group(context.region, request.log_group_name));
  DescribeSubscriptionFiltersResponse response;
  response.subscription_filters.emplace();
  co_return response;
}

}  // namespace terrarium::logs
