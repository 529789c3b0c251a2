// From a request to its route, as Starlette finds it: first match by path and method, 405 when only
// the path matches, 307 when the path with or without its last slash would match, else 404.
#pragma once

#include <string>
#include <vector>

#include "lib/http/server.h"
#include "lib/runtime/task.h"
#include "messageboard/api/route.h"
#include "messageboard/api/static_files.h"

namespace messageboard {

// The routes that the OpenAPI document describes, in its order.
std::vector<Route> documented_routes();
// The OpenAPI document of the routes above.
std::string openapi();

class App {
 public:
  // `workers` outlives the app.
  App(const Workers& workers, std::string_view picture_origin);

  // Called on the connection's thread; `request` lives until the task ends.
  runtime::Task<http::Response> handle(http::Request& request) const;

 private:
  struct Match {
    const Route* full = nullptr;
    std::string_view allowed;  // the methods of the first path that matched, when no route did
    const StaticFile* file = nullptr;
    bool document = false;
    std::string parameter;
    bool any() const { return full != nullptr || !allowed.empty() || file != nullptr || document; }
  };
  Match match(std::string_view method, std::string_view path) const;
  http::Response refuse_or_redirect(const http::Request& request, const std::string& path,
                                    const Match& match) const;

  const Workers& workers_;
  std::vector<Route> routes_;
  StaticFiles files_;
  std::string document_;
};

}  // namespace messageboard
