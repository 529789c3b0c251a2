#include "lib/aws/chunked.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

constexpr std::uint64_t kChunkBytesMax = 16 * 1024 * 1024;
constexpr std::size_t kBufferBytes = 8 * 1024;
constexpr std::size_t kChunkHeadBytesMax = 128;
constexpr std::size_t kTrailerLineBytesMax = 1024;
constexpr std::size_t kTrailersMax = 16;
constexpr std::string_view kSignatureMark = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

constexpr base::ErrorRow kIncompleteBody{"IncompleteBody", 400, {}};
constexpr base::ErrorRow kInvalidRequest{"InvalidRequest", 400, {}};
constexpr base::ErrorRow kMalformedTrailer{"MalformedTrailerError", 400, {}};
constexpr base::ErrorRow kSignatureDoesNotMatch{"SignatureDoesNotMatch", 403, {}};

std::unexpected<base::Error> malformed(std::string what) {
  return base::fail(kInvalidRequest, "The aws-chunked body is malformed: " + what);
}

std::unexpected<base::Error> cut_short() {
  return base::fail(kIncompleteBody, "The request body terminated unexpectedly");
}

std::unexpected<base::Error> wrong_signature() {
  return base::fail(
      kSignatureDoesNotMatch,
      "The request signature we calculated does not match the signature you provided. "
      "Check your key and signing method.");
}

struct ChunkHead {
  std::uint64_t size = 0;
  std::string_view signature;
};

// "10000;chunk-signature=<64 hex digits>", or only the size when chunks are not signed.
base::Result<ChunkHead> parse_head(std::string_view line, bool is_signed) {
  ChunkHead head;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), head.size, 16);
  if (error != std::errc() || end == line.data() || head.size > kChunkBytesMax) {
    return malformed("a chunk's size is not a hexadecimal number up to 16 MiB.");
  }
  std::string_view rest = line.substr(static_cast<std::size_t>(end - line.data()));
  if (!is_signed) {
    if (!rest.empty()) return malformed("an unsigned chunk's size is followed by something.");
    return head;
  }
  if (!rest.starts_with(kSignatureMark)) return malformed("a chunk has no signature.");
  head.signature = rest.substr(kSignatureMark.size());
  return head;
}

