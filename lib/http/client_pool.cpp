#include "lib/http/client_pool.h"

#include <boost/asio/post.hpp>

#include "lib/base/encoding.h"

namespace http {
namespace {

std::string key_of(const Url& url) {
  return (url.tls ? "s " : "p ") + base::to_lower(url.host) + " " + std::to_string(url.port);
}

}  // namespace

ClientPool::ClientPool(runtime::Executor executor, base::Clock& clock, std::size_t per_host_max,
                       base::Duration idle_timeout)
    : executor_(executor),
      clock_(clock),
      per_host_max_(per_host_max),
      idle_timeout_(idle_timeout) {}

ClientPool::~ClientPool() {
  if (timer_) clock_.cancel(*timer_);
}

std::shared_ptr<ClientConnection> ClientPool::take(const Url& url) {
  const auto found = idle_.find(key_of(url));
  if (found == idle_.end()) return nullptr;
  std::vector<Idle>& waiting = found->second;
  std::shared_ptr<ClientConnection> good;
  while (good == nullptr && !waiting.empty()) {
    Idle newest = std::move(waiting.back());
    waiting.pop_back();
    const bool fresh = clock_.now() < newest.since + idle_timeout_;
    if (fresh && !newest.connection->disturbed()) good = std::move(newest.connection);
  }
  if (waiting.empty()) idle_.erase(found);
  return good;
}

void ClientPool::give_back(std::shared_ptr<ClientConnection> connection) {
  connection->rest();
  if (per_host_max_ == 0) return;
  std::vector<Idle>& waiting = idle_[key_of(connection->url())];
  if (waiting.size() >= per_host_max_) waiting.erase(waiting.begin());
  waiting.push_back({std::move(connection), clock_.now()});
  purge_later();
}

void ClientPool::purge_later() {
  if (timer_) return;
  timer_ =
      clock_.call_at(clock_.now() + idle_timeout_, [weak = weak_from_this(), executor = executor_] {
        boost::asio::post(executor, [weak] {
          if (const auto self = weak.lock()) self->purge();
        });
      });
}

void ClientPool::purge() {
  timer_.reset();
  const base::Timestamp oldest = clock_.now() - idle_timeout_;
  for (auto at = idle_.begin(); at != idle_.end();) {
    std::erase_if(at->second, [oldest](const Idle& idle) { return idle.since <= oldest; });
    at = at->second.empty() ? idle_.erase(at) : std::next(at);
  }
  if (!idle_.empty()) purge_later();
}

}  // namespace http
