#include "lib/aws/credentials.h"

#include <algorithm>

#include "lib/aws/environment.h"
#include "lib/aws/instance_metadata.h"
#include "lib/aws/remote_credentials.h"
#include "lib/aws/shared_files.h"
#include "lib/base/log.h"
#include "lib/runtime/event.h"

namespace aws {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kRefreshBefore = 5min;
// After a failed refresh, while the old keys still work.
constexpr base::Duration kRefreshPause = 10s;
constexpr base::Duration kLoadTimeMax = 10s;

class StaticProvider final : public CredentialsProvider {
 public:
  explicit StaticProvider(Credentials credentials) : credentials_(std::move(credentials)) {}
  runtime::Task<base::Result<Credentials>> get() override { co_return credentials_; }

 private:
  Credentials credentials_;
};

base::Result<std::optional<Credentials>> credentials_from_environment() {
  const auto id = environment("AWS_ACCESS_KEY_ID");
  const auto secret = environment("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return std::nullopt;
  if (!id || !secret) {
    return base::fail(base::ErrorKind::InvalidInput,
                      std::string("Partial credentials found in the environment, missing: ") +
                          (id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"));
  }
  return Credentials{*id, *secret, environment("AWS_SESSION_TOKEN").value_or(""), std::nullopt};
}

class Chain final : public CredentialsProvider {
 public:
  Chain(http::Client& client, base::Clock& clock)
      : client_(client), clock_(clock), metadata_(client, clock), loaded_(clock) {}

  runtime::Task<base::Result<Credentials>> get() override {
    // Whoever comes while one loads waits for what it finds, unless the old keys still serve.
    while (loading_ && !usable()) {
      if (!co_await loaded_.wait_until(clock_.now() + kLoadTimeMax)) {
        co_return base::fail(base::ErrorKind::Timeout, "Credentials did not come in time.");
      }
      if (!usable() && failure_) co_return std::unexpected(*failure_);
    }
    if (usable() && (loading_ || clock_.now() < refresh_at_)) co_return *keys_;
    co_return co_await refresh();
  }

 private:
  // Set for the time of a load, however it ends.
  struct Loading {
    Chain& chain;
    explicit Loading(Chain& owner) : chain(owner) { chain.loading_ = true; }
    ~Loading() {
      chain.loading_ = false;
      chain.loaded_.notify_all();
    }
    Loading(const Loading&) = delete;
    Loading& operator=(const Loading&) = delete;
  };

  bool usable() const { return keys_ && (!keys_->expiration || clock_.now() < *keys_->expiration); }

  runtime::Task<base::Result<Credentials>> refresh() {
    const Loading loading(*this);
    auto found = co_await load();
    if (found && found->expiration && *found->expiration <= clock_.now()) {
      found = base::fail(base::ErrorKind::Unavailable, "The credentials found have expired.");
    }
    failure_.reset();
    if (!found) {
      failure_ = found.error();
      if (!usable()) co_return found;
      base::log::warning("aws", "credentials not refreshed: {}", base::describe(found.error()));
      refresh_at_ = clock_.now() + kRefreshPause;
      co_return *keys_;
    }
    keys_ = *found;
    refresh_at_ = base::Timestamp::max();
    if (found->expiration) {
      // Keys that come with less than five minutes left are not asked for at every call.
      refresh_at_ = std::max(*found->expiration - kRefreshBefore, clock_.now() + kRefreshPause);
    }
    co_return found;
  }

  // AWS's order. A source that is set up but broken is an error: going on would mean another
  // identity than the one that was asked for.
  runtime::Task<base::Result<Credentials>> load() {
    CO_TRY(std::optional<Credentials> keys, credentials_from_environment());
    if (keys) co_return std::move(*keys);
    CO_TRY(keys, credentials_from_shared_files());
    if (keys) co_return std::move(*keys);
    CO_TRY(keys, co_await credentials_from_container(client_, clock_));
    if (keys) co_return std::move(*keys);
    auto from_instance = co_await credentials_from_instance(metadata_);
    if (from_instance || from_instance.error().kind != base::ErrorKind::NotFound) {
      co_return from_instance;
    }
    co_return std::unexpected(base::Error{
        .kind = base::ErrorKind::Denied,
        .row = nullptr,
        .message = "Unable to locate credentials",
        .detail = "environment, shared files, container endpoint and instance metadata have none",
        .fields = {},
        .where = std::source_location::current(),
        .cause = std::make_shared<const base::Error>(std::move(from_instance).error())});
  }

  http::Client& client_;
  base::Clock& clock_;
  InstanceMetadata metadata_;
  std::optional<Credentials> keys_;
  std::optional<base::Error> failure_;  // of the last load
  base::Timestamp refresh_at_;
  bool loading_ = false;
  runtime::Event loaded_;
};

}  // namespace

std::unique_ptr<CredentialsProvider> static_credentials(Credentials credentials) {
  return std::make_unique<StaticProvider>(std::move(credentials));
}

std::unique_ptr<CredentialsProvider> default_credentials_chain(http::Client& client,
                                                               base::Clock& clock) {
  return std::make_unique<Chain>(client, clock);
}

}  // namespace aws
