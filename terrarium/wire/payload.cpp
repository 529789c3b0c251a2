#include "terrarium/wire/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "lib/aws/chunked.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/wire/errors.h"

namespace terrarium::wire {
namespace {

constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";

struct Algorithm {
  std::string_view header;
  std::string_view name;
  base::DigestKind kind;
};
constexpr std::array<Algorithm, 5> kAlgorithms = {
    {{"x-amz-checksum-crc32", "CRC32", base::DigestKind::Crc32},
     {"x-amz-checksum-crc32c", "CRC32C", base::DigestKind::Crc32c},
     {"x-amz-checksum-sha1", "SHA1", base::DigestKind::Sha1},
     {"x-amz-checksum-sha256", "SHA256", base::DigestKind::Sha256},
     {"x-amz-checksum-crc64nvme", "CRC64NVME", base::DigestKind::Crc64Nvme}}};

const Algorithm* find_algorithm(std::string_view header) {
  const auto* const found = std::ranges::find(kAlgorithms, header, &Algorithm::header);
  return found == kAlgorithms.end() ? nullptr : found;
}

// What the headers promise about the bytes.
struct Promises {
  std::string sha256_hex;  // empty: none
  std::string md5;         // 16 bytes, or empty
  const Algorithm* algorithm = nullptr;
  std::string checksum;  // its bytes; empty: it comes in the trailer
  std::vector<std::string> trailers;
};

std::unexpected<base::Error> invalid_checksum(std::string_view header) {
  return base::fail(errors::kInvalidRequest,
                    fmt::format("Value for {} header is invalid.", header));
}

base::Result<std::string> checksum_bytes(const Algorithm& algorithm, std::string_view text) {
  auto bytes = base::base64_decode(text);
  if (!bytes || bytes->size() != base::digest_bytes(algorithm.kind)) {
    return invalid_checksum(algorithm.header);
  }
  return *std::move(bytes);
}

base::Result<void> read_md5(const http::HeaderViews& headers, Promises& promises) {
  const auto text = headers.find("content-md5");
  if (!text) return {};
  auto bytes = base::base64_decode(*text);
  if (!bytes || bytes->size() != base::digest_bytes(base::DigestKind::Md5)) {
    auto failure = base::fail(errors::kInvalidDigest, "The Content-MD5 you specified was invalid.");
    failure.error().fields = {{"Content-MD5", std::string(*text)}};
    return failure;
  }
  promises.md5 = *std::move(bytes);
  return {};
}

base::Result<void> read_trailer_names(const http::HeaderViews& headers, Promises& promises) {
  std::string_view names = headers.find("x-amz-trailer").value_or("");
  while (!names.empty()) {
    const std::string_view part = names.substr(0, names.find(','));
    names.remove_prefix(std::min(part.size() + 1, names.size()));
    std::string name = base::to_lower(base::trim(part));
    if (name.empty()) continue;
    const Algorithm* algorithm = find_algorithm(name);
    if (algorithm == nullptr || promises.algorithm != nullptr) {
      return base::fail(errors::kInvalidRequest,
                        "The value specified in the x-amz-trailer header is not supported");
    }
    promises.algorithm = algorithm;
    promises.trailers.push_back(std::move(name));
  }
  return {};
}

base::Result<void> read_checksum(const http::HeaderViews& headers, Promises& promises) {
  for (const http::HeaderView& field : headers) {
    const std::string name = base::to_lower(field.name);
    if (!name.starts_with(kChecksumPrefix) || name == "x-amz-checksum-type" ||
        name == "x-amz-checksum-algorithm" || name == "x-amz-checksum-mode") {
      continue;
    }
    const Algorithm* algorithm = find_algorithm(name);
    if (algorithm == nullptr) {
      return base::fail(errors::kInvalidRequest,
                        fmt::format("The checksum {} is not supported.", name));
    }
    if (promises.algorithm != nullptr) {
      return base::fail(errors::kInvalidRequest,
                        "Expecting a single x-amz-checksum- header. Multiple checksum Types are "
                        "not allowed.");
    }
    TRY(promises.checksum, checksum_bytes(*algorithm, field.value));
    promises.algorithm = algorithm;
  }
  const auto announced = headers.find("x-amz-sdk-checksum-algorithm");
  if (!announced) return {};
  if (promises.algorithm == nullptr) {
    return base::fail(errors::kInvalidRequest,
                      "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                      "x-amz-checksum-* or x-amz-trailer headers were found.");
  }
  if (!base::equals_ignoring_case(*announced, promises.algorithm->name)) {
    return invalid_checksum("x-amz-sdk-checksum-algorithm");
  }
  return {};
}

base::Result<std::uint64_t> decoded_length(const http::HeaderViews& headers) {
  const auto text = headers.find("x-amz-decoded-content-length");
  std::uint64_t length = 0;
  if (!text) {
    return base::fail(errors::kMissingContentLength,
                      "You must provide the Content-Length HTTP header.");
  }
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error != std::errc() || end != text->data() + text->size()) {
    return base::fail(errors::kInvalidArgument,
                      "x-amz-decoded-content-length must be a number of bytes");
  }
  return length;
}

class VerifiedPayload final : public Payload {
 public:
  VerifiedPayload(http::BodyReader& inner, Promises promises)
      : inner_(&inner), promises_(std::move(promises)) {
    for (const base::DigestKind kind : promised()) running_.emplace(kind, base::Digest(kind));
  }

