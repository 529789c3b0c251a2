#include "terrarium/services/sqs/receipt.h"

#include "generated/sqs/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace terrarium::sqs {
namespace {

constexpr std::size_t kPayloadBytes = 24;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint64_t number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string checksum(std::string_view payload) {
  return base::digest(base::DigestKind::Crc32c, payload);
}

}  // namespace

std::string encode(const Receipt& receipt) {
  std::string bytes;
  put(bytes, receipt.queue, 8);
  put(bytes, receipt.sequence, 8);
  put(bytes, receipt.tag, 4);
  put(bytes, receipt.receives, 4);
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
  return Receipt{.queue = number(all.substr(0, 8)),
                 .sequence = number(all.substr(8, 8)),
                 .tag = static_cast<std::uint32_t>(number(all.substr(16, 4))),
                 .receives = static_cast<std::uint32_t>(number(all.substr(20, 4)))};
}

}  // namespace terrarium::sqs
