// Sends a response's stream as its body. Internal to lib/http.
#pragma once

#include "lib/base/result.h"
#include "lib/http/body.h"
#include "lib/http/link.h"
#include "lib/http/response_head.h"

namespace http {

// The head is in the link's output. One buffer of the stream is in memory at a time: a slow client
// slows the stream. An error says that the client has got less than a whole response: its
// connection must end in a way that it cannot mistake for the end of the body.
runtime::Task<base::Result<void>> send_stream(Link& link, BodyReader& stream, ResponsePlan plan);

}  // namespace http
