#include "terrarium/wire/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "terrarium/wire/errors.h"

namespace terrarium::wire {
namespace {

constexpr std::size_t kStepBytes = 64 * 1024;
constexpr int kGzipWindowBits = 15 + 16;  // zlib's way to ask for gzip and nothing else

class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, kGzipWindowBits) == Z_OK; }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool ready() const { return ready_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

base::Result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max) {
  Inflater inflater;
  if (!inflater.ready()) return base::fail(base::ErrorKind::Internal, "preparing to inflate");
  z_stream& stream = inflater.stream();
  std::string input(compressed);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  std::string out;
  for (;;) {
    const std::size_t had = out.size();
    // One byte more than allowed shows a body that is too large.
    const std::size_t room = std::min(kStepBytes, bytes_max + 1 - had);
    out.resize(had + room);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    stream.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(had + room - stream.avail_out);
    if (out.size() > bytes_max) {
      return base::fail(errors::kRequestEntityTooLarge, "The decompressed request is larger than " +
                                                            std::to_string(bytes_max) + " bytes.");
    }
    if (result == Z_STREAM_END && stream.avail_in == 0) return out;
    const bool stuck = stream.avail_out == room && stream.avail_in == 0;
    if (result != Z_OK || stuck) {
      return base::fail(errors::kSerializationException, "The request body is not valid gzip.");
    }
  }
}

}  // namespace terrarium::wire
