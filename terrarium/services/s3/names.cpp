#include "terrarium/services/s3/names.h"

#include <algorithm>

#include "generated/s3/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/wire/scalar.h"

namespace terrarium::s3 {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alphanumeric(char c) { return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z'); }

bool looks_like_address(std::string_view name) {
  return std::ranges::count(name, '.') == 3 &&
         std::ranges::all_of(name, [](char c) { return is_digit(c) || c == '.'; });
}

// Characters, not bytes: what the limits of tags count.
std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::unexpected<base::Error> invalid_tag(std::string message, std::string_view key) {
  return with_field(base::fail(errors::kInvalidTag, std::move(message)), "TagKey",
                    std::string(key));
}

// Letters, digits and spaces of any script, and _.:/=+-@ of ASCII. Beyond ASCII everything passes
// but control characters: AWS asks Unicode's tables, which are not here.
bool has_tag_characters(std::string_view text) {
  return wire::is_utf8(text) && std::ranges::all_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return is_alphanumeric(c) || byte >= 0x80 || std::string_view(" _.:/=+-@").contains(c);
         });
}

base::Result<void> check_tag(std::string_view key, std::string_view value, TagsOf of) {
  if (key.starts_with("aws:")) {
    return invalid_tag(of == TagsOf::Bucket ? "System tags cannot be added/updated by requester"
                                            : "Your TagKey cannot be prefixed with aws:",
                       key);
  }
  if (key.empty() || characters(key) > kTagKeyCharactersMax || !has_tag_characters(key)) {
    return invalid_tag("The TagKey you have provided is invalid", key);
  }
  if (characters(value) > kTagValueCharactersMax || !has_tag_characters(value)) {
    return with_field(invalid_tag("The TagValue you have provided is invalid", key), "TagValue",
                      std::string(value));
  }
  return {};
}

base::Result<void> add_tag(Tags& tags, std::string key, std::string value, TagsOf of) {
  if (tags.contains(key)) {
    return invalid_tag("Cannot provide multiple Tags with the same key", key);
  }
  TRY_VOID(check_tag(key, value, of));
  tags.emplace(std::move(key), std::move(value));
  return {};
}

std::unexpected<base::Error> too_many_tags(TagsOf of) {
  if (of == TagsOf::Object) {
    return base::fail(errors::kBadRequest, "Object tags cannot be greater than 10");
  }
  return base::fail(errors::kBadRequest, "Bucket tag count cannot be greater than 50");
}

}  // namespace

bool is_bucket_name(std::string_view name) {
  const auto outer = [](char c) { return is_lower(c) || is_digit(c); };
  if (name.size() < 3 || name.size() > 63 || !outer(name.front()) || !outer(name.back())) {
    return false;
  }
  if (!std::ranges::all_of(name, [&](char c) { return outer(c) || c == '.' || c == '-'; })) {
    return false;
  }
  // Each label between periods begins and ends as the whole does.
  if (name.contains("..") || name.contains(".-") || name.contains("-.")) return false;
  if (looks_like_address(name)) return false;
  for (const std::string_view prefix : {"xn--", "sthree-", "amzn-s3-demo-"}) {
    if (name.starts_with(prefix)) return false;
  }
  for (const std::string_view suffix : {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}) {
    if (name.ends_with(suffix)) return false;
  }
  return true;
}

base::Result<void> check_bucket_name(std::string_view name) {
  if (is_bucket_name(name)) return {};
  return with_field(base::fail(errors::kInvalidBucketName, "The specified bucket is not valid."),
                    "BucketName", std::string(name));
}

base::Result<void> check_key(std::string_view key) {
  if (key.size() > kKeyBytesMax) {
    return with_field(with_field(base::fail(errors::kKeyTooLongError, "Your key is too long"),
                                 "Size", std::to_string(key.size())),
                      "MaxSizeAllowed", std::to_string(kKeyBytesMax));
  }
  if (key.empty() || !wire::is_utf8(key)) {
    return base::fail(errors::kInvalidURI, "Couldn't parse the specified URI.");
  }
  return {};
}

std::string encode_key(std::string_view key) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : key) {
    if (is_alphanumeric(c) || std::string_view("-_.*/").contains(c)) {
      encoded.push_back(c);
    } else if (c == ' ') {
      encoded.push_back('+');
    } else {
      encoded.push_back('%');
      encoded.push_back(digits[static_cast<unsigned char>(c) >> 4]);
      encoded.push_back(digits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return encoded;
}

base::Result<Tags> parse_tagging_header(std::string_view header) {
  const auto broken = [header] {
    return invalid_argument(
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
        "without tag name duplicates.",
        "x-amz-tagging", std::string(header));
  };
  Tags tags;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find('&'), header.size());
    const std::string_view pair = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto key = base::percent_decode(pair.substr(0, equals), true);
    auto value = base::percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!key || !value) return broken();
    const auto added = add_tag(tags, *std::move(key), *std::move(value), TagsOf::Object);
    if (!added.has_value()) return broken();
    if (tags.size() > kObjectTagsMax) return too_many_tags(TagsOf::Object);
  }
  return tags;
}

