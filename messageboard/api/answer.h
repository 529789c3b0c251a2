// What a handler gives: a value, or a refusal with its status. And the responses made of them.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/http/server.h"
#include "messageboard/api/validation.h"

namespace messageboard {

struct Refusal {
  int status = 500;
  std::string detail;
};

template <class T>
using Answer = std::expected<T, Refusal>;

std::unexpected<Refusal> refuse(int status, std::string detail);
// 503 for what may pass, logged and 500 without its cause for anything else.
std::unexpected<Refusal> refuse(const base::Error& error);

http::Response json_response(int status, std::string body);
http::Response refusal_response(const Refusal& refusal);  // {"detail":"..."}
http::Response problems_response(const Problems& problems);
http::Response redirect_response(std::string location);  // 307

}  // namespace messageboard
