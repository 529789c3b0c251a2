#include "terrarium/wire/s3_ids.h"

#include "lib/base/encoding.h"

namespace terrarium::wire {

S3Ids s3_ids(std::string_view uuid) {
  constexpr std::size_t kRequestIdDigits = 16;
  S3Ids ids;
  for (const char c : uuid) {
    if (c == '-' || ids.request_id.size() == kRequestIdDigits) continue;
    ids.request_id += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  ids.host_id = base::base64_encode(uuid);
  return ids;
}

}  // namespace terrarium::wire
