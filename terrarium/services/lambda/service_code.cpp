// Function code: from requests and from S3 into the code store, out of it again when nobody has it
// any more, and to clients that ask for it.
#include "generated/lambda/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/service.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;
constexpr std::chrono::minutes kTokenLifetime{10};

std::unexpected<base::Error> fetch_failure(const base::Error& error) {
  const std::string_view code =
      error.row != nullptr ? error.row->code : base::to_string(error.kind);
  auto failure = base::fail(errors::kInvalidParameterValueException,
                            "Error occurred while GetObject. S3 Error Code: " + std::string(code) +
                                ". S3 Error Message: " + error.message);
  failure.error().cause = std::make_shared<const base::Error>(error);
  return failure;
}

}  // namespace

Task<void> Service::enter_code_store() {
  while (in_code_store_ && !tasks_.stopping()) co_await code_store_free_.wait_until(kNever);
  in_code_store_ = true;
}

void Service::leave_code_store() {
  in_code_store_ = false;
  code_store_free_.notify_one();
}

// What it stored is pinned until unpin(): no record names it yet.
Task<Result<StoredCode>> Service::store_code(CodeSource source) {
  if (source.zip.empty()) {
    auto read = co_await parts_.s3.read_object(source.bucket, source.key, kZipBytesMax);
    if (!read) co_return fetch_failure(read.error());
    source.zip = *std::move(read);
  }
  co_await enter_code_store();
  auto stored =
      co_await parts_.runtime.blocking().run([this, &source] { return code_.add(source.zip); });
  if (stored) pinned_code_.insert(stored->sha256_hex);
  leave_code_store();
  co_return stored;
}

void Service::unpin(const std::string& sha256_hex) {
  if (const auto found = pinned_code_.find(sha256_hex); found != pinned_code_.end()) {
    pinned_code_.erase(found);
  }
}

Result<bool> Service::is_code_used(const std::string& sha256_hex) const {
  if (pinned_code_.contains(sha256_hex)) return true;
  const std::string prefix(keys::kAllFunctions);
  const auto cursor = parts_.store.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(const FunctionRecord record, parse_function(cursor->value()));
    if (record.code_sha256_hex == sha256_hex) return true;
  }
  TRY_VOID(cursor->status());
  return false;
}

void Service::forget_code_later(std::string sha256_hex) {
  tasks_.spawn("forget code", forget_code(std::move(sha256_hex)));
}

Task<void> Service::forget_code(std::string sha256_hex) {
  co_await fleet_.wait_unused(sha256_hex);
  if (tasks_.stopping()) co_return;
  co_await enter_code_store();
  // When that can't be told, the next start of the daemon tidies up.
  if (!is_code_used(sha256_hex).value_or(true)) {
    co_await parts_.runtime.blocking().run([this, &sha256_hex] { code_.remove(sha256_hex); });
  }
  leave_code_store();
}

// "<sha256>.<expiry, seconds>.<hmac>": whoever was given it may fetch the code for a while.
std::string Service::code_token(const std::string& sha256_hex) const {
  const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(
      (parts_.clock.now() + kTokenLifetime).time_since_epoch());
  const std::string what = sha256_hex + "." + std::to_string(expiry.count());
  return what + "." + base::hex_encode(base::hmac_sha256(code_secret_, what));
}

Result<std::unique_ptr<http::BodyReader>> Service::open_code(std::string_view token) {
  const auto denied = [] {
    return base::fail(base::ErrorKind::Denied, "The link is not valid, or not any more");
  };
  const std::size_t end_of_sha = token.find('.');
  const std::size_t end_of_what = token.rfind('.');
  if (end_of_sha == std::string_view::npos || end_of_sha == end_of_what) return denied();
  const std::string_view what = token.substr(0, end_of_what);
  const std::string mac = base::hex_encode(base::hmac_sha256(code_secret_, what));
  if (!base::equals_in_constant_time(mac, token.substr(end_of_what + 1))) return denied();
  // Signed by us: what it says is as we wrote it.
  const std::string expiry(what.substr(end_of_sha + 1));
  const base::Timestamp end{std::chrono::seconds(std::stoll(expiry))};
  if (parts_.clock.now() > end) return denied();
  const std::filesystem::path zip = code_.zip(std::string(what.substr(0, end_of_sha)));
  std::error_code error;
  const auto bytes = std::filesystem::file_size(zip, error);
  if (error) return base::fail(base::ErrorKind::NotFound, "The code has been replaced");
  return http::file_body(parts_.runtime.blocking(), zip, 0, bytes);
}

}  // namespace terrarium::lambda
