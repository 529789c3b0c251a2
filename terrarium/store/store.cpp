#include "terrarium/store/store.h"

namespace terrarium::store {

runtime::Task<base::Result<void>> Store::commit(Batch batch) {
  CO_TRY_VOID(write(std::move(batch)));
  co_return co_await sync();
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace terrarium::store
