// Log groups, their retention and their tags.
#include "generated/logs/errors.h"
#include "terrarium/services/logs/service.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterException, std::move(message));
}

LogGroup describe(const wire::Context& context, std::string_view account, std::string name,
                  const GroupRecord& record) {
  LogGroup group;
  group.arn = group_arn(context.region, account, name) + ":*";
  group.log_group_arn = group_arn(context.region, account, name);
  group.log_group_name = std::move(name);
  group.creation_time = record.creation_ms;
  group.retention_in_days = record.retention_days;
  group.metric_filter_count = 0;
  group.stored_bytes = record.stored_bytes;
  group.log_group_class = "STANDARD";
  return group;
}

Result<void> check(const DescribeLogGroupsRequest& request) {
  if (request.log_group_name_prefix && request.log_group_name_pattern) {
    return invalid(
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  }
  if (request.include_linked_accounts.value_or(false) ||
      !request.account_identifiers.value_or(std::vector<std::string>{}).empty()) {
    return invalid("Linked accounts are not supported: this region has one account");
  }
  if (request.log_group_name_prefix) TRY_VOID(check_group_name(*request.log_group_name_prefix));
  return {};
}

}  // namespace

Task<Result<wire::Empty>> Service::create_log_group(const wire::Context& context,
                                                    CreateLogGroupRequest request) {
  CO_TRY_VOID(check_group_name(request.log_group_name));
  if (request.kms_key_id) co_return invalid("kmsKeyId is not supported by this region");
  if (request.log_group_class.value_or("STANDARD") != "STANDARD") {
    co_return invalid("logGroupClass '" + *request.log_group_class +
                      "' is not supported by this region: only STANDARD is");
  }
  GroupRecord record{.creation_ms = to_millis(clock_.now())};
  if (request.tags) CO_TRY_VOID(add_tags(record.tags, *request.tags));
  const std::string key = keys::group(context.region, request.log_group_name);
  CO_TRY(const auto there, store_.get(kTable, key));
  if (there) {
    co_return base::fail(errors::kResourceAlreadyExistsException,
                         "The specified log group already exists");
  }
  store::Batch batch;
  record.id = next_number(batch);
  put_group(batch, context.region, request.log_group_name, record);
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return wire::Empty{};
}

Task<Result<wire::Empty>> Service::delete_log_group(const wire::Context& context,
                                                    DeleteLogGroupRequest request) {
  CO_TRY(const GroupRecord record, group(context.region, request.log_group_name));
  store::Batch batch;
  const auto erase_all = [&batch](const std::string& prefix) {
    batch.erase_range(kTable, prefix, store::prefix_end(prefix));
  };
  erase_all(keys::streams(context.region, request.log_group_name));
  erase_all(keys::by_last_event(record.id));
  erase_all(keys::stream_names(record.id));
  erase_all(keys::index(record.id));
  erase_all(keys::events(record.id));
  batch.erase(kTable, keys::group(context.region, request.log_group_name));
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return wire::Empty{};
}

Task<Result<DescribeLogGroupsResponse>> Service::describe_log_groups(
    const wire::Context& context, DescribeLogGroupsRequest request) {
  CO_TRY_VOID(check(request));
  CO_TRY(const std::size_t limit, check_limit(request.limit, kListMax));
  DescribeLogGroupsResponse response;
  auto& groups = response.log_groups.emplace();
  if (request.log_group_class.value_or("STANDARD") != "STANDARD") co_return response;
  const std::string all = keys::groups(context.region);
  const std::string prefix = all + request.log_group_name_prefix.value_or("");
  const auto cursor = store_.scan(kTable, prefix, store::prefix_end(prefix));
  if (request.next_token) {
    CO_TRY(const std::string last, parse_list_token(*request.next_token));
    cursor->seek(std::max(prefix, all + last + '\0'));
  }
  for (; cursor->valid(); cursor->next()) {
    std::string name(keys::name_of(cursor->key(), all.size()));
    if (request.log_group_name_pattern &&
        name.find(*request.log_group_name_pattern) == std::string::npos) {
      continue;
    }
    if (groups.size() == limit) {
      response.next_token = list_token(*groups.back().log_group_name);
      break;
    }
    CO_TRY(const GroupRecord record, parse_group(cursor->value()));
    groups.push_back(describe(context, context.account, std::move(name), record));
  }
  CO_TRY_VOID(cursor->status());
  co_return response;
}

Task<Result<wire::Empty>> Service::set_retention(const wire::Context& context, std::string name,
                                                 std::optional<std::int32_t> days) {
  CO_TRY(GroupRecord record, group(context.region, name));
  record.retention_days = days;
  store::Batch batch;
  put_group(batch, context.region, name, record);
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  wake_sweep_.notify_all();
  co_return wire::Empty{};
}

Task<Result<wire::Empty>> Service::put_retention_policy(const wire::Context& context,
                                                        PutRetentionPolicyRequest request) {
  CO_TRY_VOID(check_retention(request.retention_in_days));
  co_return co_await set_retention(context, std::move(request.log_group_name),
                                   request.retention_in_days);
}

Task<Result<wire::Empty>> Service::delete_retention_policy(const wire::Context& context,
                                                           DeleteRetentionPolicyRequest request) {
  co_return co_await set_retention(context, std::move(request.log_group_name), std::nullopt);
}

Task<Result<wire::Empty>> Service::change_tags(std::string region, std::string group_name,
                                               std::map<std::string, std::string> add,
                                               std::vector<std::string> remove) {
  CO_TRY(GroupRecord record, group(region, group_name));
  for (const std::string& key : remove) record.tags.erase(key);
  CO_TRY_VOID(add_tags(record.tags, add));
  store::Batch batch;
  put_group(batch, region, group_name, record);
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return wire::Empty{};
}

Task<Result<wire::Empty>> Service::tag_log_group(const wire::Context& context,
                                                 TagLogGroupRequest request) {
  co_return co_await change_tags(context.region, std::move(request.log_group_name),
                                 std::move(request.tags), {});
}

Task<Result<wire::Empty>> Service::untag_log_group(const wire::Context& context,
                                                   UntagLogGroupRequest request) {
  co_return co_await change_tags(context.region, std::move(request.log_group_name), {},
                                 std::move(request.tags));
}

Task<Result<ListTagsLogGroupResponse>> Service::list_tags_log_group(
    const wire::Context& context, ListTagsLogGroupRequest request) {
  CO_TRY(GroupRecord record, group(context.region, request.log_group_name));
  ListTagsLogGroupResponse response;
  response.tags = std::move(record.tags);
  co_return response;
}

Task<Result<wire::Empty>> Service::tag_resource(const wire::Context& context,
                                                TagResourceRequest request) {
  CO_TRY(std::string name, resolve_arn(context, request.resource_arn));
  co_return co_await change_tags(context.region, std::move(name), std::move(request.tags), {});
}

Task<Result<wire::Empty>> Service::untag_resource(const wire::Context& context,
                                                  UntagResourceRequest request) {
  CO_TRY(std::string name, resolve_arn(context, request.resource_arn));
  co_return co_await change_tags(context.region, std::move(name), {}, std::move(request.tag_keys));
}

Task<Result<ListTagsForResourceResponse>> Service::list_tags_for_resource(
    const wire::Context& context, ListTagsForResourceRequest request) {
  CO_TRY(const std::string name, resolve_arn(context, request.resource_arn));
  CO_TRY(GroupRecord record, group(context.region, name));
  ListTagsForResourceResponse response;
  response.tags = std::move(record.tags);
  co_return response;
}

}  // namespace terrarium::logs
