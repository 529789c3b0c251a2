#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "lib/base/encoding.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/json_parse.h"
#include "terrarium/wire/rest.h"
#include "terrarium/wire/xml_parse.h"

namespace terrarium::wire {
namespace {

constexpr TextStyle kBodyStyle{TimestampFormat::Iso8601, 3};
constexpr TextStyle kHeaderStyle{TimestampFormat::HttpDate, 0};
constexpr TextStyle kQueryStyle{TimestampFormat::Iso8601, 0};

// As S3 words it.
std::string invalid_message(const Member& member, std::string_view reason) {
  const bool number = member.location == Location::QueryString &&
                      (member.shape->kind == Kind::Integer || member.shape->kind == Kind::Long);
  if (!number) return fmt::format("The value of {} {}", member.wire_name, reason);
  if (member.wire_name == "partNumber") {
    return "Part number must be an integer between 1 and 10000, inclusive";
  }
  return fmt::format("Provided {} not an integer or within integer range", member.wire_name);
}

std::unexpected<base::Error> invalid(Protocol protocol, const Member& member,
                                     std::string_view value, std::string_view reason) {
  if (protocol != Protocol::RestXml) {
    return base::fail(errors::kSerializationException, fmt::format("{} {}", member.name, reason));
  }
  auto failure = base::fail(errors::kInvalidArgument, invalid_message(member, reason));
  failure.error().fields = {{"ArgumentName", std::string(member.wire_name)},
                            {"ArgumentValue", std::string(value.substr(0, 1024))}};
  return failure;
}

// Every field of that name, joined as HTTP allows; nothing when there is none.
std::optional<std::string> joined_header(const http::HeaderViews& headers, std::string_view name) {
  std::optional<std::string> joined;
  for (const http::HeaderView& field : headers) {
    if (!base::equals_ignoring_case(field.name, name)) continue;
    if (joined) *joined += ',';
    joined = joined.value_or("") + std::string(field.value);
  }
  return joined;
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    parts.push_back(base::trim(text.substr(at, end - at)));
    at = end + 1;
  }
  return parts;
}

// aws-chunked is how the body travelled, not what the object is.
std::string without_aws_chunked(std::string_view value) {
  std::string kept;
  for (const std::string_view coding : split_list(value)) {
    if (coding.empty() || base::equals_ignoring_case(coding, "aws-chunked")) continue;
    if (!kept.empty()) kept += ',';
    kept += coding;
  }
  return kept;
}

class Decoder {
 public:
  Decoder(Protocol protocol, const RestRequest& request, DecodeReport& report)
      : protocol_(protocol), request_(request), report_(report) {}

  base::Result<void> run(const Shape& shape, void* input) {
    bool in_body = false;
    for (const Member& member : shape.members) {
      switch (member.location) {
        case Location::Body: in_body = true; break;
        case Location::StatusCode: break;
        case Location::Header: TRY_VOID(header(member, input)); break;
        case Location::Headers: prefixed_headers(member, input); break;
        case Location::Uri: TRY_VOID(label(member, input)); break;
        case Location::QueryString: TRY_VOID(query(member, input)); break;
        case Location::Payload: TRY_VOID(payload(member, shape, input)); break;
      }
    }
    const bool streams = std::ranges::any_of(
        shape.members, [](const Member& member) { return member.shape->kind == Kind::Body; });
    if (!in_body || streams) return {};
    if (protocol_ == Protocol::RestJson) {
      return parse_json(request_.body, shape, JsonNames::Wire, input, Path{}, report_);
    }
    return parse_xml(request_.body, shape.xml_root, shape, kBodyStyle, input, Path{}, report_);
  }

