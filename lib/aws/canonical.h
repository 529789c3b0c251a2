// The canonical request of Signature Version 4: the one form of a request that signer and verifier
// agree on. Used by sigv4.cpp and sigv4_verify.cpp only. Pure.
//
// S3 differs twice: its path is taken as it is (no dot segments, every slash kept) and encoded once
// instead of twice.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/aws/sigv4.h"
#include "lib/base/clock.h"
#include "lib/http/headers.h"

namespace aws {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct CanonicalInput {
  std::string_view method;
  std::string_view path;   // raw
  std::string_view query;  // raw; X-Amz-Signature in it is left out
  const http::HeaderViews* headers = nullptr;
  std::span<const std::string> signed_headers;  // lower case, in the order of the signature
  std::string_view payload_hash;
  bool s3 = false;
};

// Any bytes: a broken percent escape counts as the characters it is made of.
std::string canonical_request(const CanonicalInput& input);

// Sorted by encoded name, then encoded value.
std::string canonical_query(std::string_view query);

std::string string_to_sign(base::Timestamp time, const Scope& scope,
                           std::string_view canonical_request);

// "host;x-amz-date"
std::string joined(std::span<const std::string> signed_headers);

std::string hex_hmac(std::string_view key, std::string_view text);

}  // namespace aws
