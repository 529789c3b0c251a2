#include "messageboard/api/sweeper.h"

#include <boost/describe/enum_to_string.hpp>

#include "lib/base/log.h"
#include "messageboard/api/picture_store.h"

namespace messageboard {
namespace {

namespace asio = runtime::asio;
using namespace std::chrono_literals;
using runtime::Task;

constexpr base::Duration kTick = 100ms;
constexpr base::Duration kFindInterval = 5s;
constexpr std::size_t kFailedEvery = 60;  // rounds of finding
constexpr base::Duration kLookTimeout = 10s;
constexpr std::size_t kLooksMax = 16;         // at once
constexpr std::size_t kPicturesMax = 10'000;  // in memory; the rest waits in the table
constexpr std::int64_t kFindPage = 500;

}  // namespace

Sweeper::Sweeper(Worker& worker)
    : worker_(worker), clock_(worker.shared.clock), tasks_(worker.executor) {}

void Sweeper::start() {
  tasks_.spawn("look at pictures", look_around());
  tasks_.spawn("find pictures", find());
}

Task<void> Sweeper::stop() { return tasks_.stop(); }

void Sweeper::expect(std::int64_t id, std::string key) {
  asio::post(worker_.executor, [this, id, key = std::move(key)]() mutable {
    if (pictures_.size() >= kPicturesMax) return;
    const base::Timestamp now = clock_.now();
    pictures_.try_emplace(id,
                          Picture{.key = std::move(key), .since = now, .next_look = now + kTick});
  });
}

Task<void> Sweeper::look_around() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!tasks_.stopping()) {
    co_await runtime::sleep_until(clock_, clock_.now() + kTick);
    if (!tasks_.stopping() && worker_.database.connected()) start_due_looks();
  }
}

void Sweeper::start_due_looks() {
  const base::Timestamp now = clock_.now();
  for (auto& [id, picture] : pictures_) {
    if (looks_ >= kLooksMax) return;
    if (picture.looking || picture.next_look > now) continue;
    picture.looking = true;
    ++looks_;
    tasks_.spawn("look at picture", look_at(id, picture.key, picture.status));
  }
}

Task<void> Sweeper::look_at(std::int64_t id, std::string key, ImageStatus known) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto seen = co_await look_up(worker_, key, clock_.now() + kLookTimeout);
  if (seen.has_value() == store_away_) {
    store_away_ = !seen.has_value();
    if (store_away_ && !tasks_.stopping()) {
      base::log::warning("pictures", "cannot ask for pictures: {}", base::describe(seen.error()));
    }
  }
  ImageStatus status = seen.value_or(known);
  if (status != known && !tasks_.stopping()) {
    const auto written = co_await worker_.database.run(
        Statement::SetImageStatus,
        {std::to_string(id), boost::describe::enum_to_string(status, "pending")});
    if (!written) status = known;
  }
  --looks_;
  const auto found = pictures_.find(id);
  if (found == pictures_.end()) co_return;
  if (status != ImageStatus::pending) {
    pictures_.erase(found);
    co_return;
  }
  Picture& picture = found->second;
  picture.looking = false;
  picture.status = ImageStatus::pending;
  const base::Timestamp now = clock_.now();
  picture.next_look = now + pause_before_look(now - picture.since);
}

Task<void> Sweeper::find() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (std::size_t round = 0; !tasks_.stopping();) {
    if (worker_.database.connected()) {
      std::int64_t above = 0;
      const bool failed_too = round++ % kFailedEvery == 0;
      while (co_await find_page(above, failed_too) && !tasks_.stopping()) {
      }
    }
    if (tasks_.stopping()) break;
    const bool connected = worker_.database.connected();
    co_await runtime::sleep_until(clock_, clock_.now() + (connected ? kFindInterval : kTick));
  }
}

// False when there is nothing more to find.
Task<bool> Sweeper::find_page(std::int64_t& above, bool failed_too) {
  const auto rows = co_await worker_.database.run(
      Statement::UnfinishedImages,
      {std::to_string(above), std::to_string(kFindPage), failed_too ? "t" : "f"});
  if (!rows) co_return false;
  const base::Timestamp now = clock_.now();
  for (std::size_t row = 0; row < rows->size(); ++row) {
    above = rows->integer(row, 0);
    if (pictures_.size() >= kPicturesMax) co_return false;
    const ImageStatus status = parse_status(rows->text(row, 2)).value_or(ImageStatus::pending);
    const std::chrono::seconds age(rows->integer(row, 3));
    pictures_.try_emplace(above, Picture{.key = std::string(rows->text(row, 1)),
                                         .status = status,
                                         .since = now - age,
                                         .next_look = now});
  }
  co_return rows->size() == kFindPage;
}

}  // namespace messageboard
