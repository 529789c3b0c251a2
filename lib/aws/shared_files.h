// ~/.aws/credentials and ~/.aws/config: profiles and their keys. Parsing is pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/aws/credentials.h"
#include "lib/base/result.h"

namespace aws {

using Profile = std::map<std::string, std::string>;  // keys in lower case
using Profiles = std::map<std::string, Profile>;

enum class SharedFile { Credentials, Config };

// In the config file a profile's section is "[profile name]" ("[default]" too), in the credentials
// file "[name]". Other sections, comments and nested settings are skipped; a line that is none of
// these is an error that names it.
base::Result<Profiles> parse_profiles(std::string_view text, SharedFile file);

// The keys of AWS_PROFILE (else "default") from the files of AWS_SHARED_CREDENTIALS_FILE and
// AWS_CONFIG_FILE (else those in ~/.aws), the credentials file first. Nothing when there is no such
// profile and none was asked for by name. Reads the files: two short blocking reads.
base::Result<std::optional<Credentials>> credentials_from_shared_files();

}  // namespace aws
