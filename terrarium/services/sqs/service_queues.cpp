// Operations on queues themselves.
#include <algorithm>
#include <boost/json.hpp>

#include "generated/sqs/errors.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "terrarium/services/sqs/keys.h"
#include "terrarium/services/sqs/permissions.h"
#include "terrarium/services/sqs/service.h"
#include "terrarium/services/sqs/service_messages.h"

namespace terrarium::sqs {
namespace {

std::string map_key(std::string_view region, std::string_view name) {
  return std::string(region).append("/").append(name);
}

std::string url_of(const wire::Context& context, std::string_view name) {
  return context.endpoint + "/" + context.account + "/" + std::string(name);
}

// There is no KMS: the key is kept and shown, and encrypts nothing. Whoever counts on it is told.
void warn_of_key(const AttributeMap& change, std::string_view queue) {
  const auto key = change.find("KmsMasterKeyId");
  if (key == change.end() || key->second.empty()) return;
  base::log::warning("sqs", "queue {} names the KMS key {}: recorded only, nothing is encrypted",
                     queue, key->second);
}

base::Result<void> require_identity(const wire::Context& context) {
  if (context.principal.kind != wire::PrincipalKind::Anonymous) return {};
  return base::fail(errors::kAccessDenied, "Access to the resource is denied.");
}

// Queries to a queue's own URL carry it as a parameter: these actions are not for a queue.
base::Result<void> refuse_queue_url(const std::optional<std::string>& url,
                                    std::string_view action) {
  if (!url.has_value()) return {};
  return base::fail(errors::kInvalidAction,
                    "The action " + std::string(action) + " is not valid for this endpoint.");
}

// A page of names, `first` the first that belongs to it.
struct Page {
  std::size_t max = 0;
  std::string after;  // from NextToken
};

base::Result<Page> page_of(const std::optional<std::int32_t>& max_results,
                           const std::optional<std::string>& next_token) {
  Page page{static_cast<std::size_t>(max_results.value_or(kListMax)), {}};
  if (max_results.has_value() && (*max_results < 1 || *max_results > kListMax)) {
    return invalid_parameter(std::to_string(*max_results), "MaxResults",
                             "MaxResults must be an integer between 1 and 1000.");
  }
  if (next_token.has_value()) {
    auto name = base::base64_decode(*next_token);
    if (!name.has_value() || name->empty() || name->size() > kQueueNameMax) {
      return invalid_parameter(next_token->substr(0, 256), "NextToken", "Invalid token.");
    }
    page.after = *std::move(name);
  }
  return page;
}

// The URLs of one page of `queues`, which are in order, and the token of the next.
std::pair<std::vector<std::string>, std::optional<std::string>> cut(
    const wire::Context& context, const std::vector<const Queue*>& queues, const Page& page,
    bool paginates) {
  std::vector<std::string> urls;
  std::string last;
  for (const Queue* queue : queues) {
    if (queue->record.name <= page.after) continue;
    if (urls.size() == page.max) {
      if (!paginates) break;
      return {std::move(urls), base::base64_encode(last)};
    }
    urls.push_back(url_of(context, queue->record.name));
    last = queue->record.name;
  }
  return {std::move(urls), std::nullopt};
}

}  // namespace

base::Result<void> Service::check_redrive(const AttributeMap& change,
                                          const QueueRecord& source) const {
  const auto found = change.find("RedrivePolicy");
  if (found == change.end() || found->second.empty()) return {};
  TRY(const RedriveTarget target, parse_redrive_policy(found->second));
  const auto refuse = [&](std::string_view reason) {
    return invalid_parameter(found->second, "RedrivePolicy", reason);
  };
  const std::string own_arn = queue_arn(source.region, config_.account, source.name);
  if (target.dead_letter_arn.ends_with(".fifo") != source.fifo()) {
    return refuse("Dead-letter queue must be same type of queue as the source..");
  }
  const QueuePtr queue = find_by_arn(target.dead_letter_arn);
  if (queue == nullptr) return refuse("Dead letter target does not exist.");
  if (queue->record.region != source.region) {
    return refuse("Dead-letter queue must be in same region as the source.");
  }
  if (queue->arn == own_arn) return refuse("A queue cannot be its own dead letter target.");
  if (!queue->settings.redrive_allow.allows(own_arn)) {
    return refuse("The dead letter target's RedriveAllowPolicy does not allow this source queue.");
  }
  return {};
}

base::Result<void> Service::replace_record(Queue& queue, QueueRecord record) {
  record.modified = clock_.now();
  TRY(Settings settings, settings_of(record.attributes, record.fifo()));
  store::Batch batch;
  batch.put(store::Table::Sqs, queue_key(record.region, record.name), encode(record));
  TRY_VOID(store_.write(std::move(batch)));
  queue.record = std::move(record);
  queue.settings = std::move(settings);
  queue.order->set_delay(queue.settings.delay, clock_.now());
  return {};
}

base::Result<void> Service::make_queue(QueueRecord record) {
  TRY(Settings settings, settings_of(record.attributes, record.fifo()));
  const std::string held = deleted_name_key(record.region, record.name);
  store::Batch batch;
  batch.put(store::Table::Sqs, counter_key(), encode_number(next_number_ + 1));
  batch.put(store::Table::Sqs, queue_key(record.region, record.name), encode(record));
  batch.erase(store::Table::Sqs, held);
  // Given away even when the write fails: it may have reached the disk.
  ++next_number_;
  TRY_VOID(store_.write(std::move(batch)));
  const std::string arn = queue_arn(record.region, config_.account, record.name);
  auto queue =
      std::make_shared<Queue>(std::move(record), std::move(settings), arn, clock_, stored_budget_);
  queue->order->set_complete();
  queues_.emplace(map_key(queue->record.region, queue->record.name), queue);
  deleted_names_.erase(held);
  return {};
}

runtime::Task<base::Result<CreateQueueResult>> Service::create_queue(const wire::Context& context,
                                                                     CreateQueueRequest request) {
  CO_TRY_VOID(require_identity(context));
  CO_TRY_VOID(refuse_queue_url(request.queue_url, "CreateQueue"));
  const AttributeMap asked = request.attributes.value_or(AttributeMap{});
  const auto type = asked.find("FifoQueue");
  const bool fifo = type != asked.end() && type->second == "true";
  CO_TRY_VOID(check_queue_name(request.queue_name, fifo));
  CO_TRY_VOID(check_change(asked, {}, fifo));
  const CreateQueueResult result{url_of(context, request.queue_name)};
  if (const QueuePtr queue = find(context.region, request.queue_name)) {
    if (const auto name = first_difference(asked, queue->record.attributes, fifo)) {
      co_return base::fail(errors::kQueueNameExists,
                           "A queue already exists with the same name and a different value for "
                           "attribute " +
                               *name);
    }
    CO_TRY_VOID(co_await store_.sync());
    co_return result;
  }
  const base::Timestamp now = clock_.now();
  const auto held = deleted_names_.find(deleted_name_key(context.region, request.queue_name));
  if (held != deleted_names_.end() && held->second > now) {
    co_return base::fail(errors::kQueueDeletedRecently,
                         "You must wait 60 seconds after deleting a queue before you can create "
                         "another with the same name.");
  }
  QueueRecord record{.number = next_number_,
                     .region = context.region,
                     .name = request.queue_name,
                     .created = now,
                     .modified = now,
                     .tags = request.tags.value_or(AttributeMap{})};
  CO_TRY_VOID(check_redrive(asked, record));
  CO_TRY_VOID(check_tags(record.tags, record.name));
  apply_change(asked, record.attributes);
  warn_of_key(asked, request.queue_name);
  CO_TRY_VOID(make_queue(std::move(record)));
  CO_TRY_VOID(co_await store_.sync());
  co_return result;
}

runtime::Task<base::Result<wire::Empty>> Service::delete_queue(const wire::Context& context,
                                                               DeleteQueueRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "DeleteQueue"));
  const QueueRecord& record = queue->record;
  store::Batch batch;
  batch.erase(store::Table::Sqs, queue_key(record.region, record.name));
  for (const Kind kind : kQueueKinds) {
    const std::string all = prefix(kind, record.number);
    batch.erase_range(store::Table::Sqs, all, store::prefix_end(all));
  }
  const std::string held = deleted_name_key(record.region, record.name);
  const base::Timestamp until = clock_.now() + config_.deleted_name_hold;
  batch.put(store::Table::Sqs, held,
            encode_number(static_cast<std::uint64_t>(until.time_since_epoch().count())));
  CO_TRY_VOID(store_.write(std::move(batch)));
  queue->deleted = true;
  queue->order->clear();
  disarm(*queue);
  queue->arrived.notify_all();
  queue->watched.notify_all();
  deleted_names_.insert_or_assign(held, until);
  queues_.erase(map_key(record.region, record.name));
  CO_TRY_VOID(co_await store_.sync());
  co_return wire::Empty{};
}