  void decode_chunks(aws::ChunkedOptions options) {
    chunked_ = aws::ChunkedReader::open(*inner_, std::move(options));
    inner_ = chunked_.get();
  }

  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    if (failure_) co_return std::unexpected(*failure_);
    if (ended_) co_return 0;
    auto got = co_await read_some(into);
    if (got) co_return got;
    failure_ = got.error();
    // The connection's own word for a body that breaks off or breaks its framing.
    if (failure_->row == nullptr && failure_->kind == base::ErrorKind::InvalidInput) {
      failure_ = base::fail(errors::kIncompleteBody,
                            "You did not provide the number of bytes specified by the "
                            "Content-Length HTTP header")
                     .error();
      failure_->detail = got.error().message;
    }
    co_return std::unexpected(*failure_);
  }

  std::optional<std::uint64_t> length() const override { return inner_->length(); }
  const http::Headers& verified() const override { return verified_; }

  std::vector<base::DigestKind> promised() const override {
    std::vector<base::DigestKind> kinds;
    if (!promises_.sha256_hex.empty()) kinds.push_back(base::DigestKind::Sha256);
    if (!promises_.md5.empty()) kinds.push_back(base::DigestKind::Md5);
    if (promises_.algorithm != nullptr) kinds.push_back(promises_.algorithm->kind);
    return kinds;
  }
  void take_over() override {
    running_.clear();
    taken_over_ = true;
  }
  base::Result<void> settle(const DigestOf& digest_of) override {
    if (!promises_.sha256_hex.empty()) {
      TRY_VOID(compare_sha256(digest_of(base::DigestKind::Sha256)));
    }
    if (!promises_.md5.empty()) TRY_VOID(compare_md5(digest_of(base::DigestKind::Md5)));
    if (promises_.algorithm == nullptr) return {};
    return compare_checksum(digest_of(promises_.algorithm->kind));
  }

 private:
  runtime::Task<base::Result<std::size_t>> read_some(std::span<char> into) {
    CO_TRY(const std::size_t count, co_await inner_->read(into));
    const std::string_view bytes(into.data(), count);
    for (auto& [kind, digest] : running_) digest.update(bytes);
    total_ += count;
    if (count > 0 && inner_->length() != total_) co_return count;
    if (count > 0) {
      // The last bytes by the declared length: what follows must be the end, and all must fit,
      // before a reader that stops here takes them for good.
      char byte = 0;
      CO_TRY(const std::size_t more, co_await inner_->read(std::span(&byte, 1)));
      if (more > 0) {
        co_return base::fail(errors::kInvalidRequest, "The body is longer than declared.");
      }
    }
    CO_TRY_VOID(finish());
    ended_ = true;
    co_return count;
  }

  base::Result<void> finish() {
    if (taken_over_) return {};
    std::map<base::DigestKind, std::string> digests;
    for (auto& [kind, digest] : running_) digests.emplace(kind, digest.finish());
    return settle(
        [&digests](base::DigestKind kind) -> const std::string& { return digests.at(kind); });
  }

