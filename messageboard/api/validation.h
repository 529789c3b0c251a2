// What is wrong with a request, in the words of FastAPI with pydantic 1: the body of a 422 answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "messageboard/api/json_reader.h"

namespace messageboard {

struct Problem {
  using Step = std::variant<std::string, std::size_t>;
  std::vector<Step> location;  // "body", "author"
  std::string message;
  std::string type;
  std::string context;  // JSON of `ctx`; empty: none
};
using Problems = std::vector<Problem>;

Problem missing(std::vector<Problem::Step> location);       // field required
Problem not_none(std::vector<Problem::Step> location);      // null where a value must be
Problem not_string(std::vector<Problem::Step> location);    // a list or an object
Problem not_integer(std::vector<Problem::Step> location);   //
Problem not_object(std::vector<Problem::Step> location);    // the whole body
Problem not_storable(std::vector<Problem::Step> location);  // text that a database cannot hold
Problem too_large(std::vector<Problem::Step> location, std::int64_t limit);  // over a maximum
Problem too_small(std::vector<Problem::Step> location, std::int64_t limit);  // under a minimum
Problem not_json(const JsonDecodeError& error);

// {"detail":[...]}
std::string problems_body(const Problems& problems);

// pydantic's str: numbers and booleans become the text that Python prints for them.
std::variant<std::string, Problem> coerce_string(const Json& value,
                                                 std::vector<Problem::Step> location);

// pydantic hands dict() whatever is not an object: an empty list is an empty object, a list of
// pairs is one too. Nothing when dict() would refuse.
std::optional<Json> as_object(const Json& value);

}  // namespace messageboard
