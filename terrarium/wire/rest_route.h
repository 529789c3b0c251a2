// Which operation of a REST service a request means: by method, path and, for S3, the query keys
// and headers that tell operations on one path apart. Pure; immutable once made, any thread may use
// it.
//
// A request that names a sub-resource (?acl) which the found operation does not take is refused by
// that name: it is never answered by a neighbour. Query parameters and x-amz-* headers that nobody
// knows are refused too where AWS would ignore them, but for plain parameters of GET and HEAD.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/headers.h"
#include "terrarium/wire/model.h"
#include "terrarium/wire/parameters.h"
#include "terrarium/wire/rest.h"

namespace terrarium::wire {

struct RouteMatch {
  std::size_t operation = 0;  // index in ServiceModel::operations
  Labels labels;
};

class RestRoutes {
 public:
  explicit RestRoutes(const ServiceModel& service);

  // `path`: raw, path style. NotImplemented, MethodNotAllowed or UnknownOperation name what failed.
  base::Result<RouteMatch> find(std::string_view method, std::string_view path,
                                const Parameters& query, const http::HeaderViews& headers) const;

 private:
  struct Segment {
    std::string_view text;  // a literal, or a label's name
    bool label = false;
    bool greedy = false;
  };
  struct Route {
    std::string_view method;
    std::vector<Segment> segments;
    std::vector<std::pair<std::string_view, std::string_view>> query;  // of the template
    std::vector<std::string_view> required_query;
    std::vector<std::string_view> required_headers;
    std::vector<std::string_view> known_query;
    std::vector<std::string_view> known_headers;     // lower case
    std::vector<std::string> known_header_prefixes;  // lower case
  };

  static Route make_route(const OperationModel& operation);
  std::optional<std::size_t> weight(const Route& route, const Parameters& query,
                                    const http::HeaderViews& headers) const;
  static std::optional<std::size_t> literals_matched(const Route& route,
                                                     const std::vector<std::string_view>& parts);
  std::unexpected<base::Error> method_not_allowed(std::string_view method,
                                                  const std::vector<std::string_view>& parts) const;
  base::Result<const Route*> choose(std::string_view method, std::string_view path,
                                    const std::vector<std::string_view>& parts,
                                    const Parameters& query,
                                    const http::HeaderViews& headers) const;
  base::Result<void> check_nothing_ignored(const Route& route, std::string_view method,
                                           const Parameters& query,
                                           const http::HeaderViews& headers) const;

  const ServiceModel& service_;
  std::vector<Route> routes_;
  bool xml_;
};

}  // namespace terrarium::wire