runtime::Task<base::Result<GetQueueUrlResult>> Service::get_queue_url(const wire::Context& context,
                                                                      GetQueueUrlRequest request) {
  const bool own = request.queue_owner_aws_account_id.value_or(context.account) == context.account;
  const QueuePtr queue = own ? find(context.region, request.queue_name) : nullptr;
  if (queue == nullptr) co_return no_queue(context);
  CO_TRY_VOID(authorize(context, *queue, "GetQueueUrl"));
  co_return GetQueueUrlResult{url_of(context, request.queue_name)};
}

std::vector<const Queue*> Service::queues_of(std::string_view region) const {
  const std::string prefix = map_key(region, "");
  std::vector<const Queue*> out;
  for (auto at = queues_.lower_bound(prefix); at != queues_.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    out.push_back(at->second.get());
  }
  return out;
}

runtime::Task<base::Result<ListQueuesResult>> Service::list_queues(const wire::Context& context,
                                                                   ListQueuesRequest request) {
  CO_TRY_VOID(require_identity(context));
  CO_TRY_VOID(refuse_queue_url(request.queue_url, "ListQueues"));
  CO_TRY(const Page page, page_of(request.max_results, request.next_token));
  auto queues = queues_of(context.region);
  std::erase_if(queues, [&request](const Queue* queue) {
    return !queue->record.name.starts_with(request.queue_name_prefix.value_or(""));
  });
  auto [urls, next] = cut(context, queues, page, request.max_results.has_value());
  ListQueuesResult result;
  if (!urls.empty()) result.queue_urls = std::move(urls);
  result.next_token = std::move(next);
  co_return result;
}

