#include "terrarium/services/s3/multipart.h"

#include <algorithm>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/conditions.h"

namespace terrarium::s3 {
namespace {

std::unexpected<base::Error> invalid_request(std::string message) {
  return base::fail(errors::kInvalidRequest, std::move(message));
}

std::unexpected<base::Error> malformed() {
  return base::fail(errors::kMalformedXML,
                    "The XML you provided was not well-formed or did not validate against our "
                    "published schema");
}

std::string lower_name(base::DigestKind kind) { return base::to_lower(checksum_name(kind)); }

std::unexpected<base::Error> invalid_part(const std::string& upload_id, const CompletedPart& part) {
  return with_field(
      with_field(
          with_field(base::fail(errors::kInvalidPart,
                                "One or more of the specified parts could not be found.  The part "
                                "may not have been uploaded, or the specified entity tag may not "
                                "match the part's entity tag."),
                     "UploadId", upload_id),
          "PartNumber", std::to_string(part.part_number.value_or(0))),
      "ETag", std::string(unquoted_etag(part.etag.value_or(""))));
}

// The part that `wanted` names, when it is the one that was uploaded.
base::Result<const PartRecord*> find_part(const CompleteMultipartUploadRequest& request,
                                          const UploadRecord& upload, const CompletedPart& wanted,
                                          const std::map<int, PartRecord>& parts) {
  const auto found = parts.find(*wanted.part_number);
  if (found == parts.end() || !names_etag(*wanted.etag, found->second.etag)) {
    return invalid_part(request.upload_id, wanted);
  }
  bool named = false;
  for (const auto& [kind, value] : checksum_headers(wanted)) {
    if (!*value) continue;
    if (kind == upload.checksum_kind && **value != found->second.segment.checksum) {
      return invalid_part(request.upload_id, wanted);
    }
    named = named || kind == upload.checksum_kind;
  }
  if (upload.checksum_asked && upload.checksum_composite && !named) {
    return invalid_request("The upload was created using a " + lower_name(upload.checksum_kind) +
                           " checksum. The complete request must include the checksum for each "
                           "part. It was missing for part " +
                           std::to_string(*wanted.part_number) + " in the request.");
  }
  return &found->second;
}

base::Result<void> check_part_size(const PartRecord& part, const CompletedPart& wanted) {
  if (part.segment.bytes >= kPartBytesMin) return {};
  return with_field(
      with_field(
          with_field(
              with_field(base::fail(errors::kEntityTooSmall,
                                    "Your proposed upload is smaller than the minimum allowed "
                                    "size"),
                         "ProposedSize", std::to_string(part.segment.bytes)),
              "MinSizeAllowed", std::to_string(kPartBytesMin)),
          "PartNumber", std::to_string(*wanted.part_number)),
      "ETag", part.etag);
}

base::Result<std::vector<const PartRecord*>> choose_parts(
    const CompleteMultipartUploadRequest& request, const UploadRecord& upload,
    const std::map<int, PartRecord>& parts) {
  if (!request.multipart_upload || !request.multipart_upload->parts) return malformed();
  const std::vector<CompletedPart>& wanted = *request.multipart_upload->parts;
  if (wanted.empty() || wanted.size() > std::size_t{kPartNumberMax}) return malformed();
  std::vector<const PartRecord*> chosen;
  int last = 0;
  for (const CompletedPart& part : wanted) {
    if (!part.part_number || !part.etag) return malformed();
    if (*part.part_number <= last) {
      return with_field(base::fail(errors::kInvalidPartOrder,
                                   "The list of parts was not in ascending order. Parts must be "
                                   "ordered by part number."),
                        "UploadId", request.upload_id);
    }
    last = *part.part_number;
    TRY(const PartRecord* const found, find_part(request, upload, part, parts));
    chosen.push_back(found);
  }
  for (std::size_t i = 0; i + 1 < chosen.size(); ++i) {
    TRY_VOID(check_part_size(*chosen[i], wanted[i]));
  }
  return chosen;
}

base::Result<ObjectChecksum> checksum_of(const UploadRecord& upload,
                                         const std::vector<const PartRecord*>& parts) {
  std::vector<PartDigest> digests;
  for (const PartRecord* part : parts) {
    TRY(std::string value, base::base64_decode(part->segment.checksum));
    digests.push_back({std::move(value), part->segment.bytes});
  }
  const base::DigestKind kind = upload.checksum_kind;
  if (upload.checksum_composite) {
    return ObjectChecksum{kind, true, composite_checksum(kind, digests)};
  }
  return ObjectChecksum{kind, false, base::base64_encode(combined_crc(kind, digests))};
}

base::Result<void> check_whole(const CompleteMultipartUploadRequest& request,
                               const UploadRecord& upload, const ObjectRecord& record) {
  const std::string type = checksum_type(upload.checksum_composite);
  if (request.checksum_type && *request.checksum_type != type) {
    return invalid_request("The upload was created using the " + type +
                           " checksum mode. The complete request must use the same checksum "
                           "mode.");
  }
  for (const auto& [kind, value] : checksum_headers(request)) {
    if (!*value) continue;
    if (kind != upload.checksum_kind) {
      return invalid_request("Checksum Type mismatch occurred, expected checksum Type: " +
                             lower_name(upload.checksum_kind) +
                             ", actual checksum Type: " + lower_name(kind));
    }
    // Clients send a composite one with or without the number of parts.
    const std::string& whole = record.checksum->value;
    if (**value != whole && **value != whole.substr(0, whole.find('-'))) {
      return base::fail(errors::kBadDigest, "The " + lower_name(kind) +
                                                " you specified did not match the calculated "
                                                "checksum.");
    }
  }
  if (request.mpu_object_size &&
      static_cast<std::uint64_t>(*request.mpu_object_size) != record.bytes) {
    return invalid_request("The provided 'x-amz-mp-object-size' header value " +
                           std::to_string(*request.mpu_object_size) +
                           " does not match what was computed: " + std::to_string(record.bytes));
  }
  if (record.bytes > kObjectBytesMax) {
    return base::fail(errors::kEntityTooLarge,
                      "Your proposed upload exceeds the maximum allowed size");
  }
  return {};
}

}  // namespace

base::Result<void> choose_checksum(const std::optional<std::string>& algorithm,
                                   const std::optional<std::string>& type, UploadRecord& upload) {
  if (!algorithm) {
    if (!type) return {};
    return invalid_request(
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
        "header.");
  }
  const auto kind = checksum_kind(*algorithm);
  if (!kind) {
    return invalid_request(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid "
        "types: [CRC32, CRC32C, SHA1, SHA256, CRC64NVME]");
  }
  upload.checksum_asked = true;
  upload.checksum_kind = *kind;
  upload.checksum_composite = *kind != base::DigestKind::Crc64Nvme;
  if (!type) return {};
  if (*type != "COMPOSITE" && *type != "FULL_OBJECT") {
    return invalid_request("Value for x-amz-checksum-type header is invalid.");
  }
  upload.checksum_composite = *type == "COMPOSITE";
  const bool exists =
      upload.checksum_composite ? *kind != base::DigestKind::Crc64Nvme : is_crc(*kind);
  if (exists) return {};
  return invalid_request("The " + *type + " checksum type cannot be used with the " +
                         lower_name(*kind) + " checksum algorithm.");
}

base::Result<void> check_part_number(int number) {
  if (number >= 1 && number <= kPartNumberMax) return {};
  return invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                          "partNumber", std::to_string(number));
}

