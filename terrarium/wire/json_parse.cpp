#include "terrarium/wire/json_parse.h"

#include <fmt/format.h>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "lib/base/encoding.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/scalar.h"

namespace terrarium::wire {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kBufferBytes = 4096;
constexpr TextStyle kStyle{TimestampFormat::UnixSeconds, 3};
constexpr double kSecondsMax = 253'402'300'799.0;  // the year 9999

std::string_view token_name(json::kind kind) {
  switch (kind) {
    case json::kind::null: return "NULL_VALUE";
    case json::kind::bool_: return "BOOLEAN_VALUE";
    case json::kind::int64:
    case json::kind::uint64: return "NUMBER_VALUE";
    case json::kind::double_: return "DECIMAL_VALUE";
    case json::kind::string: return "STRING_VALUE";
    case json::kind::array: return "START_ARRAY";
    case json::kind::object: return "START_OBJECT";
  }
  return "UNKNOWN";
}

class Reader {
 public:
  Reader(JsonNames names, DecodeReport& report) : names_(names), report_(report) {}

  base::Result<void> structure(const json::object& object, const Shape& shape, void* into,
                               const Path& path) {
    for (const Member& member : shape.members) {
      if (member.location != Location::Body) continue;
      const Path at{&path, member.name, 0};
      const json::value* found =
          object.if_contains(names_ == JsonNames::Model ? member.name : member.wire_name);
      if (found == nullptr || found->is_null()) {
        if (member.required) report_.missing(at);
        continue;
      }
      TRY_VOID(value(*found, *member.shape, format_of(member, kStyle), member.ensure(into), at));
    }
    return {};
  }

 private:
  static std::unexpected<base::Error> mismatch(const json::value& from, std::string_view wanted,
                                               const Path& path) {
    return base::fail(errors::kSerializationException,
                      fmt::format("{} can not be converted to {} at {}", token_name(from.kind()),
                                  wanted, parameter_name(path)));
  }

  base::Result<void> value(const json::value& from, const Shape& shape, TimestampFormat format,
                           void* into, const Path& path) {
    switch (shape.kind) {
      case Kind::Structure:
        if (!from.is_object()) return mismatch(from, "a Structure", path);
        return structure(from.get_object(), shape, into, path);
      case Kind::List: return list(from, shape, format, into, path);
      case Kind::Map: return map(from, shape, format, into, path);
      case Kind::String:
      case Kind::Blob:
      case Kind::Body: return text(from, shape, into, path);
      case Kind::Integer: return integer<std::int32_t>(from, into, "an Integer", path);
      case Kind::Long: return integer<std::int64_t>(from, into, "a Long", path);
      case Kind::Double: return number(from, into, path);
      case Kind::Boolean:
        if (!from.is_bool()) return mismatch(from, "a Boolean", path);
        *static_cast<bool*>(into) = from.get_bool();
        return {};
      case Kind::Timestamp: return time(from, shape, format, into, path);
    }
    return mismatch(from, "anything", path);
  }

  base::Result<void> list(const json::value& from, const Shape& shape, TimestampFormat format,
                          void* into, const Path& path) {
    if (!from.is_array()) return mismatch(from, "a List", path);
    std::size_t number = 0;
    for (const json::value& item : from.get_array()) {
      const Path at{&path, {}, ++number};
      TRY_VOID(value(item, *shape.element, format, shape.append(into), at));
    }
    return {};
  }

  base::Result<void> map(const json::value& from, const Shape& shape, TimestampFormat format,
                         void* into, const Path& path) {
    if (!from.is_object()) return mismatch(from, "a Map", path);
    for (const json::key_value_pair& item : from.get_object()) {
      if (item.value().is_null()) continue;
      const std::string_view key(item.key().data(), item.key().size());
      TRY_VOID(value(item.value(), *shape.element, format, shape.insert(into, std::string(key)),
                     Path{&path, key, 0}));
    }
    return {};
  }

  static base::Result<void> text(const json::value& from, const Shape& shape, void* into,
                                 const Path& path) {
    if (!from.is_string()) {
      return mismatch(from, shape.kind == Kind::String ? "a String" : "a Blob", path);
    }
    const json::string& string = from.get_string();
    const std::string_view view(string.data(), string.size());
    if (parse_scalar(shape, TimestampFormat::Default, view, into)) return {};
    return base::fail(errors::kSerializationException,
                      fmt::format("{} must be valid base64", parameter_name(path)));
  }

  template <class T>
  static base::Result<void> integer(const json::value& from, void* into, std::string_view wanted,
                                    const Path& path) {
    boost::system::error_code error;
    // Exact only: neither a fraction nor a number out of range.
    const T value = from.is_number() ? from.to_number<T>(error) : T{};
    if (!from.is_number() || error) return mismatch(from, wanted, path);
    *static_cast<T*>(into) = value;
    return {};
  }

  static base::Result<void> number(const json::value& from, void* into, const Path& path) {
    if (!from.is_number()) return mismatch(from, "a Double", path);
    boost::system::error_code error;
    *static_cast<double*>(into) = from.to_number<double>(error);
    return {};
  }

  static base::Result<void> time(const json::value& from, const Shape& shape,
                                 TimestampFormat format, void* into, const Path& path) {
    if (from.is_string() && format != TimestampFormat::UnixSeconds) {
      const json::string& string = from.get_string();
      if (parse_scalar(shape, format, {string.data(), string.size()}, into)) return {};
    }
    if (!from.is_number() || format != TimestampFormat::UnixSeconds) {
      return mismatch(from, "a Timestamp", path);
    }
    boost::system::error_code error;
    const double seconds = from.to_number<double>(error);
    if (!(std::abs(seconds) <= kSecondsMax)) return mismatch(from, "a Timestamp", path);
    *static_cast<base::Timestamp*>(into) =
        base::Timestamp(base::Duration(std::llround(seconds * 1e6)));
    return {};
  }

  JsonNames names_;
  DecodeReport& report_;
};

}  // namespace

base::Result<void> parse_json(std::string_view text, const Shape& structure, JsonNames names,
                              void* into, const Path& path, DecodeReport& report) {
  if (base::trim(text).empty()) text = "{}";
  unsigned char buffer[kBufferBytes];
  json::monotonic_resource memory(buffer, sizeof buffer);
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = kDepthMax;
  const json::value document = json::parse({text.data(), text.size()}, error, &memory, options);
  if (error) {
    return base::fail(errors::kSerializationException,
                      "The request body is not valid JSON: " + error.message());
  }
  if (!document.is_object()) {
    return base::fail(errors::kSerializationException, "The request body must be a JSON object");
  }
  return Reader(names, report).structure(document.get_object(), structure, into, path);
}

}  // namespace terrarium::wire
