#include "terrarium/services/ec2/image_keeper.h"

#include <algorithm>
#include <set>

#include "lib/base/log.h"
#include "terrarium/services/ec2/image_rules.h"

namespace terrarium::ec2 {
namespace {

constexpr int kAttemptsMax = 3;
constexpr base::Duration kRetryAfter = std::chrono::seconds(2);
constexpr base::Duration kLookEvery = std::chrono::minutes(1);
// A system gets this long to shut down before its disk is saved.
constexpr base::Duration kShutdownGrace = std::chrono::seconds(20);

// Databases' machines may have layers too.
bool is_image_name(const std::string& name) { return name.starts_with(ImageIdTag::kPrefix); }

// Trying again can't help.
bool is_final(base::ErrorKind kind) {
  return kind == base::ErrorKind::InvalidInput || kind == base::ErrorKind::NotFound ||
         kind == base::ErrorKind::NotImplemented;
}

}  // namespace

ImageKeeper::ImageKeeper(Core& core) : core_(core), tasks_(core.executor()), wake_(core.clock()) {}

void ImageKeeper::start() {
  core_.on_change([this] {
    ++changes_;
    wake_.notify_all();
  });
  tasks_.spawn("images", keep());
}

runtime::Task<void> ImageKeeper::stop() { co_await tasks_.stop(); }

bool ImageKeeper::quiet() const { return pending().empty(); }

// One at a time: two would only share the disk's speed.
runtime::Task<void> ImageKeeper::keep() {
  while (!tasks_.stopping()) {
    const std::uint64_t seen = changes_;
    const std::vector<Pending> wanted = pending();
    std::erase_if(failures_, [&wanted](const auto& failed) {
      return std::ranges::find(wanted, ImageId(failed.first), &Pending::id) == wanted.end();
    });
    for (const Pending& image : wanted) {
      if (tasks_.stopping()) co_return;
      co_await save(image);
    }
    const auto removed = co_await remove_unused();
    if (!removed.has_value()) {
      base::log::warning("ec2", "layers of images: {}", base::describe(removed.error()));
    }
    if (changes_ == seen) co_await wake_.wait_until(next_look());
  }
}

std::vector<ImageKeeper::Pending> ImageKeeper::pending() const {
  std::vector<Pending> found;
  for (const auto& [region, state] : core_.states()) {
    for (const ImageRecord& image : state.all<ImageRecord>()) {
      if (image.state == ImageState::Pending) found.push_back({region, image.id});
    }
  }
  return found;
}

runtime::Task<void> ImageKeeper::save(Pending image) {
  const auto failed = failures_.find(image.id.value);
  if (failed != failures_.end() && core_.clock().now() < failed->second.retry_at) co_return;
  auto done = co_await save_layer(image);
  if (done.has_value()) {
    failures_.erase(image.id.value);
    done = co_await core_.change_own(image.region, [id = image.id](Transaction& transaction) {
      return image_saved(transaction, id);
    });
  } else {
    base::log::warning("ec2", "image {}: {}", image.id.value, base::describe(done.error()));
    done = co_await note_failure(image, done.error());
  }
  if (!done.has_value()) {
    base::log::warning("ec2", "image {}: {}", image.id.value, base::describe(done.error()));
  }
}

runtime::Task<base::Result<void>> ImageKeeper::save_layer(Pending image) {
  CO_TRY(const auto layers, core_.machines().images());
  // The daemon before this one may have saved it.
  if (std::ranges::find(layers, image.id.value) != layers.end()) co_return base::Result<void>();
  const State& state = core_.states().at(image.region);
  const ImageRecord* const record = state.find<ImageRecord>(image.id);
  if (record == nullptr || !record->source_instance.has_value()) co_return base::Result<void>();
  const std::string machine = record->source_instance->value;
  const auto* const instance = state.find<InstanceRecord>(*record->source_instance);
  if (record->reboot_source && instance != nullptr &&
      instance->state == InstanceStateName::Running) {
    CO_TRY_VOID(co_await core_.machines().stop(machine, kShutdownGrace));
  }
  co_return co_await core_.machines().save_image(machine, image.id.value);
}

runtime::Task<base::Result<void>> ImageKeeper::note_failure(Pending image, base::Error error) {
  Failures& failures = failures_[image.id.value];
  failures.retry_at = core_.clock().now() + kRetryAfter;
  if (++failures.count < kAttemptsMax && !is_final(error.kind)) co_return base::Result<void>();
  failures_.erase(image.id.value);
  co_return co_await core_.change_own(
      image.region, [id = image.id, why = error.message](Transaction& transaction) {
        return image_failed(transaction, id, why);
      });
}

runtime::Task<base::Result<void>> ImageKeeper::remove_unused() {
  CO_TRY(const auto layers, core_.machines().images());
  std::set<std::string> used;
  for (const auto& [region, state] : core_.states()) add_layers_in_use(state, used);
  // What is unused now stays so: only a record that lies on a layer can give it to another.
  for (const std::string& layer : layers) {
    if (tasks_.stopping()) break;
    if (!is_image_name(layer) || used.contains(layer)) continue;
    auto removed = co_await core_.machines().remove_image(layer);
    // A terminated instance's machine may still lie on it.
    const bool later = !removed.has_value() && removed.error().kind == base::ErrorKind::Conflict;
    if (!later) CO_TRY_VOID(std::move(removed));
  }
  co_return base::Result<void>();
}

base::Timestamp ImageKeeper::next_look() const {
  base::Timestamp next = core_.clock().now() + kLookEvery;
  for (const auto& [id, failures] : failures_) next = std::min(next, failures.retry_at);
  return next;
}

}  // namespace terrarium::ec2