base::Result<void> check_part_checksum(const UploadRecord& upload,
                                       const std::optional<DeclaredChecksum>& declared) {
  if (!upload.checksum_asked) return {};
  if (declared ? declared->kind == upload.checksum_kind : !upload.checksum_composite) return {};
  return invalid_request("Checksum Type mismatch occurred, expected checksum Type: " +
                         lower_name(upload.checksum_kind) + ", actual checksum Type: " +
                         (declared ? lower_name(declared->kind) : std::string("null")));
}

base::Result<Assembled> assemble(const CompleteMultipartUploadRequest& request,
                                 const UploadRecord& upload,
                                 const std::map<int, PartRecord>& parts) {
  TRY(const std::vector<const PartRecord*> chosen, choose_parts(request, upload, parts));
  Assembled assembled;
  ObjectRecord& record = assembled.record;
  record.upload_id = request.upload_id;
  record.headers = upload.headers;
  record.tags = upload.tags;
  record.acl = upload.acl;
  record.last_modified = upload.initiated;
  std::vector<std::string> etags;
  for (const PartRecord* part : chosen) {
    record.bytes += part->segment.bytes;
    assembled.parts.push_back(part->segment);
    etags.push_back(part->etag);
  }
  record.etag = multipart_etag(etags);
  TRY(record.checksum, checksum_of(upload, chosen));
  TRY_VOID(check_whole(request, upload, record));
  return assembled;
}

std::unexpected<base::Error> no_such_upload(const std::string& upload_id,
                                            std::source_location where) {
  return with_field(base::fail(errors::kNoSuchUpload,
                               "The specified upload does not exist. The upload ID may be "
                               "invalid, or the upload may have been aborted or completed.",
                               where),
                    "UploadId", upload_id);
}

}  // namespace terrarium::s3
