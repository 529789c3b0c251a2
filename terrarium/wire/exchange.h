// One request on its way through the router: what has been found out about it so far. Owned by the
// task that answers the request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/http/server.h"
#include "terrarium/wire/authenticate.h"
#include "terrarium/wire/authorisation.h"
#include "terrarium/wire/parameters.h"
#include "terrarium/wire/payload.h"
#include "terrarium/wire/rest_route.h"
#include "terrarium/wire/service.h"

namespace terrarium::wire {

// A service with what routing to it needs.
struct RoutedService {
  ServiceEntry entry;
  ServicePermissions permissions;
  std::unique_ptr<RestRoutes> routes;  // REST protocols only
};

// Which service, and which of its protocols. No service: nobody here answers for `name`.
struct Selection {
  const RoutedService* service = nullptr;
  Protocol protocol = Protocol::RestXml;
  std::string name;
};

// By the credential's scope, X-Amz-Target, Host, then the shape of the request; S3 is what remains.
Selection select_service(const http::Request& request,
                         const std::vector<std::unique_ptr<RoutedService>>& services);

struct Exchange {
  http::Request& request;
  Selection selection;
  Context context;
  Identity identity;
  std::string target;                // X-Amz-Target without its prefix, or Action
  std::string path;                  // raw, S3's as path style
  Parameters query;                  // of the URL
  http::HeaderViews headers;         // and, of a presigned URL, headers that its query carries
  Parameters form;                   // query protocol: all parameters
  Labels labels;                     // REST protocols
  std::string body;                  // of an operation that does not stream
  std::unique_ptr<Payload> payload;  // S3
  const OperationHandler* operation = nullptr;

  const ServiceModel& model() const { return *selection.service->entry.model; }
};

// Reads and authenticates the request and finds its operation.
runtime::Task<base::Result<void>> receive_s3(Exchange& exchange, Authenticator& authenticator);
runtime::Task<base::Result<void>> receive_other(Exchange& exchange, Authenticator& authenticator);

// Whether the caller's policies allow what the operation needs; `input` has been decoded.
base::Result<void> authorise(const Exchange& exchange, const void* input);

// Decodes the input, asks whether the caller may, has the service answer, encodes the answer.
runtime::Task<base::Result<http::Response>> answer(Exchange& exchange);

}  // namespace terrarium::wire
