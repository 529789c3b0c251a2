// One page of a list, as every List operation of Lambda cuts it: a marker names the last item that
// was given out, and a page has at most 50. Pure.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/encoding.h"
#include "lib/base/result.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {

struct Page {
  std::string after;  // empty: from the start
  std::size_t size = kPageItemsMax;
};

inline base::Result<Page> page_of(const std::optional<std::string>& marker,
                                  const std::optional<std::int32_t>& items_max) {
  Page page;
  if (marker && !marker->empty()) {
    const auto last = base::base64_decode(*marker);
    if (!last) return invalid("Invalid Marker");
    page.after = *last;
  }
  if (items_max) {
    page.size = std::min(static_cast<std::size_t>(std::max(*items_max, 1)), kPageItemsMax);
  }
  return page;
}

// Takes the page out of everything, in order. `key_of` gives an item's place in that order; what
// comes next is named by the answer, empty at the end.
template <class Item, class KeyOf>
std::optional<std::string> cut(std::vector<Item>& all, const Page& page, KeyOf key_of) {
  if (!page.after.empty()) {
    std::erase_if(all, [&](const Item& item) { return key_of(item) <= page.after; });
  }
  if (all.size() <= page.size) return std::nullopt;
  all.resize(page.size);
  return base::base64_encode(key_of(all.back()));
}

}  // namespace terrarium::lambda