class Reader final : public ChunkedReader {
 public:
  Reader(http::BodyReader& inner, ChunkedOptions options)
      : inner_(inner), options_(std::move(options)), digest_(base::DigestKind::Sha256) {}

  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    if (failure_) co_return std::unexpected(*failure_);
    if (ended_) co_return 0;
    auto got = co_await read_data(into);
    if (!got) failure_ = got.error();
    co_return got;
  }

  std::optional<std::uint64_t> length() const override { return options_.decoded_length; }
  const http::Headers& trailers() const override { return trailers_; }

 private:
  using Done = runtime::Task<base::Result<void>>;

  runtime::Task<base::Result<std::size_t>> read_data(std::span<char> into) {
    if (chunk_left_ == 0) {
      if (after_data_) CO_TRY_VOID(co_await read_empty_line());
      CO_TRY(const std::string line, co_await read_line(kChunkHeadBytesMax));
      CO_TRY_VOID(begin_chunk(line));
      if (chunk_left_ == 0) {
        CO_TRY_VOID(finish_chunk());
        CO_TRY_VOID(co_await read_end());
        ended_ = true;
        co_return 0;
      }
    }
    into = into.first(std::min<std::uint64_t>(into.size(), chunk_left_));
    CO_TRY(const std::size_t count, co_await read_inner(into));
    if (count == 0) co_return cut_short();
    if (options_.signer) digest_.update({into.data(), count});
    chunk_left_ -= count;
    total_ += count;
    // The chunk's last bytes pass only when its signature is right.
    if (chunk_left_ == 0) CO_TRY_VOID(finish_chunk());
    co_return count;
  }

  base::Result<void> begin_chunk(const std::string& line) {
    TRY(const ChunkHead head, parse_head(line, options_.signer.has_value()));
    if (options_.decoded_length && head.size > *options_.decoded_length - total_) {
      return base::fail(kIncompleteBody,
                        "The body has more bytes than x-amz-decoded-content-length "
                        "says.");
    }
    chunk_left_ = head.size;
    after_data_ = head.size > 0;
    signature_ = head.signature;
    return {};
  }

  base::Result<void> finish_chunk() {
    if (!options_.signer) return {};
    const std::string hash = base::hex_encode(digest_.finish());
    digest_ = base::Digest(base::DigestKind::Sha256);
    if (base::equals_in_constant_time(options_.signer->next(hash), signature_)) return {};
    return wrong_signature();
  }

  // What follows the last chunk: trailers, an empty line, and nothing more.
  Done read_end() {
    if (options_.trailer) {
      CO_TRY_VOID(co_await read_trailers());
    } else {
      CO_TRY_VOID(co_await read_empty_line());
    }
    if (options_.decoded_length && total_ != *options_.decoded_length) {
      co_return base::fail(kIncompleteBody,
                           "The body has fewer bytes than x-amz-decoded-content-length says.");
    }
    char byte = 0;
    CO_TRY(const std::size_t more, co_await read_inner(std::span(&byte, 1)));
    if (more > 0) co_return malformed("bytes follow its end.");
    co_return base::Result<void>();
  }

  Done read_trailers() {
    std::string lines;
    std::optional<std::string> signature;
    for (;;) {
      CO_TRY(const std::string line, co_await read_line(kTrailerLineBytesMax));
      if (line.empty()) break;
      const std::size_t colon = std::min(line.find(':'), line.size());
      const std::string name = base::to_lower(std::string_view(line).substr(0, colon));
      if (colon == line.size() || signature || trailers_.size() >= kTrailersMax) {
        co_return base::fail(kMalformedTrailer, "The trailer is malformed.");
      }
      std::string value(base::trim(std::string_view(line).substr(colon + 1)));
      if (options_.signer && name == kTrailerSignature) {
        signature = std::move(value);
        continue;
      }
      CO_TRY_VOID(check_announced(name));
      lines += name + ':' + value + '\n';
      trailers_.add(name, std::move(value));
    }
    if (trailers_.size() < options_.announced.size()) {
      co_return base::fail(kMalformedTrailer, "A trailer that x-amz-trailer announces is missing.");
    }
    if (!options_.signer) co_return base::Result<void>();
    if (!signature || !base::equals_in_constant_time(options_.signer->trailer(lines), *signature)) {
      co_return wrong_signature();
    }
    co_return base::Result<void>();
  }

  base::Result<void> check_announced(const std::string& name) const {
    if (std::ranges::find(options_.announced, name) == options_.announced.end()) {
      return base::fail(kMalformedTrailer, "A trailer is not announced by x-amz-trailer.");
    }
    if (trailers_.find(name)) return base::fail(kMalformedTrailer, "A trailer is there twice.");
    return {};
  }

  Done read_empty_line() {
    CO_TRY(const std::string line, co_await read_line(0));
    co_return base::Result<void>();
  }

  // A line without its CR LF, of at most bytes_max bytes.
  runtime::Task<base::Result<std::string>> read_line(std::size_t bytes_max) {
    std::string line;
    for (;;) {
      if (at_ == end_) CO_TRY_VOID(co_await fill());
      const std::string_view held(buffer_.data() + at_, end_ - at_);
      const std::size_t newline = held.find('\n');
      const std::size_t count = std::min(newline, held.size());
      if (line.size() + count > bytes_max + 1) co_return malformed("a line is too long.");
      line += held.substr(0, count);
      at_ += count;
      if (newline == std::string_view::npos) continue;
      ++at_;
      if (!line.ends_with('\r')) co_return malformed("a line does not end with CR LF.");
      line.pop_back();
      co_return line;
    }
  }

  Done fill() {
    at_ = 0;
    end_ = 0;
    CO_TRY(const std::size_t count, co_await inner_.read(buffer_));
    if (count == 0) co_return cut_short();
    end_ = count;
    co_return base::Result<void>();
  }

  // What the buffer holds first, then past it without a copy.
  runtime::Task<base::Result<std::size_t>> read_inner(std::span<char> into) {
    if (at_ == end_) co_return co_await inner_.read(into);
    const std::size_t count = std::min(into.size(), end_ - at_);
    std::memcpy(into.data(), buffer_.data() + at_, count);
    at_ += count;
    co_return count;
  }

  http::BodyReader& inner_;
  ChunkedOptions options_;
  http::Headers trailers_;
  base::Digest digest_;    // of the chunk under way, when signed
  std::string signature_;  // of the chunk under way
  std::uint64_t chunk_left_ = 0;
  std::uint64_t total_ = 0;
  bool after_data_ = false;  // CR LF stands between this chunk and the next
  bool ended_ = false;
  std::optional<base::Error> failure_;
  std::array<char, kBufferBytes> buffer_{};
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

}  // namespace

std::unique_ptr<ChunkedReader> ChunkedReader::open(http::BodyReader& inner,
                                                   ChunkedOptions options) {
  return std::make_unique<Reader>(inner, std::move(options));
}

}  // namespace aws
