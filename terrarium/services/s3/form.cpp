#include "terrarium/services/s3/form.h"

#include <algorithm>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/services/s3/records.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

constexpr std::size_t kReadBytes = 64 * 1'024;
constexpr std::size_t kBoundaryBytesMax = 70;

std::unexpected<base::Error> malformed() {
  return base::fail(errors::kMalformedPOSTRequest,
                    "The body of your POST request is not well-formed multipart/form-data.");
}

std::unexpected<base::Error> fields_too_large() {
  return with_field(base::fail(errors::kMaxPostPreDataLengthExceededError,
                               "Your POST request fields preceding the upload file were too "
                               "large."),
                    "MaxPostPreDataLength", std::to_string(kFormFieldsBytesMax));
}

std::unexpected<base::Error> without_file() {
  return invalid_argument("POST requires exactly one file upload per request.", "file", "0");
}

// The value of `name` among the parameters of a header ("form-data; name=\"key\""), quotes removed.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  std::size_t at = header.find(';');
  while (at < header.size()) {
    ++at;
    while (at < header.size() && (header[at] == ' ' || header[at] == '\t')) ++at;
    const std::size_t equals = header.find('=', at);
    if (equals == std::string_view::npos) return std::nullopt;
    const bool found = base::equals_ignoring_case(base::trim(header.substr(at, equals - at)), name);
    at = equals + 1;
    std::string value;
    if (at < header.size() && header[at] == '"') {
      for (++at; at < header.size() && header[at] != '"'; ++at) {
        // Browsers escape quotes as %22; what is quoted by a backslash comes from other clients.
        const bool quoted = header[at] == '\\' && at + 1 < header.size() &&
                            (header[at + 1] == '"' || header[at + 1] == '\\');
        if (quoted) ++at;
        value.push_back(header[at]);
      }
    } else {
      const std::size_t end = std::min(header.find(';', at), header.size());
      value = base::trim(header.substr(at, end - at));
    }
    if (found) return value;
    at = header.find(';', at);
  }
  return std::nullopt;
}

std::string_view header_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (base::equals_ignoring_case(base::trim(line.substr(0, colon)), name)) {
      return base::trim(line.substr(colon + 1));
    }
  }
  return {};
}

}  // namespace

void FormFields::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

std::optional<std::string> FormFields::find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (base::equals_ignoring_case(field, name)) return value;
  }
  return std::nullopt;
}

base::Result<std::unique_ptr<FormReader>> FormReader::open(http::BodyReader& body,
                                                           std::string_view content_type) {
  const std::string_view type = base::trim(content_type.substr(0, content_type.find(';')));
  if (!base::equals_ignoring_case(type, "multipart/form-data")) {
    return with_field(base::fail(errors::kPreconditionFailed,
                                 "At least one of the pre-conditions you specified did not hold"),
                      "Condition", "Bucket POST must be of the enclosure-type multipart/form-data");
  }
  const std::string boundary = parameter(content_type, "boundary").value_or("");
  if (boundary.empty() || boundary.size() > kBoundaryBytesMax) return malformed();
  return std::unique_ptr<FormReader>(new FormReader(body, boundary));
}

// The first delimiter has no line before it: one is put there.
FormReader::FormReader(http::BodyReader& body, std::string boundary)
    : body_(body), delimiter_("\r\n--" + std::move(boundary)), buffer_("\r\n") {}

Task<base::Result<bool>> FormReader::fill() {
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  auto got = co_await body_.read(std::span(buffer_).subspan(before));
  buffer_.resize(before + got.value_or(0));
  if (!got.has_value()) co_return std::unexpected(std::move(got).error());
  co_return *got > 0;
}

Task<base::Result<std::size_t>> FormReader::find_delimiter(std::size_t bytes_max) {
  for (std::size_t from = 0;;) {
    const std::size_t at = buffer_.find(delimiter_, from);
    if (at != std::string::npos) {
      if (at > bytes_max) co_return fields_too_large();
      co_return at;
    }
    if (buffer_.size() > bytes_max + delimiter_.size()) co_return fields_too_large();
    from = buffer_.size() < delimiter_.size() ? 0 : buffer_.size() - delimiter_.size();
    CO_TRY(const bool more, co_await fill());
    if (!more) co_return malformed();
  }
}

