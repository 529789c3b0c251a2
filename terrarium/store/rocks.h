// The store on disk: one RocksDB database, a column family for each Table. write() appends to the
// log without syncing; sync() is a group commit (group_sync.h).
//
// Memory stays small when idle: write buffers grow with use, one small cache serves every table.
#pragma once

#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "terrarium/store/store.h"

namespace terrarium::store {

// Opens `path`, making it when it is not there. Conflict: another process has it open. Anything
// unreadable is refused with a message that names the folder. `clock` outlives the store.
base::Result<std::unique_ptr<Store>> open_rocks_store(const std::string& path, base::Clock& clock);

}  // namespace terrarium::store
