// Makes true: the status of every row says what lies in the buckets. One a process, on the first
// worker's executor; several processes may run one each, they write the same. Pictures that failed
// are looked at again now and then: a redrive of the dead-letter queue may still make them right.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/runtime/event.h"
#include "lib/runtime/task.h"
#include "lib/runtime/task_group.h"
#include "messageboard/api/types.h"
#include "messageboard/api/worker.h"

namespace messageboard {

class Sweeper {
 public:
  explicit Sweeper(Worker& worker);
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  void start();
  runtime::Task<void> stop();
  // A picture was just uploaded. Any thread may call.
  void expect(std::int64_t id, std::string key);

 private:
  struct Picture {
    std::string key;
    ImageStatus status = ImageStatus::pending;
    base::Timestamp since;
    base::Timestamp next_look;
    bool looking = false;
  };

  runtime::Task<void> look_around();  // looks at what is due
  runtime::Task<void> find();         // reads unfinished rows: others' uploads, earlier runs'
  runtime::Task<bool> find_page(std::int64_t& above, bool failed_too);
  runtime::Task<void> look_at(std::int64_t id, std::string key, ImageStatus known);
  void start_due_looks();

  Worker& worker_;
  base::Clock& clock_;
  runtime::TaskGroup tasks_;
  std::map<std::int64_t, Picture> pictures_;
  std::size_t looks_ = 0;
  bool store_away_ = false;  // said in the log
};

}  // namespace messageboard
