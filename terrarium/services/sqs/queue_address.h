// Queues as callers name them: QueueUrls and ARNs. Pure.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::sqs {

struct QueueAddress {
  std::string_view region;   // empty: the caller's
  std::string_view account;  // empty: the caller's
  std::string_view name;
};

// Of ".../account/name", ".../queue/region/account/name", or a queue's bare name: AWS goes by the
// path alone, so scheme, host and port may be any. InvalidAddress for anything else.
base::Result<QueueAddress> parse_queue_url(std::string_view url);
// Of "arn:aws:sqs:region:account:name"; empty views for anything else.
QueueAddress parse_queue_arn(std::string_view arn);

}  // namespace terrarium::sqs
