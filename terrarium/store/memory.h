// A store without a disk, for tests and simulations: every write is durable at once.
#pragma once

#include <memory>

#include "terrarium/store/store.h"

namespace terrarium::store {

std::unique_ptr<Store> open_memory_store();

}  // namespace terrarium::store
