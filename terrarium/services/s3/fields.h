// The form in which this service stores its records: a run of fields, each a tag (1 byte), a length
// (LEB128) and bytes. A number is LEB128 inside its field, a pair is a length-prefixed name and the
// value. Absent means empty or zero. Pure; safe on any bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace terrarium::s3 {

class FieldWriter {
 public:
  // Nothing is written for empty text and for zero.
  void text(std::uint8_t tag, std::string_view bytes);
  void number(std::uint8_t tag, std::uint64_t value);
  void pair(std::uint8_t tag, std::string_view name, std::string_view value);
  // A record inside the record; written even when it is empty.
  void record(std::uint8_t tag, FieldWriter inner);
  std::string take() { return std::move(bytes_); }

 private:
  void raw(std::uint8_t tag, std::string_view bytes);
  std::string bytes_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view record) : rest_(record) {}

  // To the next field; false at the end and at the first byte that makes no sense.
  bool next();
  // True when the bytes read so far made sense and none are left.
  bool complete() const { return !broken_ && rest_.empty(); }
  // Says that the current field is not understood.
  void refuse() { broken_ = true; }

  std::uint8_t tag() const { return tag_; }
  std::string_view text() const { return field_; }
  std::uint64_t number();
  std::pair<std::string_view, std::string_view> pair();

 private:
  std::string_view rest_;
  std::string_view field_;
  std::uint8_t tag_ = 0;
  bool broken_ = false;
};

}  // namespace terrarium::s3
