// multipart/form-data, as a stream: bytes in, parts out, nothing kept but the head of the part
// under way and a delimiter's length of its data. Strict where a browser is: CRLF everywhere, the
// first boundary at the very beginning. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace messageboard {

// "form-data; name=\"file\"; filename=\"a.jpg\"": the value of one option, quotes and their escapes
// taken off; the last of that name counts. `name` is in lower case.
std::optional<std::string> header_option(std::string_view value, std::string_view name);
// The value before its options, in lower case: "multipart/form-data".
std::string header_value(std::string_view value);

struct PartHead {
  std::string name;
  std::optional<std::string> filename;  // present: a file, even when empty
};

class PartSink {
 public:
  virtual ~PartSink() = default;
  // Each returns nothing, or why the whole upload is refused.
  virtual std::optional<std::string> on_part(PartHead head) = 0;
  virtual std::optional<std::string> on_data(std::string_view data) = 0;
  virtual std::optional<std::string> on_part_end() = 0;
};

class MultipartParser {
 public:
  struct Limits {
    std::size_t head_bytes_max = 16 * 1024;  // of one part
    std::size_t parts_max = 1000;
  };
  // Why parsing stopped; an empty text means "this is not multipart".
  struct Broken {
    std::string reason;
  };

  MultipartParser(std::string_view boundary, Limits limits);
  // A boundary as RFC 2046 allows it: 1 to 70 characters of its set.
  static bool valid_boundary(std::string_view boundary);

  std::expected<void, Broken> feed(std::string_view bytes, PartSink& sink);
  // The closing boundary was seen. A part before it that was cut short has had no on_part_end().
  bool finished() const { return state_ == State::Epilogue; }

 private:
  enum class State { Start, AfterBoundary, Head, Data, Epilogue };
  using Step = std::expected<bool, Broken>;  // whether the state moved on
  Step start();
  Step after_boundary();
  Step head(PartSink& sink);
  Step data(PartSink& sink);

  std::string delimiter_;  // "\r\n--boundary"
  Limits limits_;
  State state_ = State::Start;
  std::string buffer_;
  std::size_t parts_ = 0;
};

}  // namespace messageboard
