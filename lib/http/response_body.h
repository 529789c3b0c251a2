// The body of a response, read from its connection, which goes back to the pool at the end.
// Internal to lib/http.
#pragma once

#include "lib/http/body.h"
#include "lib/http/chunked.h"
#include "lib/http/client_pool.h"

namespace http {

class ResponseBody final : public BodyReader {
 public:
  // `none`: the response has no body whatever its head says (HEAD, 204, 304).
  ResponseBody(std::shared_ptr<ClientConnection> connection, std::weak_ptr<ClientPool> pool,
               const Framing& framing, bool none);

  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override;
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  enum class Kind : std::uint8_t { Sized, Chunked, UntilClose };
  runtime::Task<base::Result<std::size_t>> read_plain(std::span<char> into);
  runtime::Task<base::Result<std::size_t>> read_chunked(std::span<char> into);
  std::unexpected<base::Error> break_off(std::string what);
  void finish();

  std::shared_ptr<ClientConnection> connection_;  // null: ended or broken
  std::weak_ptr<ClientPool> pool_;
  Kind kind_ = Kind::Sized;
  bool keep_alive_;
  bool whole_ = false;
  std::optional<std::uint64_t> length_;
  std::uint64_t left_ = 0;
  ChunkedDecoder decoder_;
};

}  // namespace http