  base::Result<void> compare_sha256(const std::string& computed) const {
    const std::string hex = base::hex_encode(computed);
    if (hex == promises_.sha256_hex) return {};
    auto failure =
        base::fail(errors::kContentSha256Mismatch,
                   "The provided 'x-amz-content-sha256' header does not match what was computed.");
    failure.error().fields = {{"ClientComputedContentSHA256", promises_.sha256_hex},
                              {"S3ComputedContentSHA256", hex}};
    return failure;
  }

  base::Result<void> compare_md5(const std::string& computed) const {
    if (computed == promises_.md5) return {};
    auto failure = base::fail(errors::kBadDigest,
                              "The Content-MD5 you specified did not match what we received.");
    failure.error().fields = {{"ExpectedDigest", base::base64_encode(promises_.md5)},
                              {"CalculatedDigest", base::base64_encode(computed)}};
    return failure;
  }

  base::Result<void> compare_checksum(const std::string& computed) {
    const Algorithm& algorithm = *promises_.algorithm;
    std::string expected = promises_.checksum;
    if (expected.empty()) {
      const auto trailer = chunked_ ? chunked_->trailers().find(algorithm.header) : std::nullopt;
      if (!trailer) return invalid_checksum(algorithm.header);
      TRY(expected, checksum_bytes(algorithm, *trailer));
    }
    if (computed != expected) {
      return base::fail(errors::kBadDigest,
                        fmt::format("The {} you specified did not match the calculated checksum.",
                                    algorithm.name));
    }
    verified_.add(std::string(algorithm.header), base::base64_encode(computed));
    return {};
  }

  http::BodyReader* inner_;
  Promises promises_;
  std::unique_ptr<aws::ChunkedReader> chunked_;
  std::map<base::DigestKind, base::Digest> running_;
  bool taken_over_ = false;
  http::Headers verified_;
  std::uint64_t total_ = 0;
  bool ended_ = false;
  std::optional<base::Error> failure_;
};

// The payload's hash as the signature has it, or, of an unsigned request, as its header says.
std::string_view declared_hash(const http::Request& request, const Identity& identity) {
  if (identity.authentication) return identity.authentication->payload_hash;
  return request.headers.find("x-amz-content-sha256").value_or("");
}

}  // namespace

base::Result<std::unique_ptr<Payload>> Payload::open(const http::Request& request,
                                                     const Identity& identity,
                                                     const OperationModel& operation) {
  const http::HeaderViews& headers = request.headers;
  const std::string_view hash = declared_hash(request, identity);
  const bool is_signed = hash == aws::kStreamingSigned || hash == aws::kStreamingSignedTrailer;
  const bool chunked = is_signed || hash == aws::kStreamingUnsignedTrailer;
  Promises promises;
  if (!chunked && !hash.empty() && hash != aws::kUnsignedPayload) promises.sha256_hex = hash;
  TRY_VOID(read_md5(headers, promises));
  if (chunked) TRY_VOID(read_trailer_names(headers, promises));
  if (operation.checksum_of_body) TRY_VOID(read_checksum(headers, promises));
  if (operation.checksum_required && promises.md5.empty() && promises.algorithm == nullptr) {
    return base::fail(errors::kInvalidRequest,
                      "Missing required header for this request: Content-MD5 OR "
                      "x-amz-checksum-*");
  }
  aws::ChunkedOptions options;
  if (chunked) {
    TRY(options.decoded_length, decoded_length(headers));
    options.trailer = hash != aws::kStreamingSigned;
    options.announced = promises.trailers;
    if (is_signed) {
      if (!identity.authentication) {
        return base::fail(errors::kInvalidRequest, "Signed chunks need a signed request.");
      }
      const aws::Authentication& made = *identity.authentication;
      options.signer.emplace(identity.signing_key, made.scope, made.time, made.signature);
    }
  } else if (operation.streaming_input && !headers.find("content-length")) {
    return base::fail(errors::kMissingContentLength,
                      "You must provide the Content-Length HTTP header.");
  }
  auto payload = std::make_unique<VerifiedPayload>(*request.body, std::move(promises));
  if (chunked) payload->decode_chunks(std::move(options));
  return payload;
}

}  // namespace terrarium::wire
