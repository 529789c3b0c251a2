// GetObjectAttributes: what is known of an object, part by part, without its bytes.
#include <algorithm>
#include <array>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/requests.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/services/s3/versions.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

constexpr std::array<std::string_view, 5> kAttributes{"ETag", "Checksum", "ObjectParts",
                                                      "StorageClass", "ObjectSize"};

base::Result<void> check_attributes(const std::vector<std::string>& asked) {
  for (const std::string& name : asked) {
    if (std::ranges::find(kAttributes, name) != kAttributes.end()) continue;
    return invalid_argument("Invalid attribute name specified.", "x-amz-object-attributes", name);
  }
  if (!asked.empty()) return {};
  return base::fail(errors::kInvalidRequest,
                    "The x-amz-object-attributes header specifying the attributes to be retrieved "
                    "is either missing or empty");
}

// Only here AWS leaves out the "-N" of a composite checksum: ObjectParts has the count.
ObjectChecksum without_part_count(ObjectChecksum checksum) {
  if (checksum.composite) checksum.value.resize(checksum.value.find('-'));
  return checksum;
}

// Parts have checksums of their own where the object's is made of them.
std::vector<ObjectPart> describe(const std::vector<Segment>& segments, std::uint32_t first,
                                 base::DigestKind kind) {
  std::vector<ObjectPart> parts;
  for (const Segment& segment : segments) {
    ObjectPart& part = parts.emplace_back();
    part.part_number = static_cast<std::int32_t>(++first);
    part.size = static_cast<std::int64_t>(segment.bytes);
    set_checksum(part, kind, segment.checksum);
  }
  return parts;
}

}  // namespace

base::Result<GetObjectAttributesParts> Service::parts_of(const GetObjectAttributesRequest& request,
                                                         const ObjectRecord& record) const {
  TRY(const std::size_t limit, page_limit(request.max_parts, "max-parts"));
  const std::int32_t after = std::max(0, request.part_number_marker.value_or(0));
  GetObjectAttributesParts output;
  output.total_parts_count = static_cast<std::int32_t>(record.parts);
  if (!record.checksum || !record.checksum->composite) return output;
  std::vector<ObjectPart> page;
  const auto from = static_cast<std::uint32_t>(after);
  for (std::uint32_t number = from + 1; number <= record.parts && page.size() < limit; ++number) {
    TRY(const FoundPart found, find_part(record, number));
    std::ranges::move(describe({found.segment}, number - 1, record.checksum->kind),
                      std::back_inserter(page));
  }
  const auto last = static_cast<std::int32_t>(from + page.size());
  output.part_number_marker = after;
  output.next_part_number_marker = last;
  output.max_parts = static_cast<std::int32_t>(limit);
  output.is_truncated = static_cast<std::uint32_t>(last) < record.parts;
  output.parts = std::move(page);
  return output;
}

Task<base::Result<GetObjectAttributesOutput>> Service::get_object_attributes(
    const wire::Context& context, GetObjectAttributesRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetObjectAttributes",
               request.key, version_condition(request.version_id)));
  CO_TRY_VOID(refuse_unsupported(request));
  CO_TRY_VOID(check_attributes(request.object_attributes));
  CO_TRY(const StoredVersion version,
         require_version(context, bucket, request.key, request.version_id));
  const ObjectRecord& record = version.record;
  const auto asked = [&request](std::string_view name) {
    return std::ranges::find(request.object_attributes, name) != request.object_attributes.end();
  };
  GetObjectAttributesOutput output;
  output.last_modified = record.last_modified;
  output.version_id = shown_version_id(bucket, record);
  if (asked("ETag")) output.etag = record.etag;
  if (asked("Checksum") && record.checksum) {
    set_checksum(output.checksum.emplace(), without_part_count(*record.checksum));
  }
  if (asked("ObjectParts") && record.parts > 0) {
    CO_TRY(output.object_parts, parts_of(request, record));
  }
  if (asked("StorageClass")) {
    const std::string& storage_class = record.headers.storage_class;
    output.storage_class = storage_class.empty() ? "STANDARD" : storage_class;
  }
  if (asked("ObjectSize")) output.object_size = static_cast<std::int64_t>(record.bytes);
  co_return output;
}

}  // namespace terrarium::s3
