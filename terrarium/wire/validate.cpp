#include "terrarium/wire/validate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lib/base/check.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/scalar.h"

namespace terrarium::wire {
namespace {

constexpr std::size_t kViolationsMax = 10;
constexpr std::size_t kShownBytesMax = 2048;
constexpr base::ErrorRow kMissingInJson{"MissingRequiredParameterException", 400,
                                        "MissingParameter"};

template <class Part>
std::string join_path(const Path& path, const Part& part) {
  std::string text;
  if (path.parent != nullptr) text = join_path(*path.parent, part);
  if (!path.name.empty() || path.index > 0) {
    if (!text.empty()) text += '.';
    text += part(path);
  }
  return text;
}

std::string lower_first(std::string_view name) {
  std::string text(name);
  if (text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

std::string shown(std::string_view value) {
  if (value.size() <= kShownBytesMax) return std::string(value);
  return std::string(value.substr(0, kShownBytesMax)) + "...";
}

// Walks a decoded input and writes down what violates its shape.
class Validator {
 public:
  // `shows_values`: IAM's refusals do not repeat what came, which may be a password.
  Validator(const std::vector<Missing>& missing, bool shows_values)
      : missing_(missing), shows_values_(shows_values) {}

  void structure(const Shape& shape, const void* value, const Path& path) {
    for (const Member& member : shape.members) {
      const Path at{&path, member.name, 0};
      const void* inner = member.get(value);
      if (inner == nullptr || (member.required && is_missing(at))) continue;
      any(*member.shape, inner, at);
    }
  }

  std::vector<std::string> violations;

 private:
  // A required member that did not come has its type's empty value, which means nothing.
  bool is_missing(const Path& path) const {
    return !missing_.empty() && std::ranges::find(missing_, constraint_name(path),
                                                  &Missing::constraint) != missing_.end();
  }

  void any(const Shape& shape, const void* value, const Path& path) {
    if (violations.size() >= kViolationsMax) return;
    switch (shape.kind) {
      case Kind::Structure: return structure(shape, value, path);
      case Kind::List: return list(shape, value, path);
      case Kind::Map: return map(shape, value, path);
      case Kind::String:
      case Kind::Blob: return text(shape, *static_cast<const std::string*>(value), path);
      case Kind::Integer: return number(shape, *static_cast<const std::int32_t*>(value), path);
      case Kind::Long: return number(shape, *static_cast<const std::int64_t*>(value), path);
      case Kind::Double:
      case Kind::Body:
      case Kind::Boolean:
      case Kind::Timestamp: return;
    }
  }

  // "[a, b]"; of anything but texts only that it is a list.
  static std::string list_text(const Shape& shape, const void* value) {
    if (shape.element->kind != Kind::String) return "[...]";
    std::string text;
    for (std::size_t i = 0; i < shape.size(value) && text.size() <= kShownBytesMax; ++i) {
      if (i > 0) text += ", ";
      text += *static_cast<const std::string*>(shape.at(value, i));
    }
    return "[" + text + "]";
  }

  void list(const Shape& shape, const void* value, const Path& path) {
    const auto count = static_cast<std::int64_t>(shape.size(value));
    if (count < shape.min || count > shape.max) {
      length(shape, shape.size(value), list_text(shape, value), path);
    }
    for (std::size_t i = 0; i < shape.size(value); ++i) {
      any(*shape.element, shape.at(value, i), Path{&path, {}, i + 1});
    }
  }

  void map(const Shape& shape, const void* value, const Path& path) {
    length(shape, shape.size(value), "{...}", path);
    struct Visit {
      Validator* self;
      const Shape* shape;
      const Path* path;
    } visit{this, &shape, &path};
    shape.for_each(value, &visit, [](void* context, std::string_view key, const void* inner) {
      const auto& [self, of, at] = *static_cast<Visit*>(context);
      const std::string name(key);
      self->any(*of->key, &name, *at);
      self->any(*of->element, inner, Path{at, name, 0});
    });
  }

  void text(const Shape& shape, const std::string& value, const Path& path) {
    length(shape, value.size(), value, path);
    if (shape.enum_values.empty() ||
        std::ranges::find(shape.enum_values, value) != shape.enum_values.end()) {
      return;
    }
    violate(value, path,
            fmt::format("Member must satisfy enum value set: [{}]",
                        fmt::join(shape.enum_values, ", ")));
  }

  void number(const Shape& shape, std::int64_t value, const Path& path) {
    const std::string text = std::to_string(value);
    if (value < shape.min) {
      violate(text, path,
              fmt::format("Member must have value greater than or equal to {}", shape.min));
    }
    if (value > shape.max) {
      violate(text, path,
              fmt::format("Member must have value less than or equal to {}", shape.max));
    }
  }

  void length(const Shape& shape, std::size_t size, std::string_view value, const Path& path) {
    const auto count = static_cast<std::int64_t>(size);
    if (count < shape.min) {
      violate(value, path,
              fmt::format("Member must have length greater than or equal to {}", shape.min));
    }
    if (count > shape.max) {
      violate(value, path,
              fmt::format("Member must have length less than or equal to {}", shape.max));
    }
  }

  void violate(std::string_view value, const Path& path, const std::string& constraint) {
    const std::string text =
        shows_values_ ? fmt::format("Value '{}' at", shown(value)) : "Value at";
    violations.push_back(fmt::format("{} '{}' failed to satisfy constraint: {}", text,
                                     constraint_name(path), constraint));
  }

  const std::vector<Missing>& missing_;
  bool shows_values_;
};

// A row with static storage for each code that a model may name.
const base::ErrorRow& validation_row(std::string_view code) {
  static constexpr base::ErrorRow kRows[] = {{"ValidationException", 400, {}},
                                             {"ValidationError", 400, {}},
                                             {"InvalidParameterException", 400, {}}};
  const auto* const row = std::ranges::find(kRows, code, &base::ErrorRow::code);
  CHECK(row != std::end(kRows), "a validationCode of amendments.json has its row here");
  return *row;
}

}  // namespace

std::string parameter_name(const Path& path) {
  return join_path(path, [](const Path& at) {
    return at.name.empty() ? std::to_string(at.index) : std::string(at.name);
  });
}

std::string constraint_name(const Path& path) {
  return join_path(path, [](const Path& at) {
    return at.name.empty() ? std::to_string(at.index) + ".member" : lower_first(at.name);
  });
}

void DecodeReport::missing(const Path& path) {
  if (missing_.size() >= kViolationsMax) return;
  missing_.push_back({parameter_name(path), constraint_name(path)});
}

base::Result<void> validate(const ServiceModel& service, Protocol protocol, const Shape& input,
                            const void* value, const DecodeReport& report) {
  if (service.validation_code.empty()) {
    if (report.all().empty()) return {};
    const std::string& name = report.all().front().parameter;
    if (protocol == Protocol::RestXml) {
      auto failure = base::fail(errors::kMalformedXml,
                                "The XML you provided was not well-formed or did not validate "
                                "against our published schema");
      failure.error().detail = name + " is missing";
      return failure;
    }
    const bool json = protocol == Protocol::Json10 || protocol == Protocol::Json11;
    return base::fail(json ? kMissingInJson : errors::kMissingParameter,
                      fmt::format("The request must contain the parameter {}{}", name,
                                  protocol == Protocol::Ec2 ? "" : "."));
  }
  const bool shows_values = service.name != "iam";
  Validator validator(report.all(), shows_values);
  for (const Missing& missing : report.all()) {
    validator.violations.push_back(
        fmt::format("Value{} at '{}' failed to satisfy constraint: Member must not be null",
                    shows_values ? " null" : "", missing.constraint));
  }
  validator.structure(input, value, Path{});
  if (validator.violations.empty()) return {};
  return base::fail(validation_row(service.validation_code),
                    fmt::format("{} validation error{} detected: {}", validator.violations.size(),
                                validator.violations.size() == 1 ? "" : "s",
                                fmt::join(validator.violations, "; ")));
}

}  // namespace terrarium::wire
