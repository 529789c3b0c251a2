// The chunked transfer coding, decoded in place, piece by piece: no bytes are kept, so any split of
// the input gives the same body. Refuses what is not exactly the grammar of RFC 9112 (bare LF,
// blanks around the size, sizes past 2^60) and bounds extensions and trailers. Trailers are checked
// and dropped. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace http {

class ChunkedDecoder {
 public:
  enum class Kind : std::uint8_t { Data, NeedMore, End, Bad };
  struct Piece {
    Kind kind = Kind::NeedMore;
    std::size_t consumed = 0;  // of the bytes given: framing and payload
    std::string_view data;     // Data: a stretch of payload, the last of the consumed bytes
    std::string_view why;      // Bad: static text
  };

  // Decodes `bytes`, which follow what was consumed before: framing, and at most one stretch of at
  // most data_max bytes of payload. NeedMore has consumed them all.
  Piece next(std::string_view bytes, std::size_t data_max);
  bool ended() const { return state_ == State::Ended; }

 private:
  enum class State : std::uint8_t {
    FirstDigit,
    Digits,
    Extension,
    SizeLf,
    Payload,
    PayloadCr,
    PayloadLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
    Ended,
    Broken,
  };
  // One byte of framing; a reason when it cannot be.
  std::string_view step(char c);
  std::string_view step_size(char c);
  std::string_view step_trailer(char c);

  State state_ = State::FirstDigit;
  std::uint64_t left_ = 0;      // payload bytes of this chunk still to come
  std::size_t line_bytes_ = 0;  // of this size line, or of all trailers
};

}  // namespace http