Task<base::Result<std::optional<FormReader::Part>>> FormReader::next_part() {
  while (buffer_.size() < 2) {
    CO_TRY(const bool more, co_await fill());
    if (!more) co_return malformed();
  }
  if (buffer_.starts_with("--")) co_return std::optional<Part>();
  // With its line break in front, so that a part without headers ends at once.
  std::size_t end = buffer_.find("\r\n\r\n");
  while (end == std::string::npos) {
    if (buffer_.size() > kFormPartHeadBytesMax) co_return fields_too_large();
    CO_TRY(const bool more, co_await fill());
    if (!more) co_return malformed();
    end = buffer_.find("\r\n\r\n");
  }
  if (!buffer_.starts_with("\r\n") || end > kFormPartHeadBytesMax) co_return malformed();
  const std::string_view disposition =
      header_of(std::string_view(buffer_).substr(2, end), "content-disposition");
  const auto name = parameter(disposition, "name");
  if (!name || name->empty()) co_return malformed();
  Part part{*name, parameter(disposition, "filename")};
  buffer_.erase(0, end + 4);
  co_return std::optional(std::move(part));
}

Task<base::Result<FormFields>> FormReader::read_fields() {
  FormFields fields;
  std::size_t left = kFormFieldsBytesMax;
  CO_TRY(const std::size_t preamble, co_await find_delimiter(kFormFieldsBytesMax));
  buffer_.erase(0, preamble + delimiter_.size());
  for (;;) {
    CO_TRY(std::optional<Part> part, co_await next_part());
    if (!part) co_return without_file();
    if (base::equals_ignoring_case(part->name, "file")) {
      file_name_ = part->file_name.value_or("");
      co_return fields;
    }
    // Names too: fields without a value would cost nothing otherwise.
    if (part->name.size() > left) co_return fields_too_large();
    left -= part->name.size();
    CO_TRY(const std::size_t end, co_await find_delimiter(left));
    left -= end;
    fields.add(std::move(part->name), buffer_.substr(0, end));
    buffer_.erase(0, end + delimiter_.size());
  }
}

void FormReader::limit(std::uint64_t bytes_min, std::uint64_t bytes_max) {
  bytes_min_ = bytes_min;
  bytes_max_ = bytes_max;
}

Task<base::Result<std::size_t>> FormReader::read(std::span<char> into) {
  if (ended_) co_return 0;
  // What could be the beginning of a delimiter stays until more has come.
  while (buffer_.size() < delimiter_.size()) {
    CO_TRY(const bool more, co_await fill());
    if (!more) co_return malformed();
  }
  const std::size_t end = buffer_.find(delimiter_);
  if (end == 0) co_return co_await end_file();
  const std::size_t safe = end != std::string::npos ? end : buffer_.size() - delimiter_.size() + 1;
  const std::size_t count = std::min(into.size(), safe);
  std::ranges::copy_n(buffer_.begin(), static_cast<std::ptrdiff_t>(count), into.begin());
  buffer_.erase(0, count);
  bytes_ += count;
  if (bytes_ > bytes_max_) {
    co_return with_field(with_field(base::fail(errors::kEntityTooLarge,
                                               "Your proposed upload exceeds the maximum allowed "
                                               "size"),
                                    "ProposedSize", std::to_string(bytes_)),
                         "MaxSizeAllowed", std::to_string(bytes_max_));
  }
  co_return count;
}

Task<base::Result<std::size_t>> FormReader::end_file() {
  if (bytes_ < bytes_min_) {
    co_return with_field(with_field(base::fail(errors::kEntityTooSmall,
                                               "Your proposed upload is smaller than the minimum "
                                               "allowed size"),
                                    "ProposedSize", std::to_string(bytes_)),
                         "MinSizeAllowed", std::to_string(bytes_min_));
  }
  // To the request's end: one that breaks off has not said all that it had to say.
  for (;;) {
    buffer_.clear();
    CO_TRY(const bool more, co_await fill());
    if (!more) break;
  }
  ended_ = true;
  co_return 0;
}

}  // namespace terrarium::s3