base::Result<Tags> check_tags(const std::vector<Tag>& set, TagsOf of) {
  if (set.size() > (of == TagsOf::Object ? kObjectTagsMax : kBucketTagsMax)) {
    return too_many_tags(of);
  }
  Tags tags;
  for (const Tag& tag : set) TRY_VOID(add_tag(tags, tag.key, tag.value, of));
  return tags;
}

std::vector<Tag> tag_set(const Tags& tags) {
  std::vector<Tag> set;
  for (const auto& [key, value] : tags) set.push_back({key, value});
  return set;
}

base::Result<void> check_metadata(const std::map<std::string, std::string>& metadata) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata) bytes += name.size() + value.size();
  if (bytes <= kMetadataBytesMax) return {};
  return with_field(
      with_field(base::fail(errors::kMetadataTooLarge,
                            "Your metadata headers exceed the maximum allowed metadata size"),
                 "Size", std::to_string(bytes)),
      "MaxSizeAllowed", std::to_string(kMetadataBytesMax));
}

base::Result<void> check_storage_class(std::string_view storage_class) {
  for (const std::string_view known : {"", "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA",
                                       "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"}) {
    if (storage_class == known) return {};
  }
  for (const std::string_view archive : {"GLACIER", "DEEP_ARCHIVE"}) {
    if (storage_class == archive) {
      return not_supported("The storage class " + std::string(archive) +
                           ", whose objects must be restored before they are read,");
    }
  }
  return with_field(
      base::fail(errors::kInvalidStorageClass, "The storage class you specified is not valid"),
      "StorageClassRequested", std::string(storage_class));
}

std::string without_aws_chunked(std::string_view content_encoding) {
  std::string kept;
  while (!content_encoding.empty()) {
    const std::size_t end = std::min(content_encoding.find(','), content_encoding.size());
    const std::string_view token = base::trim(content_encoding.substr(0, end));
    content_encoding.remove_prefix(std::min(end + 1, content_encoding.size()));
    if (token.empty() || base::equals_ignoring_case(token, "aws-chunked")) continue;
    if (!kept.empty()) kept += ",";
    kept += token;
  }
  return kept;
}

base::Result<CopySource> parse_copy_source(std::string_view header) {
  constexpr std::string_view version = "?versionId=";
  const std::string_view whole = header;
  const auto broken = [whole] {
    return invalid_argument(
        "Copy Source must mention the source bucket and key: "
        "sourcebucket/sourcekey",
        "x-amz-copy-source", std::string(whole));
  };
  // Clients encode the key but not this: a '?' of the key itself comes as %3F.
  std::optional<std::string> version_id;
  if (const std::size_t at = header.rfind(version); at != std::string_view::npos) {
    version_id = header.substr(at + version.size());
    header = header.substr(0, at);
  }
  const auto decoded = base::percent_decode(header);
  if (!decoded) return broken();
  std::string_view text = *decoded;
  if (text.starts_with('/')) text.remove_prefix(1);
  if (text.starts_with("arn:")) return not_supported("A copy source that is an ARN");
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) return broken();
  CopySource source{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1)),
                    std::move(version_id)};
  TRY_VOID(check_key(source.key));
  return source;
}

std::string_view source_action(const CopySource& source) {
  return source.version_id ? std::string_view("s3:GetObjectVersion") : "s3:GetObject";
}

std::string canonical_user_id(std::string_view account) {
  return base::hex_encode(
      base::digest(base::DigestKind::Sha256, "canonical user of account " + std::string(account)));
}

bool is_account_id(std::string_view text) {
  return text.size() == 12 && std::ranges::all_of(text, is_digit);
}

std::string owner_display_name(std::string_view account) {
  return "account-" + std::string(account);
}

std::string owner_principal_id(std::string_view account) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const std::string bytes =
      base::digest(base::DigestKind::Sha256, "principal of account " + std::string(account));
  std::string id = "A";
  for (std::size_t i = 0; i < 13; ++i) id += alphabet[static_cast<unsigned char>(bytes[i]) & 31];
  return id;
}

std::string bucket_arn(std::string_view bucket) { return "arn:aws:s3:::" + std::string(bucket); }

std::unexpected<base::Error> with_field(std::unexpected<base::Error> inner, std::string name,
                                        std::string value) {
  inner.error().fields.emplace_back(std::move(name), std::move(value));
  return inner;
}

std::unexpected<base::Error> invalid_argument(std::string message, std::string name,
                                              std::string value, std::source_location where) {
  return with_field(with_field(base::fail(errors::kInvalidArgument, std::move(message), where),
                               "ArgumentName", std::move(name)),
                    "ArgumentValue", std::move(value));
}

std::unexpected<base::Error> malformed_xml(std::source_location where) {
  return base::fail(errors::kMalformedXML,
                    "The XML you provided was not well-formed or did not validate against our "
                    "published schema",
                    where);
}

std::unexpected<base::Error> not_supported(std::string what, std::source_location where) {
  return base::fail(errors::kNotImplemented, what + " is not supported by this region's Amazon S3.",
                    where);
}

}  // namespace terrarium::s3
