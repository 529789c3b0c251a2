// Events of a group in the order of their time: of all its streams, or of few, each found through
// its own index and merged. Over a snapshot: what is written or deleted meanwhile does not disturb.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/services/logs/records.h"
#include "terrarium/store/store.h"

namespace terrarium::logs {

struct Range {
  Millis from_ms = 0;
  Millis to_ms = 0;  // exclusive
};

class EventScan {
 public:
  // Few enough streams to read each by its index; past that a scan of the group is cheaper.
  static constexpr std::size_t kStreamsMax = 100;

  EventScan(const store::Store& store, std::uint64_t group_id, Range range);
  EventScan(const store::Store& store, std::uint64_t group_id,
            std::span<const std::uint64_t> stream_ids, Range range);

  // To the first event behind `position`.
  void seek_after(Position position);
  bool valid() const;
  Position position() const;
  // Nothing when the event has been deleted since the scan began.
  base::Result<std::optional<EventRecord>> event() const;
  void next();
  // Why the scan ended.
  base::Result<void> status() const;

 private:
  struct Source {
    std::unique_ptr<store::Cursor> cursor;
    std::string prefix;
  };
  void find_first();

  const store::Store& store_;
  std::uint64_t group_id_;
  bool whole_group_;
  std::vector<Source> sources_;
  std::size_t first_ = 0;  // the source that has the earliest event; sources_.size(): none
};

}  // namespace terrarium::logs
