#include "lib/base/result.h"

#include <cstring>

namespace base {
namespace {

ErrorKind kind_of_status(int http_status) {
  switch (http_status) {
    case 401:
    case 403: return ErrorKind::Denied;
    case 404: return ErrorKind::NotFound;
    case 408: return ErrorKind::Timeout;
    case 409:
    case 412: return ErrorKind::Conflict;
    case 413: return ErrorKind::TooLarge;
    case 429: return ErrorKind::Throttled;
    case 501: return ErrorKind::NotImplemented;
    case 503: return ErrorKind::Unavailable;
    default: return http_status >= 500 ? ErrorKind::Internal : ErrorKind::InvalidInput;
  }
}

}  // namespace

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidInput: return "InvalidInput";
    case ErrorKind::NotFound: return "NotFound";
    case ErrorKind::Conflict: return "Conflict";
    case ErrorKind::Denied: return "Denied";
    case ErrorKind::Throttled: return "Throttled";
    case ErrorKind::TooLarge: return "TooLarge";
    case ErrorKind::Unavailable: return "Unavailable";
    case ErrorKind::Timeout: return "Timeout";
    case ErrorKind::Cancelled: return "Cancelled";
    case ErrorKind::NotImplemented: return "NotImplemented";
    case ErrorKind::Internal: return "Internal";
  }
  return "Unknown";
}

std::unexpected<Error> fail(ErrorKind kind, std::string message, std::source_location where) {
  return std::unexpected(Error{.kind = kind,
                               .row = nullptr,
                               .message = std::move(message),
                               .detail = {},
                               .fields = {},
                               .where = where,
                               .cause = nullptr});
}

std::unexpected<Error> fail(const ErrorRow& row, std::string message, std::source_location where) {
  auto failure = fail(kind_of_status(row.http_status), std::move(message), where);
  failure.error().row = &row;
  return failure;
}

std::unexpected<Error> fail_errno(std::string doing, int error_number, std::source_location where) {
  auto failure = fail(ErrorKind::Internal, std::move(doing), where);
  char text[128] = {};
  failure.error().detail = ::strerror_r(error_number, text, sizeof text);
  return failure;
}

Error wrap(Error inner, std::string doing, std::source_location where) {
  Error outer{.kind = inner.kind,
              .row = inner.row,
              .message = inner.message,
              .detail = std::move(doing),
              .fields = inner.fields,
              .where = where,
              .cause = nullptr};
  outer.cause = std::make_shared<const Error>(std::move(inner));
  return outer;
}

std::string describe(const Error& error) {
  std::string text;
  for (const Error* at = &error; at != nullptr; at = at->cause.get()) {
    if (!text.empty()) text += " <- ";
    text += at->row != nullptr ? at->row->code : to_string(at->kind);
    if (at->cause == nullptr && !at->message.empty()) text += ": " + at->message;
    if (!at->detail.empty()) text += ": " + at->detail;
    text += " (";
    const std::string_view file = at->where.file_name();
    text += file.substr(file.rfind('/') + 1);
    text += ":" + std::to_string(at->where.line()) + ")";
  }
  return text;
}

}  // namespace base