 private:
  base::Result<void> header(const Member& member, void* input) {
    std::optional<std::string> text = joined_header(request_.headers, member.wire_name);
    if (text && base::equals_ignoring_case(member.wire_name, "content-encoding")) {
      *text = without_aws_chunked(*text);
      if (text->empty()) return {};
    }
    if (!text) {
      if (member.required) report_.missing(Path{nullptr, member.name, 0});
      return {};
    }
    if (member.shape->kind == Kind::List) {
      for (const std::string_view part : split_list(*text)) {
        TRY_VOID(scalar(member, *member.shape->element, kHeaderStyle, part,
                        member.shape->append(member.ensure(input))));
      }
      return {};
    }
    // HTTP has a server ignore a date that it cannot read in a condition.
    if (member.shape->kind == Kind::Timestamp && member.wire_name.starts_with("If-") &&
        !base::parse_http_date(*text)) {
      return {};
    }
    return scalar(member, *member.shape, kHeaderStyle, *text, member.ensure(input));
  }

  void prefixed_headers(const Member& member, void* input) {
    for (const http::HeaderView& field : request_.headers) {
      const std::string name = base::to_lower(field.name);
      const std::string prefix = base::to_lower(member.wire_name);
      if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
      void* place = member.shape->insert(member.ensure(input), name.substr(prefix.size()));
      std::string& value = *static_cast<std::string*>(place);
      if (!value.empty()) value += ',';
      value += field.value;
    }
  }

  base::Result<void> label(const Member& member, void* input) {
    for (const auto& [name, value] : request_.labels) {
      if (name != member.wire_name) continue;
      return scalar(member, *member.shape, kQueryStyle, value, member.ensure(input));
    }
    if (member.required) report_.missing(Path{nullptr, member.name, 0});
    return {};
  }

  base::Result<void> query(const Member& member, void* input) {
    bool found = false;
    for (const auto& [name, value] : request_.query) {
      if (name != member.wire_name) continue;
      if (member.shape->kind == Kind::List) {
        TRY_VOID(scalar(member, *member.shape->element, kQueryStyle, value,
                        member.shape->append(member.ensure(input))));
      } else if (found) {
        return invalid(protocol_, member, value, "is there twice");
      } else if (!value.empty() || member.shape->kind == Kind::String) {
        TRY_VOID(scalar(member, *member.shape, kQueryStyle, value, member.ensure(input)));
      }
      found = true;
    }
    if (!found && member.required) report_.missing(Path{nullptr, member.name, 0});
    return {};
  }

  base::Result<void> payload(const Member& member, const Shape& shape, void* input) {
    const Kind kind = member.shape->kind;
    if (kind == Kind::Body) return {};
    if (request_.body.empty()) {
      if (!member.required) return {};
      // Text may be empty: what that means is the service's to say.
      if (protocol_ == Protocol::RestXml && kind == Kind::String) {
        member.ensure(input);
        return {};
      }
      if (protocol_ == Protocol::RestXml) {
        return base::fail(errors::kMissingRequestBody, "Request Body is empty");
      }
      report_.missing(Path{nullptr, member.name, 0});
      return {};
    }
    if (kind == Kind::String && !is_utf8(request_.body)) {
      return invalid(protocol_, member, {}, "must be valid UTF-8");
    }
    void* into = member.ensure(input);
    if (kind == Kind::Blob || kind == Kind::String) {
      *static_cast<std::string*>(into) = request_.body;
      return {};
    }
    const Path path{nullptr, member.name, 0};
    if (protocol_ == Protocol::RestJson) {
      return parse_json(request_.body, *member.shape, JsonNames::Wire, into, path, report_);
    }
    return parse_xml(request_.body, shape.xml_root, *member.shape, kBodyStyle, into, path, report_);
  }

  base::Result<void> scalar(const Member& member, const Shape& shape, const TextStyle& style,
                            std::string_view text, void* into) {
    const auto read = parse_scalar(shape, format_of(member, style), text, into);
    if (read) return {};
    return invalid(protocol_, member, text, read.error().message);
  }

  Protocol protocol_;
  const RestRequest& request_;
  DecodeReport& report_;
};

}  // namespace

base::Result<void> decode_rest(Protocol protocol, const OperationModel& operation,
                               const RestRequest& request, void* input, DecodeReport& report) {
  if (operation.input == nullptr) return {};
  return Decoder(protocol, request, report).run(*operation.input, input);
}

}  // namespace terrarium::wire
