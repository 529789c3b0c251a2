// Which URL a service has: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, else AWS's own names
// ("https://sqs.us-east-1.amazonaws.com"). S3 buckets are addressed virtual-host style on AWS's
// names when the bucket's name allows it, path style on an overridden endpoint.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/http/client.h"

namespace aws {

// AWS_REGION, AWS_DEFAULT_REGION, else "us-east-1".
std::string default_region();

base::Result<http::Url> service_endpoint(std::string_view service, std::string_view region);

// The URL of an object; `key` is percent-encoded here. An empty key: the bucket.
base::Result<http::Url> object_url(std::string_view bucket, std::string_view key,
                                   std::string_view region);

}  // namespace aws
