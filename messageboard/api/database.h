// The database as one server thread sees it: one connection, kept up by a task of its own.
//
// While the database is away, operations wait for a moment and are then refused as Unavailable; new
// ones are refused at once when it has been away for longer than that. When a connection breaks,
// reads under way are sent again; a write under way is refused as Unavailable, because nobody knows
// whether it was committed. Everything happens on one executor.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task.h"
#include "lib/runtime/task_group.h"
#include "messageboard/api/connect.h"
#include "messageboard/api/pipeline.h"

namespace messageboard {

struct DatabaseLimits {
  std::size_t under_way_max = 1024;                         // sent and not answered
  std::size_t waiting_max = 4096;                           // Unavailable past that
  base::Duration patience = std::chrono::seconds(2);        // with a database that is away
  base::Duration answer_timeout = std::chrono::seconds(5);  // then the connection is given up
  base::Duration connect_timeout = std::chrono::seconds(3);
};

class Database final : public Pipeline::Owner {
 public:
  Database(runtime::Executor executor, base::Clock& clock, DatabaseAddress address,
           DatabaseLimits limits = {});
  ~Database() override;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void start();
  // Refuses what still waits.
  runtime::Task<void> stop();

  // A write that succeeds is committed.
  runtime::Task<base::Result<Rows>> run(Statement statement, std::vector<std::string> parameters);
  bool connected() const { return pipeline_ != nullptr; }

 private:
  runtime::Task<void> keep_connected();
  runtime::Task<void> watch();
  void submit(Operation& operation);
  void refuse(Operation& operation, std::string_view detail);
  void send_waiting();
  void done(Operation& operation) override;
  void broken(std::vector<Operation*> under_way, std::string why) override;

  runtime::Executor executor_;
  base::Clock& clock_;
  DatabaseAddress address_;
  DatabaseLimits limits_;
  runtime::TaskGroup tasks_;
  runtime::Event lost_;
  std::shared_ptr<Pipeline> pipeline_;
  std::deque<Operation*> waiting_;
  base::Timestamp away_since_;
  bool stopping_ = false;
};

}  // namespace messageboard
