#include "terrarium/wire/fault.h"

#include <fmt/format.h>

#include "lib/base/log.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/json_print.h"
#include "terrarium/wire/scalar.h"
#include "terrarium/wire/xml_print.h"

namespace terrarium::wire {
namespace {

constexpr std::size_t kMessageBytesMax = 8 * 1024;
constexpr std::string_view kHeaderField = "header:";

const base::ErrorRow& s3_row(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::InvalidInput: return errors::kInvalidRequest;
    case base::ErrorKind::NotFound: return errors::kNoSuchKey;
    case base::ErrorKind::Conflict: return errors::kOperationAborted;
    case base::ErrorKind::Denied: return errors::kAccessDenied;
    case base::ErrorKind::Throttled: return errors::kSlowDown;
    case base::ErrorKind::TooLarge: return errors::kEntityTooLarge;
    case base::ErrorKind::Unavailable: return errors::kServiceUnavailable;
    case base::ErrorKind::Timeout:
    case base::ErrorKind::Cancelled: return errors::kRequestTimeout;
    case base::ErrorKind::NotImplemented: return errors::kNotImplemented;
    case base::ErrorKind::Internal: break;
  }
  return errors::kInternalError;
}

constexpr base::ErrorRow kAccessDeniedOverRest{"AccessDeniedException", 403, {}};

const base::ErrorRow& general_row(base::ErrorKind kind, Protocol protocol) {
  const bool query = protocol == Protocol::Query;
  switch (kind) {
    case base::ErrorKind::InvalidInput:
      return query ? errors::kInvalidParameterValue : errors::kValidationException;
    case base::ErrorKind::NotFound: return query ? errors::kNotFound : errors::kResourceNotFound;
    case base::ErrorKind::Conflict: return errors::kResourceConflict;
    case base::ErrorKind::Denied:
      if (protocol == Protocol::RestJson) return kAccessDeniedOverRest;
      return query ? errors::kAccessDenied : errors::kAccessDeniedException;
    case base::ErrorKind::Throttled:
      return query ? errors::kThrottling : errors::kThrottlingException;
    case base::ErrorKind::TooLarge: return errors::kRequestEntityTooLarge;
    case base::ErrorKind::Unavailable: return errors::kServiceUnavailable;
    case base::ErrorKind::Timeout:
    case base::ErrorKind::Cancelled: return errors::kRequestTimeout;
    case base::ErrorKind::NotImplemented: return errors::kNotImplemented;
    case base::ErrorKind::Internal: break;
  }
  return errors::kInternalFailure;
}

const base::ErrorRow& ec2_row(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::InvalidInput:
    case base::ErrorKind::NotFound: return errors::kInvalidParameterValue;
    case base::ErrorKind::Conflict: return errors::kIncorrectState;
    case base::ErrorKind::Denied: return errors::kUnauthorizedOperation;
    case base::ErrorKind::Throttled: return errors::kRequestLimitExceeded;
    case base::ErrorKind::TooLarge: return errors::kRequestEntityTooLarge;
    case base::ErrorKind::Unavailable: return errors::kUnavailable;
    case base::ErrorKind::Timeout:
    case base::ErrorKind::Cancelled: return errors::kRequestTimeout;
    case base::ErrorKind::NotImplemented: return errors::kNotImplemented;
    case base::ErrorKind::Internal: break;
  }
  return errors::kInternalError;
}

const base::ErrorRow& row_of(Protocol protocol, const base::Error& error) {
  if (error.row != nullptr) return *error.row;
  if (protocol == Protocol::RestXml) return s3_row(error.kind);
  if (protocol == Protocol::Ec2) return ec2_row(error.kind);
  return general_row(error.kind, protocol);
}

// What a client may read: never more than it can use, never half a character, and of our own
// failures nothing.
std::string shown_message(const base::Error& error, const base::ErrorRow& row) {
  if (error.kind == base::ErrorKind::Internal && row.http_status == 500) {
    return "We encountered an internal error. Please try again.";
  }
  std::string message = error.message.substr(0, kMessageBytesMax);
  for (int cut = 0; cut < 4 && !message.empty() && !is_utf8(message); ++cut) message.pop_back();
  return is_utf8(message) ? message : std::string("The request is invalid.");
}

bool is_header_field(std::string_view name) { return name.starts_with(kHeaderField); }

