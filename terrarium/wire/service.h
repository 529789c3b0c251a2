// How a service meets the wire: the context of a call, and the table of handlers that modelgen
// writes (generated/<service>/dispatch.h) from operations.txt - the only list of operations.
//
// A service is a class with one coroutine per operation, named as AWS names it:
//   Task<Result<CreateQueueResult>> create_queue(const wire::Context&, CreateQueueRequest);
// An operation without input takes wire::Empty, one without output returns wire::Empty.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/server.h"
#include "lib/runtime/task.h"
#include "terrarium/wire/model.h"
#include "terrarium/wire/promised_body.h"

namespace terrarium::wire {

enum class PrincipalKind : std::uint8_t { Anonymous, Root, User, AssumedRole, Service };

// Who calls. Service is the region itself ("s3.amazonaws.com" sending to a queue).
struct Principal {
  PrincipalKind kind = PrincipalKind::Anonymous;
  std::string account;
  std::string arn;            // "arn:aws:iam::000000000000:root"; Service: "s3.amazonaws.com"
  std::string id;             // AIDA..., AROA...:session; the account for root
  std::string access_key_id;  //
};

class Authenticator;

struct Context {
  std::string request_id;  // a UUID; S3 answers it in its own form
  std::string region;      // "us-east-1"
  std::string account;     // "000000000000"
  Principal principal;
  base::Timestamp now;       // when the request came: what decisions use
  base::Timestamp deadline;  // long polls and waits end before this
  bool dry_run = false;      // EC2's: everything is checked and nothing changed
  std::string endpoint;      // scheme://host:port as the caller addressed it: QueueUrl carries it
  std::string source_ip;
  const http::Request* request = nullptr;  // null for calls inside the region
  // The body of an operation with streaming_input, decoded from aws-chunked and checked against
  // its signatures, declared hash and trailer: a tampered body ends in an error, never in a short
  // success. Null otherwise.
  http::BodyReader* body = nullptr;
  // The same body for readers that digest it themselves; null where nobody promised anything.
  PromisedBody* promised_body = nullptr;
  // Trailer or header checksums that `body` has verified are readable after its end:
  // {"x-amz-checksum-crc32", "base64"}.
  const http::Headers* trailers = nullptr;
  // Checks what a browser's form says of who signed it: its signature is in the body, which the
  // operation reads. Null for calls inside the region.
  Authenticator* authenticator = nullptr;
};

// What a handler gives back before encoding: the output structure, type-erased.
struct Answer {
  std::shared_ptr<void> output;  // of OperationModel::output's type, or null
};

// One operation bound to its service: decodes nothing, encodes nothing.
struct OperationHandler {
  const OperationModel* model = nullptr;
  std::shared_ptr<void> (*make_input)() = nullptr;
  // `input` came from make_input and has been decoded into.
  std::function<runtime::Task<base::Result<Answer>>(const Context&, std::shared_ptr<void> input)>
      call;
};

struct ServiceEntry {
  const ServiceModel* model = nullptr;
  std::vector<OperationHandler> operations;
  // Where the service's handlers run; nothing: on the connection's own executor.
  std::optional<runtime::Executor> executor;
  // Adds to every answer of the service, errors too, before it goes. `path`: raw, S3's as path
  // style. On the connection's executor. Generated for a service with a finish_answer().
  std::function<void(const Context& context, std::string_view path, http::Response& response)>
      finish;
};

}  // namespace terrarium::wire
