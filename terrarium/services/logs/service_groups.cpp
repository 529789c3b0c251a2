// Log groups, their retention and their tags.
#include "generated/logs/errors.h"
#include "terrarium/services/logs/service.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;
constexpr std::string_view kStandard = "STANDARD";
constexpr std::size_t kListGroupsMax = 1000;
// Looked at by one call; a page may then have fewer than it could, and a token.
constexpr std::size_t kScanGroupsMax = 10'000;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterException, std::move(message));
}

LogGroup describe(const wire::Context& context, std::string name, const GroupRecord& record) {
  LogGroup group;
  group.arn = group_arn(context.region, context.account, name) + ":*";
  group.log_group_arn = group_arn(context.region, context.account, name);
  group.log_group_name = std::move(name);
  group.creation_time = record.creation_ms;
  group.retention_in_days = record.retention_days;
  group.metric_filter_count = record.metric_filters;
  group.stored_bytes = record.stored_bytes;
  group.log_group_class = kStandard;
  group.deletion_protection_enabled = false;
  return group;
}

Result<void> refuse_linked_accounts(const std::optional<bool>& linked,
                                    const std::optional<std::vector<std::string>>& accounts) {
  if (!linked.value_or(false) && !(accounts && !accounts->empty())) return {};
  return invalid("Linked accounts are not supported: this region has one account");
}

Result<void> check(const DescribeLogGroupsRequest& request) {
  if (request.log_group_name_prefix && request.log_group_name_pattern) {
    return invalid(
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  }
  if (request.log_group_identifiers &&
      (request.log_group_name_prefix || request.log_group_name_pattern)) {
    return invalid(
        "LogGroup identifiers and LogGroup name prefix or pattern are mutually exclusive "
        "parameters.");
  }
  if (request.log_group_name_prefix) TRY_VOID(check_group_name(*request.log_group_name_prefix));
  return refuse_linked_accounts(request.include_linked_accounts, request.account_identifiers);
}

}  // namespace

Task<Result<wire::Empty>> Service::create_log_group(const wire::Context& context,
                                                    CreateLogGroupRequest request) {
  CO_TRY_VOID(check_group_name(request.log_group_name));
  if (request.kms_key_id) co_return invalid("kmsKeyId is not supported by this region");
  if (request.log_group_class && *request.log_group_class != kStandard) {
    co_return invalid("logGroupClass '" + *request.log_group_class +
                      "' is not supported by this region: only STANDARD is");
  }
  if (request.deletion_protection_enabled.value_or(false)) {
    co_return invalid("deletionProtectionEnabled is not supported by this region");
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
  CO_TRY(record.id, take_numbers(batch, 1));
  put_group(batch, context.region, request.log_group_name, record);
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return wire::Empty{};
}

Task<Result<wire::Empty>> Service::delete_log_group(const wire::Context& context,
                                                    DeleteLogGroupRequest request) {
  CO_TRY(const GroupRecord record, group(context.region, request.log_group_name));
  store::Batch batch;
  CO_TRY_VOID(erase_metric_filters(batch, context.region, record, request.log_group_name));
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

Result<Service::GroupPage> Service::group_page(const wire::Context& context,
                                               std::string_view name_prefix,
                                               std::string_view pattern,
                                               const std::optional<std::string>& token,
                                               std::size_t limit) const {
  const std::string all = keys::groups(context.region);
  const std::string prefix = all + std::string(name_prefix);
  const auto cursor = store_.scan(kTable, prefix, store::prefix_end(prefix));
  if (token) {
    TRY(const std::string last, parse_list_token(*token));
    cursor->seek(std::max(prefix, all + last + '\0'));
  }
  GroupPage page;
  std::size_t scanned = 0;
  for (std::string last; cursor->valid(); cursor->next()) {
    if (page.groups.size() == limit || ++scanned > kScanGroupsMax) {
      page.next_token = list_token(last);
      break;
    }
    last = keys::name_of(cursor->key(), all.size());
    if (!last.contains(pattern)) continue;
    TRY(GroupRecord record, parse_group(cursor->value()));
    page.groups.emplace_back(last, std::move(record));
  }
  TRY_VOID(cursor->status());
  return page;
}

Task<Result<DescribeLogGroupsResponse>> Service::describe_log_groups(
    const wire::Context& context, DescribeLogGroupsRequest request) {
  CO_TRY_VOID(check(request));
  CO_TRY(const std::size_t limit, check_limit(request.limit, kListMax));
  DescribeLogGroupsResponse response;
  auto& groups = response.log_groups.emplace();
  if (request.log_group_class && *request.log_group_class != kStandard) co_return response;
  if (request.log_group_identifiers) {
    for (const std::string& identifier : *request.log_group_identifiers) {
      CO_TRY(const std::string name, resolve(context, std::nullopt, identifier));
      CO_TRY(const GroupRecord record, group(context.region, name));
      groups.push_back(describe(context, name, record));
    }
    co_return response;
  }
  CO_TRY(GroupPage page,
         group_page(context, request.log_group_name_prefix.value_or(""),
                    request.log_group_name_pattern.value_or(""), request.next_token, limit));
  for (auto& [name, record] : page.groups) {
    groups.push_back(describe(context, std::move(name), record));
    if (!request.log_group_name_pattern) continue;
    // As AWS, whose index of names knows nothing of these.
    groups.back().stored_bytes.reset();
    groups.back().deletion_protection_enabled.reset();
  }
  response.next_token = std::move(page.next_token);
  co_return response;
}

Task<Result<ListLogGroupsResponse>> Service::list_log_groups(const wire::Context& context,
                                                             ListLogGroupsRequest request) {
  CO_TRY_VOID(refuse_linked_accounts(request.include_linked_accounts, request.account_identifiers));
  CO_TRY(const std::size_t limit, check_limit(request.limit, kListGroupsMax));
  ListLogGroupsResponse response;
  auto& groups = response.log_groups.emplace();
  if (request.log_group_class && *request.log_group_class != kStandard) co_return response;
  // The pattern is one of AWS's regular expressions without operators but ^ at its beginning.
  const std::string pattern = request.log_group_name_pattern.value_or("");
  const bool anchored = pattern.starts_with('^');
  CO_TRY(GroupPage page,
         group_page(context, anchored ? pattern.substr(1) : "", anchored ? "" : pattern,
                    request.next_token, request.limit ? limit : kListMax));
  for (auto& [name, record] : page.groups) {
    LogGroupSummary summary;
    summary.log_group_arn = group_arn(context.region, context.account, name);
    summary.log_group_name = std::move(name);
    summary.log_group_class = kStandard;
    groups.push_back(std::move(summary));
  }
  response.next_token = std::move(page.next_token);
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
