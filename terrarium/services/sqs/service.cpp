#include "terrarium/services/sqs/service.h"

#include <algorithm>

#include "generated/sqs/errors.h"
#include "terrarium/services/sqs/keys.h"
#include "terrarium/services/sqs/queue_address.h"
#include "terrarium/services/sqs/service_messages.h"
#include "terrarium/wire/permissions.h"

namespace terrarium::sqs {
namespace {

std::string map_key(std::string_view region, std::string_view name) {
  return std::string(region).append("/").append(name);
}

}  // namespace

// The query protocol has always said more.
std::unexpected<base::Error> no_queue(const wire::Context& context) {
  const bool query =
      context.request != nullptr && !context.request->headers.find("x-amz-target").has_value();
  return base::fail(errors::kQueueDoesNotExist,
                    query ? "The specified queue does not exist for this wsdl version."
                          : "The specified queue does not exist.");
}

Service::Service(store::Store& store, base::Clock& clock, base::Random& random,
                 runtime::Executor executor, Config config)
    : store_(store),
      clock_(clock),
      random_(random),
      executor_(executor),
      config_(std::move(config)),
      tasks_(executor) {}

Service::~Service() {
  for (const auto& [key, queue] : queues_) {
    disarm(*queue);
    queue->deleted = true;
  }
}

base::Result<void> Service::start() {
  TRY(const auto counter, store_.get(store::Table::Sqs, counter_key()));
  if (counter.has_value()) {
    TRY(next_number_, decode_number(*counter));
  }
  TRY_VOID(load_deleted_names());
  const auto cursor =
      store_.scan(store::Table::Sqs, queue_prefix(), store::prefix_end(queue_prefix()));
  for (; cursor->valid(); cursor->next()) {
    TRY(QueueRecord record, decode_queue(cursor->value()));
    TRY_VOID(load_queue(std::move(record)));
  }
  TRY_VOID(cursor->status());
  tasks_.spawn("sqs sweep", sweep());
  for (const auto& [key, queue] : queues_) {
    const MoveTask* const moving = queue->moving();
    if (moving != nullptr) tasks_.spawn("sqs move", move_rest(queue, moving->id));
  }
  return {};
}

base::Result<void> Service::load_deleted_names() {
  const std::string prefix = deleted_name_prefix();
  const auto cursor = store_.scan(store::Table::Sqs, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(const std::uint64_t until, decode_number(cursor->value()));
    deleted_names_.emplace(std::string(cursor->key()),
                           base::Timestamp(base::Duration(static_cast<std::int64_t>(until))));
  }
  return cursor->status();
}

base::Result<void> Service::load_queue(QueueRecord record) {
  TRY(Settings settings, settings_of(record.attributes, record.fifo()));
  const std::string arn = queue_arn(record.region, config_.account, record.name);
  auto queue =
      std::make_shared<Queue>(std::move(record), std::move(settings), arn, clock_, stored_budget_);
  const std::uint64_t number = queue->record.number;
  const base::Timestamp now = clock_.now();
  TRY(const auto tally, store_.get(store::Table::Sqs, tally_key(number)));
  if (tally.has_value()) {
    TRY(queue->tally, decode_tally(*tally));
  }
  if (queue->tally.waiting_from > 0) queue->order->set_loaded_to(queue->tally.waiting_from - 1);
  const auto each = [&](Kind kind, const auto& take) -> base::Result<void> {
    const auto cursor = store_.scan(store::Table::Sqs, prefix(kind, number),
                                    store::prefix_end(prefix(kind, number)));
    for (; cursor->valid(); cursor->next()) TRY_VOID(take(*cursor));
    return cursor->status();
  };
  if (!queue->fifo()) {
    TRY_VOID(each(Kind::Index, [&](const store::Cursor& cursor) -> base::Result<void> {
      TRY(const std::uint64_t sequence, sequence_of(cursor.key()));
      TRY(const DecodedIndex index, decode_index(cursor.value()));
      queue->order->restore(sequence, index.record, now);
      return {};
    }));
  }
  TRY_VOID(each(Kind::MoveTask, [&](const store::Cursor& cursor) -> base::Result<void> {
    TRY(MoveTask task, decode_move_task(cursor.value()));
    queue->moves.push_front(std::move(task));
    return {};
  }));
  queue->has_moved = true;  // until the first look says otherwise
  TRY_VOID(load_more(*queue, now));
  queues_.emplace(map_key(queue->record.region, queue->record.name), std::move(queue));
  return {};
}

runtime::Task<void> Service::stop() {
  stopping_ = true;
  for (const auto& [key, queue] : queues_) {
    disarm(*queue);
    queue->arrived.notify_all();
    queue->watched.notify_all();
  }
  co_await tasks_.stop();
}

QueuePtr Service::find(std::string_view region, std::string_view name) const {
  const auto found = queues_.find(map_key(region, name));
  return found == queues_.end() ? nullptr : found->second;
}

QueuePtr Service::find_by_arn(std::string_view arn) const {
  const QueueAddress address = parse_queue_arn(arn);
  QueuePtr queue = find(address.region, address.name);
  return queue != nullptr && queue->arn == arn ? queue : nullptr;
}

base::Result<QueuePtr> Service::open_by_arn(std::string_view arn) const {
  QueuePtr queue = find_by_arn(arn);
  if (queue == nullptr) {
    return base::fail(errors::kQueueDoesNotExist, "The specified queue does not exist.");
  }
  return queue;
}

base::Result<QueuePtr> Service::open(const wire::Context& context, std::string_view queue_url,
                                     std::string_view action) const {
  TRY(const QueueAddress address, parse_queue_url(queue_url));
  const bool own = address.account.empty() || address.account == context.account;
  const bool here = address.region.empty() || address.region == context.region;
  QueuePtr queue = own && here ? find(context.region, address.name) : nullptr;
  if (queue == nullptr) return no_queue(context);
  TRY_VOID(authorize(context, *queue, action));
  return queue;
}

base::Result<void> Service::authorize(const wire::Context& context, const Queue& queue,
                                      std::string_view action) const {
  const wire::Principal& caller = context.principal;
  TRY(const wire::PermissionsPtr permissions, wire::permissions_of(context));
  if (permissions && caller.account == config_.account) {
    return wire::authorise(*permissions,
                           wire::policy_request(context, "sqs:" + std::string(action), queue.arn),
                           queue.settings.policy ? &*queue.settings.policy : nullptr);
  }
  auto decision = wire::Decision::None;
  if (queue.settings.policy.has_value()) {
    decision = queue.settings.policy->evaluate(
        wire::policy_request(context, "sqs:" + std::string(action), queue.arn));
  }
  const bool own = caller.kind != wire::PrincipalKind::Anonymous &&
                   caller.kind != wire::PrincipalKind::Service && caller.account == config_.account;
  if (decision == wire::Decision::Allow || (decision == wire::Decision::None && own)) return {};
  if (caller.kind == wire::PrincipalKind::Anonymous) {
    return base::fail(errors::kAccessDenied, "Access to the resource " + context.endpoint + "/" +
                                                 config_.account + "/" + queue.record.name +
                                                 " is denied.");
  }
  std::string message = "User: " + caller.arn + " is not authorized to perform: sqs:";
  message += std::string(action) + " on resource: " + queue.arn;
  message += decision == wire::Decision::Deny ? " with an explicit deny in a resource-based policy"
                                              : " because no resource-based policy allows it";
  return base::fail(errors::kAccessDenied, std::move(message));
}

base::Result<void> Service::authorize_service(const SendingService& from,
                                              const Queue& queue) const {
  if (queue.settings.policy.has_value() &&
      queue.settings.policy->evaluate(wire::policy_request_of_service(
          from.principal, from.source_arn, from.source_account, clock_.now(), "sqs:SendMessage",
          queue.arn)) == wire::Decision::Allow) {
    return {};
  }
  return base::fail(errors::kAccessDenied, from.principal + " may not perform sqs:SendMessage on " +
                                               queue.arn + " for " + from.source_arn);
}

boost::json::array Service::status() const {
  boost::json::array out;
  const base::Timestamp now = clock_.now();
  for (const auto& [key, queue] : queues_) {
    const auto oldest = queue->order->oldest();
    const auto age =
        oldest.has_value() ? std::max<base::Duration>(now - *oldest, {}) : base::Duration();
    out.push_back(boost::json::object{
        {"queue", queue->record.name},
        {"region", queue->record.region},
        {"visible", queue->visible()},
        {"in flight", queue->order->in_flight_count()},
        {"delayed", queue->order->delayed_count()},
        {"oldest age seconds", std::chrono::floor<std::chrono::seconds>(age).count()}});
  }
  return out;
}

}  // namespace terrarium::sqs
