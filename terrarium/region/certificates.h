// The region's certificate authority and the certificate of its public face, in <state>/ca:
//
//   ca.pem      0644  the authority's certificate: what instances and functions trust
//   ca.key      0600  its key
//   server.pem  0600  key and certificate of the face, in one file: they are replaced together
//
// The authority is made at the first start and good for ten years; it may only speak for names
// under amazonaws.com, so that trusting it costs nothing elsewhere. Both certificates are made anew
// when less than a year of theirs is left, the face's also when a name is missing. Called at start,
// before anybody listens; blocks for file operations.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/http/server.h"

namespace terrarium::region {

struct Certificates {
  std::filesystem::path authority;  // PEM, what clients trust
  http::TlsFiles face;
};

// The names under which AWS's endpoints of these regions, and the global ones, are reached.
std::vector<std::string> endpoint_names(std::span<const std::string> regions);

// Serial numbers come from `random`, keys from OpenSSL's own generator. Conflict: the authority's
// key is gone or of another authority; nobody can renew what trusts it.
base::Result<Certificates> open_certificates(const std::filesystem::path& folder,
                                             std::span<const std::string> regions,
                                             base::Timestamp now, base::Random& random);

}  // namespace terrarium::region
