// Credentials that an HTTP endpoint hands out: the container endpoint (which Lambda-like platforms
// and ECS offer) and the instance metadata service.
#pragma once

#include <optional>
#include <string_view>

#include "lib/aws/credentials.h"
#include "lib/aws/instance_metadata.h"
#include "lib/base/result.h"

namespace aws {

// {"AccessKeyId":..., "SecretAccessKey":..., "Token":..., "Expiration":...}
base::Result<Credentials> parse_credentials_document(std::string_view json);

// Nothing when neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor _FULL_URI is set.
runtime::Task<base::Result<std::optional<Credentials>>> credentials_from_container(
    http::Client& client, base::Clock& clock);

// NotFound when there is no metadata service, or no role.
runtime::Task<base::Result<Credentials>> credentials_from_instance(InstanceMetadata& metadata);

}  // namespace aws
