#include "terrarium/services/sqs/service.h"

#include <algorithm>
#include <array>

#include "generated/sqs/errors.h"
#include "lib/base/log.h"
#include "terrarium/wire/policy.h"

namespace terrarium::sqs {
namespace {

// Expired messages erased in one go: keeps each call short.
constexpr std::size_t kExpiredAtOnce = 100;

std::string map_key(std::string_view region, std::string_view name) {
  return std::string(region).append("/").append(name);
}

std::unexpected<base::Error> no_queue() {
  return base::fail(errors::kQueueDoesNotExist, "The specified queue does not exist.");
}

struct QueueAddress {
  std::string_view account;
  std::string_view name;
};

// Of "https://host:port/account/name": AWS goes by the path alone.
base::Result<QueueAddress> parse_url(std::string_view url) {
  const auto wrong = [url] {
    return base::fail(errors::kInvalidAddress, "The address " + std::string(url.substr(0, 1024)) +
                                                   " is not valid for this endpoint.");
  };
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    const std::size_t slash = url.find('/');
    if (slash == std::string_view::npos) return wrong();
    url.remove_prefix(slash);
  }
  if (!url.starts_with('/')) return wrong();
  url.remove_prefix(1);
  const std::size_t slash = url.find('/');
  if (slash == 0 || slash == std::string_view::npos) return wrong();
  const QueueAddress address{url.substr(0, slash), url.substr(slash + 1)};
  if (address.name.empty() || address.name.find('/') != std::string_view::npos) return wrong();
  return address;
}

}  // namespace

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
    TRY(next_number_, decode_counter(*counter));
  }
  const auto cursor =
      store_.scan(store::Table::Sqs, queue_prefix(), store::prefix_end(queue_prefix()));
  for (; cursor->valid(); cursor->next()) {
    TRY(QueueRecord record, decode_queue(cursor->value()));
    TRY_VOID(load_queue(std::move(record)));
  }
  TRY_VOID(cursor->status());
  tasks_.spawn("sqs sweep", sweep());
  return {};
}

base::Result<void> Service::load_queue(QueueRecord record) {
  TRY(Settings settings, settings_of(record.attributes));
  const std::string arn = queue_arn(record.region, config_.account, record.name);
  auto queue = std::make_shared<Queue>(std::move(record), std::move(settings), arn, clock_);
  const std::string prefix = index_prefix(queue->record.number);
  const base::Timestamp now = clock_.now();
  const auto cursor = store_.scan(store::Table::Sqs, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(const std::uint64_t sequence, sequence_of(cursor->key()));
    TRY(const IndexRecord index, decode_index(cursor->value()));
    queue->index.add(sequence, index, now);
  }
  TRY_VOID(cursor->status());
  queues_.emplace(map_key(queue->record.region, queue->record.name), std::move(queue));
  return {};
}

runtime::Task<void> Service::stop() {
  stopping_ = true;
  for (const auto& [key, queue] : queues_) {
    disarm(*queue);
    queue->arrived.notify_all();
  }
  co_await tasks_.stop();
}

QueuePtr Service::find(std::string_view region, std::string_view name) const {
  const auto found = queues_.find(map_key(region, name));
  return found == queues_.end() ? nullptr : found->second;
}

QueuePtr Service::find_by_arn(std::string_view arn) const {
  constexpr std::string_view kStart = "arn:aws:sqs:";
  if (!arn.starts_with(kStart)) return nullptr;
  const std::string_view rest = arn.substr(kStart.size());
  const std::size_t colon = rest.find(':');
  const std::size_t last = rest.rfind(':');
  if (colon == std::string_view::npos || last == colon) return nullptr;
  QueuePtr queue = find(rest.substr(0, colon), rest.substr(last + 1));
  return queue != nullptr && queue->arn == arn ? queue : nullptr;
}

base::Result<QueuePtr> Service::open_by_arn(std::string_view arn) const {
  QueuePtr queue = find_by_arn(arn);
  if (queue == nullptr) return no_queue();
  return queue;
}

base::Result<QueuePtr> Service::open(const wire::Context& context, std::string_view queue_url,
                                     std::string_view action) const {
  TRY(const QueueAddress address, parse_url(queue_url));
  QueuePtr queue =
      address.account == context.account ? find(context.region, address.name) : nullptr;
  if (queue == nullptr) return no_queue();
  TRY_VOID(authorize(context, *queue, action));
  return queue;
}

base::Result<void> Service::authorize(const wire::Context& context, const Queue& queue,
                                      std::string_view action) const {
  const wire::Principal& caller = context.principal;
  auto decision = wire::Decision::None;
  if (queue.settings.policy.has_value()) {
    decision = queue.settings.policy->evaluate(
        wire::policy_request(context, "sqs:" + std::string(action), queue.arn));
  }
  // What a user's or role's own policies allow has been asked before the service is called.
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

std::size_t Service::erase_expired(Queue& queue, base::Timestamp now) {
  const auto expired = queue.index.expired(now, queue.settings.retention, kExpiredAtOnce);
  if (expired.empty()) return 0;
  if (const auto erased = erase_messages(queue, expired); !erased.has_value()) {
    base::log::warning("sqs", "expired messages of {} stay: {}", queue.arn,
                       base::describe(erased.error()));
    return 0;
  }
  return expired.size();
}

void Service::pass_time(Queue& queue, base::Timestamp now) {
  queue.index.advance(now);
  erase_expired(queue, now);
}

void Service::disarm(Queue& queue) {
  if (queue.timer.has_value()) clock_.cancel(*queue.timer);
  queue.timer.reset();
}

void Service::arm(const QueuePtr& queue, std::size_t waiting) {
  const auto next = queue->index.next_visible();
  if (stopping_ || queue->deleted || waiting == 0 || !next.has_value()) return;
  if (queue->timer.has_value() && queue->timer_at <= *next) return;
  disarm(*queue);
  queue->timer_at = *next;
  queue->timer =
      clock_.call_at(*next, [this, executor = executor_, weak = std::weak_ptr<Queue>(queue)] {
        boost::asio::post(executor, [this, weak] {
          const QueuePtr due = weak.lock();
          if (due == nullptr || due->deleted) return;
          due->timer.reset();
          wake(due);
        });
      });
}

// One waiter for each visible message, and the next hidden one watched.
void Service::wake(const QueuePtr& queue) {
  queue->index.advance(clock_.now());
  const std::size_t due = std::min(queue->index.visible_count(), queue->arrived.waiting());
  for (std::size_t i = 0; i < due; ++i) queue->arrived.notify_one();
  arm(queue, queue->arrived.waiting());
}

runtime::Task<void> Service::sweep() {
  while (!stopping_) {
    co_await runtime::sleep_until(clock_, clock_.now() + config_.sweep_interval);
    if (stopping_) co_return;
    std::vector<QueuePtr> queues;
    for (const auto& [key, queue] : queues_) queues.push_back(queue);
    for (const QueuePtr& queue : queues) {
      while (!stopping_ && !queue->deleted && erase_expired(*queue, clock_.now()) > 0) {
        // Others get their turn between two slices.
        co_await boost::asio::post(executor_, runtime::use_task);
      }
    }
    std::erase_if(deleted_names_,
                  [now = clock_.now()](const auto& item) { return item.second <= now; });
  }
}

}  // namespace terrarium::sqs
