// Result<T>: how everything here reports failure; our code throws nothing.
//
// An Error carries two texts that never mix: `message` goes to the client, `detail` to the log
// only. `row` names the AWS error of a service's table when the failure has one; without a row the
// protocol layer answers from `kind`. Each layer says what it was trying to do and links the inner
// error as `cause`; it never repeats the inner text.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace base {

enum class ErrorKind : std::uint8_t {
  InvalidInput,    // what came from outside is wrong
  NotFound,        //
  Conflict,        // the state does not allow it
  Denied,          // not authenticated or not authorised
  Throttled,       // a limit of rate or concurrency
  TooLarge,        // a limit of size
  Unavailable,     // something we depend on does not answer now; trying again may help
  Timeout,         // a deadline passed
  Cancelled,       // whoever asked no longer wants the answer
  NotImplemented,  // AWS can, we cannot
  Internal,        // everything else: our fault
};

std::string_view to_string(ErrorKind kind);

// One row of a service's error table (generated from the AWS model and amendments.json).
struct ErrorRow {
  std::string_view code;        // as JSON and REST protocols name it: "QueueDoesNotExist"
  int http_status = 400;        //
  std::string_view query_code;  // as the query protocol names it when that differs; else empty
};

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::Internal;
  const ErrorRow* row = nullptr;  // static storage
  std::string message;
  std::string detail;
  // Further members of AWS's error body, in order (S3: BucketName, Key, ...).
  std::vector<std::pair<std::string, std::string>> fields;
  std::source_location where;
  std::shared_ptr<const Error> cause;

  bool is(const ErrorRow& other) const { return row != nullptr && row->code == other.code; }
};

template <class T>
using Result = std::expected<T, Error>;

// A failure without a row of a service's table.
std::unexpected<Error> fail(ErrorKind kind, std::string message,
                            std::source_location where = std::source_location::current());

// A failure that AWS names. The kind follows from the row's HTTP status.
std::unexpected<Error> fail(const ErrorRow& row, std::string message,
                            std::source_location where = std::source_location::current());

// What a failed system call was trying to do; detail carries errno's text.
std::unexpected<Error> fail_errno(std::string doing, int error_number,
                                  std::source_location where = std::source_location::current());

// Says what this layer was trying to do; keeps kind, row and message for the client.
Error wrap(Error inner, std::string doing,
           std::source_location where = std::source_location::current());

// Everything, cause by cause, on one line: for logs.
std::string describe(const Error& error);

}  // namespace base

#define BASE_CONCAT_(a, b) a##b
#define BASE_CONCAT(a, b) BASE_CONCAT_(a, b)
#define BASE_TRY_(result, return_keyword, declaration, expression)                    \
  auto result = (expression);                                                         \
  if (!result.has_value()) return_keyword std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)
#define BASE_TRY_VOID_(result, return_keyword, expression) \
  if (auto result = (expression); !result.has_value())     \
  return_keyword std::unexpected(std::move(result).error())

// TRY(auto value, f());  declares value or returns f's error. TRY_VOID(f()); for Result<void>.
#define TRY(declaration, ...) \
  BASE_TRY_(BASE_CONCAT(try_result_, __COUNTER__), return, declaration, (__VA_ARGS__))
#define TRY_VOID(...) BASE_TRY_VOID_(BASE_CONCAT(try_result_, __COUNTER__), return, (__VA_ARGS__))
// The same inside a coroutine: CO_TRY(auto value, co_await f());
#define CO_TRY(declaration, ...) \
  BASE_TRY_(BASE_CONCAT(try_result_, __COUNTER__), co_return, declaration, (__VA_ARGS__))
#define CO_TRY_VOID(...) \
  BASE_TRY_VOID_(BASE_CONCAT(try_result_, __COUNTER__), co_return, (__VA_ARGS__))
