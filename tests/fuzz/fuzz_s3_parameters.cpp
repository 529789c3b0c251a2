// What S3 parses itself, from headers and from its own records: ranges lie inside the object,
// sources and tags keep the rules, a stored record is read without harm and written back as it was.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lib/base/check.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/conditions.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/services/s3/records.h"

namespace {

using namespace terrarium::s3;

template <class Decoded>
void check_record(const Decoded& decoded) {
  if (!decoded.has_value()) return;
  const std::string bytes = encode(*decoded);
  CHECK(bytes == encode(*decoded), "a record is written in one way");
}

void check_ranges(std::string_view text) {
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1'000}}) {
    const auto range = parse_range(text, bytes);
    CHECK(!range || !*range || ((*range)->bytes > 0 && (*range)->first + (*range)->bytes <= bytes),
          "a range lies in the object");
    const auto copied = parse_copy_range(text, bytes);
    CHECK(!copied || (copied->bytes > 0 && copied->first + copied->bytes <= bytes),
          "a copied range lies in the source");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0: check_ranges(text); break;
    case 1: {
      const auto source = parse_copy_source(text);
      CHECK(!source || (!source->bucket.empty() && check_key(source->key)), "a source names a key");
      break;
    }
    case 2: {
      const auto tags = parse_tagging_header(text);
      CHECK(!tags || check_tags(tag_set(*tags), TagsOf::Object), "tags keep the rules");
      break;
    }
    case 3: CHECK(!parse_bucket_policy(text, "bucket") || text.front() == '{', "JSON"); break;
    case 4: names_etag(text, "etag"); break;
    default:
      check_record(decode_object(text));
      check_record(decode_bucket(text));
      check_record(decode_upload(text));
      check_record(decode_part(text));
      check_record(decode_event(text));
  }
  return 0;
}
