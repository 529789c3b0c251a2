#include "lib/http/stream_sender.h"

#include <fmt/core.h>

#include <exception>

namespace http {
namespace {

constexpr std::size_t kStreamBytes = 64 * 1024;

// A stream is the handler's code: what it throws is a failure like any other.
runtime::Task<base::Result<std::size_t>> read_piece(BodyReader& stream, std::span<char> into) {
  std::string what;
  try {
    co_return co_await stream.read(into);
  } catch (const std::exception& thrown) {
    what = thrown.what();
  } catch (...) {
    what = "something that is no std::exception";
  }
  co_return base::fail(base::ErrorKind::Internal, "The stream threw: " + what);
}

base::Result<void> whole(const ResponsePlan& plan, std::uint64_t sent) {
  if (!plan.length || sent == *plan.length) return {};
  return base::fail(
      base::ErrorKind::Internal,
      fmt::format("The stream gave {} bytes and had promised {}.", sent, *plan.length));
}

}  // namespace

runtime::Task<base::Result<void>> send_stream(Link& link, BodyReader& stream, ResponsePlan plan) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kStreamBytes);
  std::uint64_t sent = 0;
  for (;;) {
    link.flush_on_yield();
    CO_TRY(const std::size_t count, co_await read_piece(stream, {buffer.get(), kStreamBytes}));
    sent += count;
    if (count == 0 || (plan.length && sent > *plan.length)) break;
    if (plan.chunked) fmt::format_to(std::back_inserter(link.out()), "{:x}\r\n", count);
    if (!co_await link.send({buffer.get(), count}, plan.chunked ? "\r\n" : "")) {
      co_return base::fail(base::ErrorKind::Cancelled, "The client went away or took nothing.");
    }
  }
  CO_TRY_VOID(whole(plan, sent));
  if (plan.chunked) link.out() += "0\r\n\r\n";
  co_return base::Result<void>{};
}

}  // namespace http
