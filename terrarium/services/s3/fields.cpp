#include "terrarium/services/s3/fields.h"

#include <optional>

namespace terrarium::s3 {
namespace {

void append_number(std::string& to, std::uint64_t value) {
  while (value >= 0x80) {
    to.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  to.push_back(static_cast<char>(value));
}

// Takes a number off the front of `from`.
std::optional<std::uint64_t> take_number(std::string_view& from) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> take_text(std::string_view& from) {
  const auto size = take_number(from);
  if (!size || *size > from.size()) return std::nullopt;
  const std::string_view text = from.substr(0, *size);
  from.remove_prefix(*size);
  return text;
}

}  // namespace

void FieldWriter::raw(std::uint8_t tag, std::string_view bytes) {
  bytes_.push_back(static_cast<char>(tag));
  append_number(bytes_, bytes.size());
  bytes_ += bytes;
}

void FieldWriter::text(std::uint8_t tag, std::string_view bytes) {
  if (!bytes.empty()) raw(tag, bytes);
}

void FieldWriter::number(std::uint8_t tag, std::uint64_t value) {
  if (value == 0) return;
  std::string bytes;
  append_number(bytes, value);
  raw(tag, bytes);
}

void FieldWriter::pair(std::uint8_t tag, std::string_view name, std::string_view value) {
  std::string bytes;
  append_number(bytes, name.size());
  bytes += name;
  bytes += value;
  raw(tag, bytes);
}

void FieldWriter::record(std::uint8_t tag, FieldWriter inner) { raw(tag, inner.take()); }

bool FieldReader::next() {
  if (broken_ || rest_.empty()) return false;
  tag_ = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  const auto field = take_text(rest_);
  broken_ = !field;
  field_ = field.value_or(std::string_view());
  return !broken_;
}

std::uint64_t FieldReader::number() {
  std::string_view bytes = field_;
  const auto value = take_number(bytes);
  if (!value || !bytes.empty()) broken_ = true;
  return value.value_or(0);
}

std::pair<std::string_view, std::string_view> FieldReader::pair() {
  std::string_view bytes = field_;
  const auto name = take_text(bytes);
  if (!name) {
    broken_ = true;
    return {};
  }
  return {*name, bytes};
}

}  // namespace terrarium::s3
