#include "lib/aws/canonical.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

constexpr std::string_view kUpperHex = "0123456789ABCDEF";
constexpr std::string_view kSignatureParameter = "X-Amz-Signature";

constexpr std::array<bool, 256> kUnreserved = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) {
    table[static_cast<std::size_t>(c)] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                         (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                                         c == '.' || c == '~';
  }
  return table;
}();

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

void append_encoded(std::string& out, unsigned char byte) {
  if (kUnreserved[byte]) {
    out += static_cast<char>(byte);
    return;
  }
  out += '%';
  out += kUpperHex[byte >> 4];
  out += kUpperHex[byte & 15];
}

// Undoes the percent encoding of `text` and does it again in the canonical way.
void append_reencoded(std::string& out, std::string_view text, bool is_path) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high * 16 + low);
        i += 2;
      }
    } else if (c == '+' && !is_path) {
      c = ' ';
    }
    if (is_path && c == '/') {
      out += c;
    } else {
      append_encoded(out, static_cast<unsigned char>(c));
    }
  }
}

// Every service but S3: RFC 3986's dot segments and empty segments are removed, and what is left,
// encoded already, is encoded once more.
void append_normalised_path(std::string& out, std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    at = end + 1;
  }
  for (const std::string_view segment : segments) {
    out += '/';
    for (const char c : segment) append_encoded(out, static_cast<unsigned char>(c));
  }
  if (segments.empty() || path.ends_with('/')) out += '/';
}

struct Parameter {
  std::string_view name;
  std::string_view value;
  auto operator<=>(const Parameter&) const = default;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Trimmed, runs of white space made one space.
void append_folded(std::string& out, std::string_view value) {
  value = base::trim(value);
  bool after_space = false;
  for (const char c : value) {
    const bool space = is_space(c);
    if (!space) {
      out += c;
    } else if (!after_space) {
      out += ' ';
    }
    after_space = space;
  }
}

void append_headers(std::string& out, const CanonicalInput& input) {
  for (const std::string& name : input.signed_headers) {
    out += name;
    out += ':';
    bool first = true;
    for (const http::HeaderView& field : *input.headers) {
      if (!base::equals_ignoring_case(field.name, name)) continue;
      if (!first) out += ',';
      first = false;
      append_folded(out, field.value);
    }
    out += '\n';
  }
}

void append_joined(std::string& out, std::span<const std::string> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ';';
    out += names[i];
  }
}

void append_query(std::string& out, std::string_view query) {
  if (query.empty()) return;
  // Encoding at most triples a text: the views into `encoded` stay valid.
  std::string encoded;
  encoded.reserve(query.size() * 3);
  std::vector<Parameter> parameters;
  for (std::size_t at = 0; at <= query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    at = end + 1;
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::size_t name_at = encoded.size();
    append_reencoded(encoded, pair.substr(0, equals), false);
    const std::size_t value_at = encoded.size();
    if (equals < pair.size()) append_reencoded(encoded, pair.substr(equals + 1), false);
    const std::string_view all = encoded;
    const Parameter made{all.substr(name_at, value_at - name_at), all.substr(value_at)};
    if (made.name != kSignatureParameter) parameters.push_back(made);
  }
  std::ranges::sort(parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i > 0) out += '&';
    out += parameters[i].name;
    out += '=';
    out += parameters[i].value;
  }
}

}  // namespace

std::string canonical_query(std::string_view query) {
  std::string text;
  append_query(text, query);
  return text;
}

std::string canonical_request(const CanonicalInput& input) {
  std::string text;
  text.reserve(768);
  text += input.method;
  text += '\n';
  if (input.path.empty()) {
    text += '/';
  } else if (input.s3) {
    append_reencoded(text, input.path, true);
  } else {
    append_normalised_path(text, input.path);
  }
  text += '\n';
  append_query(text, input.query);
  text += '\n';
  append_headers(text, input);
  text += '\n';
  append_joined(text, input.signed_headers);
  text += '\n';
  text += input.payload_hash;
  return text;
}

std::string string_to_sign(base::Timestamp time, const Scope& scope,
                           std::string_view canonical_request) {
  std::string text;
  text.reserve(192);
  text += kAlgorithm;
  text += '\n';
  text += base::iso8601_basic(time);
  text += '\n';
  text += scope.text();
  text += '\n';
  text += base::hex_encode(base::digest(base::DigestKind::Sha256, canonical_request));
  return text;
}

std::string joined(std::span<const std::string> signed_headers) {
  std::string text;
  append_joined(text, signed_headers);
  return text;
}

std::string hex_hmac(std::string_view key, std::string_view text) {
  return base::hex_encode(base::hmac_sha256(key, text));
}

}  // namespace aws
