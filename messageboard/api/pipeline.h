// One libpq connection in pipeline mode. Everything sent in one turn of the loop goes out as one
// batch with one Sync: one implicit transaction, one flush of the database's log for all of it.
// While a batch with writes is being committed, what arrives gathers in the next one.
//
// An operation is done only when its batch's Sync was answered, which is the commit. An error rolls
// the whole batch back: the operation that failed gets its error, the others are sent again, each
// alone. Lives on one executor.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "messageboard/api/rows.h"
#include "messageboard/api/statements.h"

struct pg_conn;

namespace messageboard {

struct CloseConnection {
  void operator()(pg_conn* connection) const;
};
using Connection = std::unique_ptr<pg_conn, CloseConnection>;

// libpq's message without its line breaks: an event is one line of the log.
std::string one_line(const char* message);

// One statement under way. Owned by the coroutine that waits for it.
struct Operation {
  Statement statement = Statement::ReadMessage;
  std::vector<std::string> parameters;  // without U+0000: they travel as C strings
  base::Timestamp deadline;             // of waiting to be sent
  bool alone = false;                   // in a batch of its own
  base::Result<Rows> result;
  std::move_only_function<void()> resume;
};

class Pipeline : public std::enable_shared_from_this<Pipeline> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void done(Operation& operation) = 0;
    // The connection is lost; nobody knows what became of `under_way`. The pipeline takes nothing
    // from here on, but what it still has in hand may be reported in further calls.
    virtual void broken(std::vector<Operation*> under_way, std::string why) = 0;
  };

  // `connection` is idle, in pipeline mode, non-blocking, with all statements prepared.
  Pipeline(runtime::Executor executor, base::Clock& clock, Connection connection, Owner& owner);
  ~Pipeline();

  // Watches the connection, also while it is idle: call once. The pending wait holds a reference,
  // so that an owner may let go of the pipeline from within any call into it.
  void start() { await_readable(); }
  void send(Operation& operation);
  // Operations sent and not done.
  std::size_t under_way() const { return under_way_; }
  // When the batch that has waited longest was sent; now when nothing waits.
  base::Timestamp oldest() const;
  // Ends the connection and reports broken().
  void break_off(std::string why);
  // Ends the connection without a report and returns what was under way.
  std::vector<Operation*> close();

 private:
  struct Batch {
    std::vector<Operation*> operations;
    std::size_t next = 0;  // whose results are being read
    std::size_t failed = SIZE_MAX;
    bool writes = false;
    base::Timestamp sent;
  };

  void put(Operation& operation);
  void flush_turn();
  void flush();
  void write_rest();
  void await_readable();
  void read();
  void take(pg_result* result);
  void finish(Batch batch);
  std::string reason() const;

  runtime::Executor executor_;
  base::Clock& clock_;
  Connection connection_;
  runtime::asio::posix::basic_stream_descriptor<runtime::Executor> socket_;
  Owner* owner_;
  Batch open_;                 // what this turn has sent, without its Sync yet
  std::deque<Batch> batches_;  // synced, oldest first
  std::size_t under_way_ = 0;
  std::size_t commits_ = 0;  // batches with writes among batches_
  bool flush_posted_ = false;
  bool reading_ = false;
  bool writing_ = false;
};

}  // namespace messageboard
