#include "terrarium/services/sqs/receipt.h"

#include "generated/sqs/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/sqs/bytes.h"

namespace terrarium::sqs {
namespace {

constexpr std::size_t kPayloadBytes = 24;

std::string checksum(std::string_view payload) {
  return base::digest(base::DigestKind::Crc32c, payload);
}

}  // namespace

std::string encode(const Receipt& receipt) {
  std::string bytes;
  put_number(bytes, receipt.queue, 8);
  put_number(bytes, receipt.sequence, 8);
  put_number(bytes, receipt.tag, 4);
  put_number(bytes, receipt.receives, 4);
  return base::base64_encode(bytes + checksum(bytes));
}

base::Result<Receipt> decode_receipt(std::string_view handle) {
  const auto bytes = base::base64_decode(handle);
  const std::string_view all = bytes.has_value() ? std::string_view(*bytes) : std::string_view();
  if (all.size() != kPayloadBytes + 4 ||
      checksum(all.substr(0, kPayloadBytes)) != all.substr(kPayloadBytes)) {
    return base::fail(errors::kReceiptHandleIsInvalid, "The input receipt handle \"" +
                                                           std::string(handle.substr(0, 1024)) +
                                                           "\" is not a valid receipt handle.");
  }
  Reader reader{all};
  return Receipt{.queue = reader.number(8),
                 .sequence = reader.number(8),
                 .tag = static_cast<std::uint32_t>(reader.number(4)),
                 .receives = static_cast<std::uint32_t>(reader.number(4))};
}

}  // namespace terrarium::sqs
