// The store on disk: one RocksDB database, a column family for each Table. write() appends to the
// log without syncing; sync() is a group commit (group_sync.h).
//
// Memory stays small when idle: write buffers grow with use, one small cache serves every table.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "terrarium/store/store.h"

namespace terrarium::store {

// Opens `path`, making it when it is not there. Conflict: another process has it open. Anything
// unreadable is refused with a message that names the folder. `clock` outlives the store.
//
// `on_failure` is called once, from any thread, when the disk has failed: from then on the store
// takes no change, and only opening it anew tells what it holds.
base::Result<std::unique_ptr<Store>> open_rocks_store(
    const std::string& path, base::Clock& clock, std::function<void()> on_failure = [] {});

}  // namespace terrarium::store
