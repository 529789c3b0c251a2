#include "messageboard/api/upload.h"

#include <algorithm>
#include <array>
#include <optional>

#include "messageboard/api/multipart.h"
#include "messageboard/api/python_text.h"
#include "messageboard/api/query.h"

namespace messageboard {
namespace {

using Outcome = std::variant<Upload, Problem, Refusal>;

constexpr std::size_t kTextBytesMax = std::size_t{1024} * 1024;
constexpr std::uint64_t kBodyBytesMax = kFileBytesMax + kTextBytesMax;
constexpr std::size_t kFilenameMax = 255;

Refusal too_large() { return {413, "The file is larger than 20 MiB"}; }
Refusal unreadable() { return {400, "There was an error parsing the body"}; }
Problem absent(std::string_view field) { return missing({"body", std::string(field)}); }
Problem text_instead(std::string_view field) {
  return {{"body", std::string(field)},
          "Expected UploadFile, received: <class 'str'>",
          "value_error",
          {}};
}

// Keeps the file of the one field asked for; other parts pass by.
class Collector final : public PartSink {
 public:
  Collector(std::string_view field, UploadBudget& budget) : field_(field), budget_(budget) {}

  std::optional<std::string> on_part(PartHead head) override {
    wanted_ = head.name == field_;
    is_file_ = head.filename.has_value();
    part_bytes_ = 0;
    if (wanted_ && is_file_) {
      under_way_.emplace(displayable(*head.filename), std::string(), UploadLease(budget_));
    }
    return std::nullopt;
  }

  std::optional<std::string> on_data(std::string_view data) override {
    part_bytes_ += data.size();
    if (!is_file_ && part_bytes_ > kTextBytesMax) {
      return "Part exceeded maximum size of 1024KB.";
    }
    if (!wanted_ || !is_file_) return std::nullopt;
    if (part_bytes_ > kFileBytesMax) return stop(too_large());
    if (!under_way_->lease.grow(data.size())) {
      return stop({503, "Too many uploads at once, try again later"});
    }
    under_way_->bytes += data;
    return std::nullopt;
  }

  std::optional<std::string> on_part_end() override {
    if (!wanted_) return std::nullopt;
    file_ = is_file_ ? std::exchange(under_way_, std::nullopt) : std::nullopt;
    text_ = !is_file_ && part_bytes_ > 0;
    return std::nullopt;
  }

  Outcome outcome() {
    if (file_) return *std::exchange(file_, std::nullopt);
    return text_ ? text_instead(field_) : absent(field_);
  }
  // Why on_data() stopped the upload, when it was not the parser.
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  std::string stop(Refusal why) {
    refusal_ = std::move(why);
    return refusal_->detail;
  }

  std::string_view field_;
  UploadBudget& budget_;
  bool wanted_ = false;
  bool is_file_ = false;
  bool text_ = false;
  std::size_t part_bytes_ = 0;
  std::optional<Upload> under_way_;
  std::optional<Upload> file_;
  std::optional<Refusal> refusal_;
};

runtime::Task<Outcome> receive_multipart(http::Request& request, std::string boundary,
                                         std::string_view field, UploadBudget& budget) {
  Collector collector(field, budget);
  MultipartParser parser(boundary, {});
  std::uint64_t total = 0;
  auto chunk = std::make_unique<std::array<char, 32 * 1024>>();
  for (;;) {
    const auto count = co_await request.body->read(*chunk);
    if (!count) {
      const bool large = count.error().kind == base::ErrorKind::TooLarge;
      co_return large ? too_large() : unreadable();
    }
    if (*count == 0) break;
    total += *count;
    if (total > kBodyBytesMax) co_return too_large();
    const auto fed = parser.feed({chunk->data(), *count}, collector);
    if (collector.refusal()) co_return *collector.refusal();
    if (!fed)
      co_return fed.error().reason.empty() ? unreadable() : Refusal{400, fed.error().reason};
  }
  co_return collector.outcome();
}

runtime::Task<Outcome> receive_urlencoded(http::Request& request, std::string_view field) {
  const auto body = co_await http::read_all(*request.body, kTextBytesMax);
  if (!body) {
    const bool large = body.error().kind == base::ErrorKind::TooLarge;
    co_return large ? too_large() : unreadable();
  }
  const std::string value = query_value(*body, field).value_or("");
  co_return value.empty() ? absent(field) : text_instead(field);
}

}  // namespace

runtime::Task<Outcome> receive_upload(http::Request& request, std::string_view field,
                                      UploadBudget& budget) {
  const std::string_view content_type = request.headers.find("content-type").value_or("");
  const std::string kind = header_value(content_type);
  if (request.body->length().value_or(0) > kBodyBytesMax) co_return too_large();
  if (kind == "application/x-www-form-urlencoded") {
    co_return co_await receive_urlencoded(request, field);
  }
  if (kind != "multipart/form-data") co_return absent(field);
  const auto boundary = header_option(content_type, "boundary");
  if (!boundary) co_return Refusal{400, "Missing boundary in multipart."};
  if (!MultipartParser::valid_boundary(*boundary)) co_return unreadable();
  co_return co_await receive_multipart(request, *boundary, field, budget);
}

std::string displayable(std::string_view filename) {
  std::u32string shown;
  for (const char32_t c : decode_utf8(repair_utf8(filename)).value_or(std::u32string())) {
    if (shown.size() == kFilenameMax) break;
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    const bool turns_text = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    shown.push_back(control || turns_text ? U'\uFFFD' : c);
  }
  return encode_utf8(shown);
}

}  // namespace messageboard
