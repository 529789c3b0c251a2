// The kinds of parameters a handler may take. Its signature is the route's whole description: how
// each is read, checked, refused and documented follows from the types here.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>

#include "lib/runtime/task.h"
#include "messageboard/api/answer.h"
#include "messageboard/api/describe.h"
#include "messageboard/api/python_text.h"
#include "messageboard/api/query.h"
#include "messageboard/api/types.h"
#include "messageboard/api/upload.h"
#include "messageboard/api/validation.h"
#include "messageboard/api/worker.h"

namespace messageboard {

// A whole number from the path. Numbers beyond 64 bits come as the nearest.
template <Name kName>
struct Path {
  std::int64_t value = 0;
};

// A whole number from the query string, between the limits.
template <Name kName, std::int64_t kDefault, std::int64_t kMin, std::int64_t kMax>
struct Query {
  std::int64_t value = kDefault;
};

// A text from the query string that may be absent.
template <Name kName>
struct TextQuery {
  std::optional<std::string> value;
};

// The JSON body: a described structure of texts.
template <Described T>
struct Body {
  T value;
};

// The file of a multipart body.
template <Name kName>
struct File {
  Upload value;
};

// A request while its parameters are read.
struct Incoming {
  Worker& worker;
  http::Request& request;
  std::string path_value;
};

// Filled by whoever reads a parameter: problems add up, a refusal ends it.
struct Trouble {
  Problems problems;
  std::optional<Refusal> refusal;
};

// The body as FastAPI takes it: nothing when there is none; a refusal or a problem in `trouble`.
runtime::Task<std::optional<Json>> read_json_body(Incoming& incoming, Trouble& trouble);

template <class T>
struct Parameter;

template <Name kName>
struct Parameter<Path<kName>> {
  static constexpr bool kFromBody = false;
  static void read(Path<kName>& into, const Incoming& incoming, Trouble& trouble) {
    const auto value = python_int(incoming.path_value);
    if (!value) trouble.problems.push_back(not_integer({"path", std::string(kName.view())}));
    into.value = value.value_or(0);
  }
  static void describe(OperationDescription& operation) {
    operation.parameters.push_back(
        {std::string(kName.view()), "path", "integer", true, std::nullopt});
  }
};

template <Name kName, std::int64_t kDefault, std::int64_t kMin, std::int64_t kMax>
struct Parameter<Query<kName, kDefault, kMin, kMax>> {
  static constexpr bool kFromBody = false;
  static void read(Query<kName, kDefault, kMin, kMax>& into, const Incoming& incoming,
                   Trouble& trouble) {
    const auto text = query_value(incoming.request.query, kName.view());
    if (!text) return;
    const auto value = python_int(*text);
    const Problem::Step name = std::string(kName.view());
    if (!value) {
      trouble.problems.push_back(not_integer({"query", name}));
    } else if (*value < kMin) {
      trouble.problems.push_back(too_small({"query", name}, kMin));
    } else if (*value > kMax) {
      trouble.problems.push_back(too_large({"query", name}, kMax));
    }
    into.value = value.value_or(kDefault);
  }
  static void describe(OperationDescription& operation) {
    operation.parameters.push_back(
        {std::string(kName.view()), "query", "integer", false, kDefault});
  }
};

template <Name kName>
struct Parameter<TextQuery<kName>> {
  static constexpr bool kFromBody = false;
  static void read(TextQuery<kName>& into, const Incoming& incoming, Trouble&) {
    into.value = query_value(incoming.request.query, kName.view());
  }
  static void describe(OperationDescription& operation) {
    operation.parameters.push_back(
        {std::string(kName.view()), "query", "string", false, std::nullopt});
  }
};

template <Described T>
struct Parameter<Body<T>> {
  static constexpr bool kFromBody = true;

  static runtime::Task<void> read(Body<T>& into, Incoming& incoming, Trouble& trouble) {
    const auto json = co_await read_json_body(incoming, trouble);
    if (!json) co_return;
    const auto object = as_object(*json);
    if (!object) {
      trouble.problems.push_back(not_object({"body"}));
      co_return;
    }
    using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
    boost::mp11::mp_for_each<Members>([&](auto member) {
      std::vector<Problem::Step> location{"body", member.name};
      const std::string_view name = member.name;
      const Json* const value = object->member(std::u32string(name.begin(), name.end()));
      if (value == nullptr) {
        trouble.problems.push_back(missing(std::move(location)));
        return;
      }
      auto text = coerce_string(*value, std::move(location));
      if (auto* problem = std::get_if<Problem>(&text)) {
        trouble.problems.push_back(std::move(*problem));
      } else {
        into.value.*member.pointer = std::move(std::get<std::string>(text));
      }
    });
  }
  static void describe(OperationDescription& operation) { operation.body = describe_type<T>(); }
};

template <Name kName>
struct Parameter<File<kName>> {
  static constexpr bool kFromBody = true;

  static runtime::Task<void> read(File<kName>& into, Incoming& incoming, Trouble& trouble) {
    auto outcome =
        co_await receive_upload(incoming.request, kName.view(), incoming.worker.shared.uploads);
    if (auto* upload = std::get_if<Upload>(&outcome)) {
      into.value = std::move(*upload);
    } else if (auto* problem = std::get_if<Problem>(&outcome)) {
      trouble.problems.push_back(std::move(*problem));
    } else {
      trouble.refusal = std::move(std::get<Refusal>(outcome));
    }
  }
  static void describe(OperationDescription& operation) { operation.file_field = kName.view(); }
};

}  // namespace messageboard
