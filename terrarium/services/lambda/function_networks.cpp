#include "terrarium/services/lambda/function_networks.h"

#include <algorithm>
#include <charconv>

#include "lib/base/log.h"

namespace terrarium::lambda {
namespace {

constexpr std::string_view kPrefix = "function-";
constexpr const char* kLoopback = "127.0.0.1";
// Where AWS's own Runtime API listens.
constexpr std::uint16_t kRuntimeApiPort = 9001;

std::string id_of(std::size_t number) { return std::string(kPrefix) + std::to_string(number); }

}  // namespace

runtime::Task<base::Result<FunctionNetworks::Place>> FunctionNetworks::take() {
  if (network_ == nullptr) co_return Place{};
  std::size_t number = 0;
  while (used_.contains(number)) ++number;
  used_.insert(number);
  const std::string id = id_of(number);
  base::Result<int> listening = base::fail(base::ErrorKind::NotFound, "not made yet");
  if (number < made_) listening = network_->listen_in_isolated(id, kLoopback, kRuntimeApiPort);
  if (!listening) {
    const base::Result<void> made = co_await network_->add_isolated(id);
    listening = made ? network_->listen_in_isolated(id, kLoopback, kRuntimeApiPort)
                     : std::unexpected(made.error());
  }
  if (!listening) {
    used_.erase(number);
    co_return std::unexpected(
        base::wrap(std::move(listening).error(), "make a network for a function"));
  }
  made_ = std::max(made_, number + 1);
  co_return Place{.id = id, .path = network_->namespace_path(id), .listening_fd = *listening};
}

void FunctionNetworks::give_back(const std::string& id) {
  std::size_t number = 0;
  const std::string_view digits = std::string_view(id).substr(std::min(kPrefix.size(), id.size()));
  if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec == std::errc()) {
    used_.erase(number);
  }
}

runtime::Task<void> FunctionNetworks::remove_all() {
  if (network_ == nullptr) co_return;
  for (; made_ > 0; --made_) {
    const auto removed = co_await network_->remove_isolated(id_of(made_ - 1));
    if (!removed) base::log::warning("lambda", "{}", base::describe(removed.error()));
  }
}

}  // namespace terrarium::lambda
