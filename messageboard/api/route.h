// One route: how a handler function is called, and how its OpenAPI operation is described; both
// follow from its signature.
//
//   Task<Answer<Message>> read_message(Worker&, Path<"message_id"> id);
//   route<read_message>("GET", "/message/{message_id}")
#pragma once

#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "lib/base/encoding.h"
#include "messageboard/api/parameters.h"

namespace messageboard {

// The workers of all threads.
class Workers {
 public:
  void add(Worker& worker) { workers_.push_back(&worker); }
  Worker& on(const runtime::Executor& executor) const {
    for (Worker* worker : workers_) {
      if (worker->executor == executor) return *worker;
    }
    return *workers_.front();
  }

 private:
  std::vector<Worker*> workers_;
};

struct Route {
  std::string_view method;
  std::string_view path;    // "/message/{message_id}"
  std::string_view before;  // "/message/"; the whole path when it has no parameter
  bool has_parameter = false;
  runtime::Task<http::Response> (*call)(const Workers& workers, http::Request& request,
                                        std::string path_value) = nullptr;
  OperationDescription (*describe)(const Route& route) = nullptr;
};

template <class T>
struct ListOf {
  using Element = T;
  static constexpr bool kList = false;
};
template <class T>
struct ListOf<std::vector<T>> {
  using Element = T;
  static constexpr bool kList = true;
};

template <auto kHandler>
struct Endpoint;

template <class T, class... Parameters,
          runtime::Task<Answer<T>> (*kHandler)(Worker&, Parameters...)>
struct Endpoint<kHandler> {
  static runtime::Task<http::Response> call(const Workers& workers, http::Request& request,
                                            std::string path_value) {
    Worker& worker = workers.on(co_await runtime::this_executor());
    Incoming incoming{worker, request, std::move(path_value)};
    Trouble trouble;
    std::tuple<Parameters...> values;
    (read_plain<Parameters>(values, incoming, trouble), ...);
    if constexpr ((Parameter<Parameters>::kFromBody || ...)) {
      co_await read_body(values, incoming, trouble);
    }
    if (trouble.refusal) co_return refusal_response(*trouble.refusal);
    if (!trouble.problems.empty()) co_return problems_response(trouble.problems);
    const Answer<T> answer = co_await invoke(worker, values);
    if (!answer) co_return refusal_response(answer.error());
    co_return json_response(200, to_json(*answer));
  }

  static OperationDescription describe(const Route& route) {
    OperationDescription operation;
    operation.method = base::to_lower(route.method);
    operation.path = route.path;
    operation.function = name_of_function<kHandler>();
    (Parameter<Parameters>::describe(operation), ...);
    operation.answer = describe_type<typename ListOf<T>::Element>();
    operation.answers_list = ListOf<T>::kList;
    return operation;
  }

 private:
  using Values = std::tuple<Parameters...>;

  template <class P>
  static void read_plain(Values& values, const Incoming& incoming, Trouble& trouble) {
    if constexpr (!Parameter<P>::kFromBody) {
      Parameter<P>::read(std::get<P>(values), incoming, trouble);
    }
  }
  // At most one parameter comes from the body.
  static runtime::Task<void> read_body(Values& values, Incoming& incoming, Trouble& trouble) {
    using BodyParameter = boost::mp11::mp_at<Values, boost::mp11::mp_find_if<Values, IsFromBody>>;
    return Parameter<BodyParameter>::read(std::get<BodyParameter>(values), incoming, trouble);
  }
  template <class P>
  using IsFromBody = std::bool_constant<Parameter<P>::kFromBody>;

  static runtime::Task<Answer<T>> invoke(Worker& worker, Values& values) {
    return std::apply([&](Parameters&... each) { return kHandler(worker, std::move(each)...); },
                      values);
  }
};

template <auto kHandler>
Route route(std::string_view method, std::string_view path) {
  const std::size_t brace = path.find('{');
  return {.method = method,
          .path = path,
          .before = path.substr(0, brace),
          .has_parameter = brace != path.npos,
          .call = &Endpoint<kHandler>::call,
          .describe = &Endpoint<kHandler>::describe};
}

}  // namespace messageboard
