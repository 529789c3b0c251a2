#include "terrarium/services/lambda/code_keeper.h"

#include "generated/lambda/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {
namespace {

constexpr std::chrono::minutes kLinkLifetime{10};

std::unexpected<base::Error> fetch_failure(const base::Error& error) {
  if (error.kind == base::ErrorKind::TooLarge) {
    return base::fail(
        errors::kInvalidParameterValueException,
        "Unzipped size must be smaller than " + std::to_string(kUnzippedBytesMax) + " bytes");
  }
  const std::string_view code =
      error.row != nullptr ? error.row->code : base::to_string(error.kind);
  auto failure = base::fail(errors::kInvalidParameterValueException,
                            "Error occurred while GetObject. S3 Error Code: " + std::string(code) +
                                ". S3 Error Message: " + error.message);
  failure.error().cause = std::make_shared<const base::Error>(error);
  return failure;
}

}  // namespace

PinnedCode::~PinnedCode() {
  if (keeper_ == nullptr) return;
  keeper_->unpin(code_.sha256_hex);
  if (!keeper_->is_used(code_.sha256_hex)) keeper_->forget_later(code_.sha256_hex);
}

CodeKeeper::CodeKeeper(Parts parts, std::filesystem::path folder)
    : parts_(parts), store_(std::move(folder)), secret_(parts.random.hex(32)), free_(parts.clock) {}

runtime::Task<void> CodeKeeper::enter() {
  while (busy_ && !parts_.tasks.stopping()) co_await free_.wait_until(kNever);
  busy_ = true;
}

void CodeKeeper::leave() {
  busy_ = false;
  free_.notify_one();
}

runtime::Task<base::Result<PinnedCode>> CodeKeeper::store(CodeSource source) {
  if (source.zip.empty()) {
    auto read =
        co_await parts_.s3.read_object(source.bucket, source.key, source.version_id, kZipBytesMax);
    if (!read) co_return fetch_failure(read.error());
    source.zip = *std::move(read);
  }
  co_await enter();
  auto stored =
      co_await parts_.runtime.blocking().run([this, &source] { return store_.add(source.zip); });
  if (stored) pinned_.insert(stored->sha256_hex);
  leave();
  if (!stored) co_return std::unexpected(std::move(stored).error());
  co_return PinnedCode(*this, *std::move(stored));
}

runtime::Task<base::Result<PinnedCode>> CodeKeeper::merge(std::vector<std::string> layers) {
  co_await enter();
  auto merged =
      co_await parts_.runtime.blocking().run([this, &layers] { return store_.merge(layers); });
  if (merged) pinned_.insert(merged->sha256_hex);
  leave();
  if (!merged) co_return std::unexpected(std::move(merged).error());
  co_return PinnedCode(*this, *std::move(merged));
}

void CodeKeeper::unpin(const std::string& sha256_hex) {
  if (const auto found = pinned_.find(sha256_hex); found != pinned_.end()) pinned_.erase(found);
}

void CodeKeeper::forget_later(std::string sha256_hex) {
  if (sha256_hex.empty() || parts_.tasks.stopping()) return;
  parts_.tasks.spawn("forget code", forget(std::move(sha256_hex)));
}

runtime::Task<void> CodeKeeper::forget(std::string sha256_hex) {
  co_await wait_unused(sha256_hex);
  if (parts_.tasks.stopping()) co_return;
  co_await enter();
  if (!pinned_.contains(sha256_hex) && !is_used(sha256_hex)) {
    co_await parts_.runtime.blocking().run([this, &sha256_hex] { store_.remove(sha256_hex); });
  }
  leave();
}

// "<sha256>.<expiry, seconds>.<hmac>": whoever was given it may fetch the code for a while.
std::string CodeKeeper::link(std::string_view endpoint, const std::string& sha256_hex) const {
  const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(
      (parts_.clock.now() + kLinkLifetime).time_since_epoch());
  const std::string what = sha256_hex + "." + std::to_string(expiry.count());
  return std::string(endpoint) + std::string(kCodePrefix) + what + "." +
         base::hex_encode(base::hmac_sha256(secret_, what));
}

base::Result<std::unique_ptr<http::BodyReader>> CodeKeeper::open_link(
    std::string_view token) const {
  const auto denied = [] {
    return base::fail(base::ErrorKind::Denied, "The link is not valid, or not any more");
  };
  const std::size_t end_of_sha = token.find('.');
  const std::size_t end_of_what = token.rfind('.');
  if (end_of_sha == std::string_view::npos || end_of_sha == end_of_what) return denied();
  const std::string_view what = token.substr(0, end_of_what);
  const std::string mac = base::hex_encode(base::hmac_sha256(secret_, what));
  if (!base::equals_in_constant_time(mac, token.substr(end_of_what + 1))) return denied();
  // Signed by us: what it says is as we wrote it.
  const std::string expiry(what.substr(end_of_sha + 1));
  const base::Timestamp end{std::chrono::seconds(std::stoll(expiry))};
  if (parts_.clock.now() > end) return denied();
  const std::filesystem::path zip = store_.zip(std::string(what.substr(0, end_of_sha)));
  std::error_code error;
  const auto bytes = std::filesystem::file_size(zip, error);
  if (error) return base::fail(base::ErrorKind::NotFound, "The code has been replaced");
  return http::file_body(parts_.runtime.blocking(), zip, 0, bytes);
}

}  // namespace terrarium::lambda
