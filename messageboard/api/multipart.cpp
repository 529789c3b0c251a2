#include "messageboard/api/multipart.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "lib/base/encoding.h"
#include "messageboard/api/python_text.h"

namespace messageboard {
namespace {

using Broken = MultipartParser::Broken;

constexpr std::string_view kNotToken = "()<>@,;:\\\"/[]?={} \t\r\n";

// The quoted text that starts at `at`, without its quotes; `at` moves behind it.
std::optional<std::string> take_quoted(std::string_view text, std::size_t& at) {
  std::string value;
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      at = i + 1;
      return value;
    }
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    // Browsers escape quotes and nothing else: a lone backslash is part of a Windows path.
    if (escape && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    value += text[i];
  }
  return std::nullopt;
}

// Text in UTF-8, or else in Latin-1, which is never wrong.
std::string decode_text(std::string_view bytes) {
  if (decode_utf8(bytes)) return std::string(bytes);
  std::string text;
  for (const char c : bytes) append_utf8(text, static_cast<unsigned char>(c));
  return text;
}

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
}

std::optional<PartHead> parse_head(std::string_view lines, std::string& why) {
  std::optional<std::string_view> disposition;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines = end == lines.npos ? std::string_view() : lines.substr(end + 2);
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == line.npos) return std::nullopt;
    const std::string_view name = line.substr(0, colon);
    if (!std::ranges::all_of(name, is_name_character)) return std::nullopt;
    if (base::equals_ignoring_case(name, "content-disposition")) {
      disposition = base::trim(line.substr(colon + 1));
    }
  }
  auto name = header_option(disposition.value_or(""), "name");
  if (!name) {
    why = "The Content-Disposition header field \"name\" must be provided.";
    return std::nullopt;
  }
  PartHead head{.name = decode_text(*name), .filename = {}};
  if (auto filename = header_option(*disposition, "filename")) {
    // Old browsers send the whole path.
    const bool drive = filename->size() > 2 && filename->compare(1, 2, ":\\") == 0;
    const bool windows_path = drive || filename->starts_with("\\\\");
    if (windows_path) filename->erase(0, filename->rfind('\\') + 1);
    head.filename = decode_text(*filename);
  }
  return head;
}

std::unexpected<Broken> broken(std::string reason = {}) {
  return std::unexpected(Broken{std::move(reason)});
}

}  // namespace

std::optional<std::string> header_option(std::string_view value, std::string_view name) {
  std::optional<std::string> found;
  std::size_t at = value.find(';');
  while (at < value.size()) {
    ++at;
    const std::size_t equals = value.find_first_of("=;", at);
    if (equals == value.npos) break;
    const std::string key = base::to_lower(base::trim(value.substr(at, equals - at)));
    at = equals;
    if (value[equals] == ';') continue;
    at = std::min(value.find_first_not_of(" \t", equals + 1), value.size());
    std::optional<std::string> text;
    if (at < value.size() && value[at] == '"') {
      text = take_quoted(value, at);
      if (!text) break;
    } else {
      const std::size_t end = std::min(value.find_first_of(kNotToken, at), value.size());
      if (end > at) text = value.substr(at, end - at);
      at = end;
    }
    if (key == name && text) found = std::move(text);
    at = value.find(';', at);
  }
  return found;
}

std::string header_value(std::string_view value) {
  return base::to_lower(base::trim(value.substr(0, value.find(';'))));
}

MultipartParser::MultipartParser(std::string_view boundary, Limits limits)
    : delimiter_(fmt::format("\r\n--{}", boundary)), limits_(limits) {}

bool MultipartParser::valid_boundary(std::string_view boundary) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+_,-./:=? ";
  return !boundary.empty() && boundary.size() <= 70 && boundary.back() != ' ' &&
         boundary.find_first_not_of(kAllowed) == boundary.npos;
}

std::expected<void, Broken> MultipartParser::feed(std::string_view bytes, PartSink& sink) {
  buffer_ += bytes;
  for (;;) {
    Step moved = false;
    switch (state_) {
      case State::Start: moved = start(); break;
      case State::AfterBoundary: moved = after_boundary(); break;
      case State::Head: moved = head(sink); break;
      case State::Data: moved = data(sink); break;
      case State::Epilogue: buffer_.clear(); break;
    }
    if (!moved) return std::unexpected(std::move(moved).error());
    if (!*moved) return {};
  }
}

MultipartParser::Step MultipartParser::start() {
  const std::string_view first = std::string_view(delimiter_).substr(2);
  const std::string_view seen = std::string_view(buffer_).substr(0, first.size());
  if (seen != first.substr(0, seen.size())) return broken();
  if (seen.size() < first.size()) return false;
  buffer_.erase(0, first.size());
  state_ = State::AfterBoundary;
  return true;
}

MultipartParser::Step MultipartParser::after_boundary() {
  const bool possible = buffer_.empty() || buffer_[0] == '\r' || buffer_[0] == '-';
  if (!possible) return broken();
  if (buffer_.size() < 2) return false;
  const std::string_view next = std::string_view(buffer_).substr(0, 2);
  // A form without a single part is no form.
  if (next == "--" && parts_ > 0) {
    state_ = State::Epilogue;
  } else if (next == "\r\n") {
    if (++parts_ > limits_.parts_max) {
      return broken(
          fmt::format("Too many fields. Maximum number of fields is {}.", limits_.parts_max));
    }
    state_ = State::Head;
  } else {
    return broken();
  }
  buffer_.erase(0, 2);
  return true;
}

MultipartParser::Step MultipartParser::head(PartSink& sink) {
  // An empty head is its closing empty line alone.
  const bool empty = buffer_.starts_with("\r\n");
  const std::size_t end = empty ? 0 : buffer_.find("\r\n\r\n");
  if (end == buffer_.npos) {
    if (buffer_.size() > limits_.head_bytes_max) return broken();
    return false;
  }
  if (end > limits_.head_bytes_max) return broken();
  std::string why;
  auto parsed = parse_head(std::string_view(buffer_).substr(0, end), why);
  if (!parsed) return broken(std::move(why));
  buffer_.erase(0, empty ? 2 : end + 4);
  if (auto refused = sink.on_part(*std::move(parsed))) return broken(*std::move(refused));
  state_ = State::Data;
  return true;
}

MultipartParser::Step MultipartParser::data(PartSink& sink) {
  const std::size_t end = buffer_.find(delimiter_);
  // Without a delimiter all but what may be the beginning of one is data.
  const std::size_t kept = delimiter_.size() - 1;
  const std::size_t certain =
      end != buffer_.npos ? end : buffer_.size() - std::min(buffer_.size(), kept);
  if (certain > 0) {
    const auto refused = sink.on_data(std::string_view(buffer_).substr(0, certain));
    if (refused) return broken(*refused);
  }
  if (end == buffer_.npos) {
    buffer_.erase(0, certain);
    return false;
  }
  buffer_.erase(0, end + delimiter_.size());
  if (auto refused = sink.on_part_end()) return broken(*std::move(refused));
  state_ = State::AfterBoundary;
  return true;
}

}  // namespace messageboard
