// Virtual-host addressing of S3: the bucket that a Host header names. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace terrarium::wire {

// "pictures" for "pictures.localhost:4566", "pictures.s3.localhost:4566",
// "pictures.s3.amazonaws.com" and "pictures.s3.us-east-1.amazonaws.com"; nothing for S3's own
// names, plain addresses and other hosts: the bucket is then the path's first segment.
std::optional<std::string> bucket_of_host(std::string_view host);

// "sqs" of AWS's own "sqs.us-east-1.amazonaws.com"; empty for other hosts.
std::string service_of_host(std::string_view host);

// A Host header without its port, in lower case.
std::string host_name(std::string_view host);

}  // namespace terrarium::wire