std::string query_body(const base::Error& error, const base::ErrorRow& row,
                       const FaultContext& context) {
  if (error.is(errors::kUnknownOperation)) return "<UnknownOperationException/>\n";
  const std::string_view code = row.query_code.empty() ? row.code : row.query_code;
  std::string xml = "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"";
  append_xml_text(xml, context.xml_namespace, true);
  xml += "\"><Error>";
  append_xml_element(xml, "Type", row.http_status < 500 ? "Sender" : "Receiver");
  append_xml_element(xml, "Code", code);
  append_xml_element(xml, "Message", shown_message(error, row));
  xml += "<Detail/></Error>";
  append_xml_element(xml, "RequestId", context.request_id);
  return xml + "</ErrorResponse>";
}

std::string ec2_body(const base::Error& error, const base::ErrorRow& row,
                     const FaultContext& context) {
  std::string xml(kXmlDeclaration);
  xml += "<Response><Errors><Error>";
  append_xml_element(xml, "Code", row.code);
  append_xml_element(xml, "Message", shown_message(error, row));
  xml += "</Error></Errors>";
  append_xml_element(xml, "RequestID", context.request_id);
  return xml + "</Response>";
}

std::string s3_body(const base::Error& error, const base::ErrorRow& row,
                    const FaultContext& context) {
  std::string xml(kXmlDeclaration);
  xml += "<Error>";
  append_xml_element(xml, "Code", row.code);
  append_xml_element(xml, "Message", shown_message(error, row));
  for (const auto& [name, value] : error.fields) {
    if (!is_header_field(name)) append_xml_element(xml, name, value);
  }
  append_xml_element(xml, "RequestId", context.request_id);
  append_xml_element(xml, "HostId", context.extended_id);
  return xml + "</Error>";
}

void append_json_member(std::string& out, std::string_view name, std::string_view value) {
  if (out.size() > 1) out += ',';
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

std::string json_body(Protocol protocol, const base::Error& error, const base::ErrorRow& row,
                      const FaultContext& context) {
  std::string body = "{";
  const std::string message = shown_message(error, row);
  if (protocol == Protocol::RestJson) {
    append_json_member(body, "Type", row.http_status < 500 ? "User" : "Service");
    append_json_member(body, "Message", message);
  } else {
    const std::string type = context.error_namespace.empty()
                                 ? std::string(row.code)
                                 : fmt::format("{}#{}", context.error_namespace, row.code);
    append_json_member(body, "__type", type);
  }
  append_json_member(body, "message", message);
  for (const auto& [name, value] : error.fields) {
    if (!is_header_field(name)) append_json_member(body, name, value);
  }
  return body + "}";
}

void add_type_headers(Protocol protocol, const base::ErrorRow& row, const FaultContext& context,
                      http::Response& response) {
  switch (protocol) {
    case Protocol::Query: response.headers.add("Content-Type", "text/xml"); return;
    case Protocol::Ec2: response.headers.add("Content-Type", "text/xml;charset=UTF-8"); return;
    case Protocol::RestXml: response.headers.add("Content-Type", "application/xml"); return;
    case Protocol::Json10:
      response.headers.add("Content-Type", "application/x-amz-json-1.0");
      break;
    case Protocol::Json11:
      response.headers.add("Content-Type", "application/x-amz-json-1.1");
      break;
    case Protocol::RestJson: response.headers.add("Content-Type", "application/json"); break;
  }
  response.headers.add("x-amzn-ErrorType", std::string(row.code));
  if (!context.query_compatible) return;
  // Clients that knew the service by its query protocol still see its codes.
  response.headers.add("x-amzn-query-error",
                       fmt::format("{};{}", row.query_code.empty() ? row.code : row.query_code,
                                   row.http_status < 500 ? "Sender" : "Receiver"));
}

}  // namespace

http::Response fault_response(Protocol protocol, const base::Error& error,
                              const FaultContext& context) {
  const base::ErrorRow& row = row_of(protocol, error);
  if (row.http_status == 500) {
    base::log::error("wire", "request {} failed: {}", context.request_id, base::describe(error));
  }
  http::Response response;
  response.status = row.http_status;
  for (const auto& [name, value] : error.fields) {
    if (!is_header_field(name) || !is_header_value(value)) continue;
    response.headers.add(name.substr(kHeaderField.size()), value);
  }
  if (row.http_status == 304) return response;
  add_type_headers(protocol, row, context, response);
  if (context.head) return response;
  switch (protocol) {
    case Protocol::Query: response.body = query_body(error, row, context); break;
    case Protocol::Ec2: response.body = ec2_body(error, row, context); break;
    case Protocol::RestXml: response.body = s3_body(error, row, context); break;
    case Protocol::Json10:
    case Protocol::Json11:
    case Protocol::RestJson: response.body = json_body(protocol, error, row, context); break;
  }
  return response;
}

}  // namespace terrarium::wire