runtime::Task<base::Result<ListDeadLetterSourceQueuesResult>>
Service::list_dead_letter_source_queues(const wire::Context& context,
                                        ListDeadLetterSourceQueuesRequest request) {
  CO_TRY(const QueuePtr target, open(context, request.queue_url, "ListDeadLetterSourceQueues"));
  CO_TRY(const Page page, page_of(request.max_results, request.next_token));
  auto queues = queues_of(context.region);
  std::erase_if(queues, [&target](const Queue* queue) {
    return !queue->settings.redrive.has_value() ||
           queue->settings.redrive->dead_letter_arn != target->arn;
  });
  auto [urls, next] = cut(context, queues, page, request.max_results.has_value());
  co_return ListDeadLetterSourceQueuesResult{std::move(urls), std::move(next)};
}

runtime::Task<base::Result<GetQueueAttributesResult>> Service::get_queue_attributes(
    const wire::Context& context, GetQueueAttributesRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "GetQueueAttributes"));
  CO_TRY_VOID(pass_time(queue, clock_.now()));
  const QueueFacts facts{.arn = queue->arn,
                         .created = queue->record.created,
                         .modified = queue->record.modified,
                         .visible = queue->visible(),
                         .in_flight = queue->order->in_flight_count(),
                         .delayed = queue->order->delayed_count(),
                         .fifo = queue->fifo()};
  CO_TRY(AttributeMap shown,
         shown_attributes(queue->record.attributes, facts,
                          request.attribute_names.value_or(std::vector<std::string>{})));
  GetQueueAttributesResult result;
  if (!shown.empty()) result.attributes = std::move(shown);
  co_return result;
}

runtime::Task<base::Result<wire::Empty>> Service::set_queue_attributes(
    const wire::Context& context, SetQueueAttributesRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "SetQueueAttributes"));
  QueueRecord record = queue->record;
  CO_TRY_VOID(check_change(request.attributes, record.attributes, record.fifo()));
  CO_TRY_VOID(check_redrive(request.attributes, record));
  apply_change(request.attributes, record.attributes);
  warn_of_key(request.attributes, record.name);
  CO_TRY_VOID(replace_record(*queue, std::move(record)));
  CO_TRY_VOID(co_await store_.sync());
  co_return wire::Empty{};
}

