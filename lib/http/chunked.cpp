#include "lib/http/chunked.h"

#include <algorithm>

#include "lib/http/scanner.h"

namespace http {
namespace {

constexpr std::size_t kSizeLineBytesMax = 256;
constexpr std::size_t kTrailerBytesMax = 8 * 1024;
constexpr std::uint64_t kChunkBytesMax = std::uint64_t{1} << 60;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view ChunkedDecoder::step_size(char c) {
  if (++line_bytes_ > kSizeLineBytesMax) return "a chunk's size line is too long";
  if (state_ == State::SizeLf) {
    if (c != '\n') return "a carriage return stands alone";
    line_bytes_ = 0;
    state_ = left_ > 0 ? State::Payload : State::TrailerStart;
    return {};
  }
  if (state_ == State::Extension) {
    if (c == '\r') {
      state_ = State::SizeLf;
    } else if (!is_field_value({&c, 1})) {
      return "a chunk extension holds a control character";
    }
    return {};
  }
  if (const int digit = hex_digit(c); digit >= 0) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    if (left_ >= kChunkBytesMax) return "a chunk is too large";
    state_ = State::Digits;
    return {};
  }
  if (state_ == State::FirstDigit) return "a chunk has no size";
  if (c == ';') {
    state_ = State::Extension;
  } else if (c == '\r') {
    state_ = State::SizeLf;
  } else {
    return "a chunk's size is malformed";
  }
  return {};
}

std::string_view ChunkedDecoder::step_trailer(char c) {
  if (++line_bytes_ > kTrailerBytesMax) return "the trailers are too large";
  switch (state_) {
    case State::TrailerStart:
      if (c == '\r') {
        state_ = State::LastLf;
      } else if (is_token({&c, 1})) {
        state_ = State::TrailerName;
      } else {
        return "a trailer line is malformed";
      }
      return {};
    case State::TrailerName:
      if (c == ':') {
        state_ = State::TrailerValue;
      } else if (!is_token({&c, 1})) {
        return "a trailer line is malformed";
      }
      return {};
    case State::TrailerValue:
      if (c == '\r') {
        state_ = State::TrailerLf;
      } else if (!is_field_value({&c, 1})) {
        return "a trailer holds a control character";
      }
      return {};
    case State::TrailerLf:
    case State::LastLf:
      if (c != '\n') return "a carriage return stands alone";
      state_ = state_ == State::LastLf ? State::Ended : State::TrailerStart;
      return {};
    default: return "a trailer line is malformed";
  }
}

std::string_view ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::PayloadCr:
      if (c != '\r') return "a chunk is longer than its size";
      state_ = State::PayloadLf;
      return {};
    case State::PayloadLf:
      if (c != '\n') return "a carriage return stands alone";
      state_ = State::FirstDigit;
      return {};
    case State::FirstDigit:
    case State::Digits:
    case State::Extension:
    case State::SizeLf: return step_size(c);
    default: return step_trailer(c);
  }
}

ChunkedDecoder::Piece ChunkedDecoder::next(std::string_view bytes, std::size_t data_max) {
  std::size_t at = 0;
  for (;;) {
    if (state_ == State::Ended) return {Kind::End, at, {}, {}};
    if (state_ == State::Broken) return {Kind::Bad, at, {}, "the chunked body is broken"};
    if (at == bytes.size()) return {Kind::NeedMore, at, {}, {}};
    if (state_ == State::Payload) {
      const std::string_view data = bytes.substr(at, std::min<std::uint64_t>(left_, data_max));
      left_ -= data.size();
      if (left_ == 0) state_ = State::PayloadCr;
      return {Kind::Data, at + data.size(), data, {}};
    }
    const std::string_view why = step(bytes[at++]);
    if (!why.empty()) {
      state_ = State::Broken;
      return {Kind::Bad, at, {}, why};
    }
  }
}

}  // namespace http
