// Receipt handles: opaque to clients, they name one receive of one message of one queue. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::sqs {

struct Receipt {
  std::uint64_t queue = 0;
  std::uint64_t sequence = 0;
  std::uint32_t tag = 0;       // of the message's id
  std::uint32_t receives = 0;  // which receive of the message it came from

  friend bool operator==(const Receipt&, const Receipt&) = default;
};

std::string encode(const Receipt& receipt);
// ReceiptHandleIsInvalid for anything that encode() did not write.
base::Result<Receipt> decode_receipt(std::string_view handle);

}  // namespace terrarium::sqs