runtime::Task<base::Result<wire::Empty>> Service::purge_queue(const wire::Context& context,
                                                              PurgeQueueRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "PurgeQueue"));
  const base::Timestamp now = clock_.now();
  QueueRecord record = queue->record;
  if (record.purged.has_value() && *record.purged + kPurgeInterval > now) {
    co_return base::fail(
        errors::kPurgeQueueInProgress,
        "Only one PurgeQueue operation on " + record.name + " is allowed every 60 seconds.");
  }
  record.purged = now;
  store::Batch batch;
  // Also what would make a new message a duplicate of one that is gone.
  for (const Kind kind : {Kind::Message, Kind::Index, Kind::Moved, Kind::Deduplication}) {
    const std::string all = prefix(kind, record.number);
    batch.erase_range(store::Table::Sqs, all, store::prefix_end(all));
  }
  const Tally tally{.messages = 0,
                    .last_sequence = queue->tally.last_sequence,
                    .waiting_from = queue->tally.last_sequence + 1};
  batch.put(store::Table::Sqs, tally_key(record.number), encode(tally));
  batch.put(store::Table::Sqs, queue_key(record.region, record.name), encode(record));
  CO_TRY_VOID(store_.write(std::move(batch)));
  queue->tally = tally;
  queue->record = std::move(record);
  queue->order->clear();
  queue->order->set_loaded_to(tally.last_sequence);
  queue->order->set_complete();
  queue->attempts.clear();
  queue->attempt_times.clear();
  CO_TRY_VOID(co_await store_.sync());
  co_return wire::Empty{};
}

runtime::Task<base::Result<wire::Empty>> Service::tag_queue(const wire::Context& context,
                                                            TagQueueRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "TagQueue"));
  QueueRecord record = queue->record;
  if (request.tags.empty()) {
    co_return base::fail(errors::kMissingParameter, "The request must contain the parameter Tags.");
  }
  for (auto& [key, value] : request.tags) record.tags.insert_or_assign(key, value);
  CO_TRY_VOID(check_tags(record.tags, record.name));
  CO_TRY_VOID(replace_record(*queue, std::move(record)));
  CO_TRY_VOID(co_await store_.sync());
  co_return wire::Empty{};
}

runtime::Task<base::Result<wire::Empty>> Service::untag_queue(const wire::Context& context,
                                                              UntagQueueRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "UntagQueue"));
  QueueRecord record = queue->record;
  if (request.tag_keys.empty()) {
    co_return base::fail(errors::kInvalidParameterValue,
                         "Tag keys must be between 1 and 128 characters in length.");
  }
  for (const std::string& key : request.tag_keys) record.tags.erase(key);
  CO_TRY_VOID(replace_record(*queue, std::move(record)));
  CO_TRY_VOID(co_await store_.sync());
  co_return wire::Empty{};
}

runtime::Task<base::Result<ListQueueTagsResult>> Service::list_queue_tags(
    const wire::Context& context, ListQueueTagsRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "ListQueueTags"));
  ListQueueTagsResult result;
  if (!queue->record.tags.empty()) result.tags = queue->record.tags;
  co_return result;
}

runtime::Task<base::Result<wire::Empty>> Service::add_permission(const wire::Context& context,
                                                                 AddPermissionRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "AddPermission"));
  QueueRecord record = queue->record;
  CO_TRY(std::string policy, with_permission(record.attributes["Policy"], queue->arn, request.label,
                                             request.aws_account_ids, request.actions));
  CO_TRY_VOID(check_change({{"Policy", policy}}, {}, queue->fifo()));
  record.attributes["Policy"] = std::move(policy);
  CO_TRY_VOID(replace_record(*queue, std::move(record)));
  CO_TRY_VOID(co_await store_.sync());
  co_return wire::Empty{};
}

runtime::Task<base::Result<wire::Empty>> Service::remove_permission(
    const wire::Context& context, RemovePermissionRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "RemovePermission"));
  QueueRecord record = queue->record;
  CO_TRY(std::string policy, without_permission(record.attributes["Policy"], request.label));
  apply_change({{"Policy", std::move(policy)}}, record.attributes);
  CO_TRY_VOID(replace_record(*queue, std::move(record)));
  CO_TRY_VOID(co_await store_.sync());
  co_return wire::Empty{};
}

}  // namespace terrarium::sqs
