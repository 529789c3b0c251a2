#include "messageboard/api/pipeline.h"

#include <libpq-fe.h>

#include <array>
#include <string_view>

#include "lib/base/check.h"
#include "lib/base/encoding.h"

namespace messageboard {
namespace {

namespace asio = runtime::asio;
using Descriptor = asio::posix::basic_stream_descriptor<runtime::Executor>;

constexpr std::size_t kParametersMax = 4;
constexpr std::size_t kBatchMax = 256;

// What went wrong, as an Error; `reconnect` when this connection will not do better.
struct Verdict {
  base::Error error;
  bool reconnect = false;
};

Verdict judge(const PGresult* result) {
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? "" : field;
  const char* message = PQresultErrorMessage(result);
  Verdict verdict{.error = base::fail(base::ErrorKind::Internal, "Internal Server Error").error()};
  verdict.error.detail = one_line(message);
  const std::string_view kind = state.substr(0, 2);
  // A standby that was the primary, tables or statements gone: a new connection sets it right.
  verdict.reconnect = state.empty() || kind == "08" || state.starts_with("57P") ||
                      state == "25006" || state == "42P01" || state == "26000";
  // Out of resources, in conflict, not now.
  const bool passing = kind == "53" || kind == "40" || kind == "55" || kind == "57";
  if (verdict.reconnect || passing) {
    verdict.error.kind = base::ErrorKind::Unavailable;
    verdict.error.message = "The database is not available, try again later";
  }
  return verdict;
}

}  // namespace

std::string one_line(const char* message) {
  std::string text(base::trim(message == nullptr ? "" : message));
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text;
}

void CloseConnection::operator()(pg_conn* connection) const { PQfinish(connection); }

Pipeline::Pipeline(runtime::Executor executor, base::Clock& clock, Connection connection,
                   Owner& owner)
    : executor_(executor),
      clock_(clock),
      connection_(std::move(connection)),
      socket_(executor, PQsocket(connection_.get())),
      owner_(&owner) {}

Pipeline::~Pipeline() { close(); }

void Pipeline::send(Operation& operation) {
  Owner* const owner = owner_;
  CHECK(owner != nullptr, "the owner drops a pipeline that it was told is broken");
  // What went before and is not synced yet must not share a transaction with it.
  if (operation.alone) flush();
  if (owner_ == nullptr) {
    owner->broken({&operation}, "lost before sending");
    return;
  }
  ++under_way_;
  put(operation);
  if (owner_ == nullptr) return;
  if (operation.alone || open_.operations.size() >= kBatchMax) {
    flush();
  } else if (!flush_posted_) {
    // Behind every handler that is ready now: their statements join this batch.
    flush_posted_ = true;
    asio::post(executor_, [self = shared_from_this()] {
      self->flush_posted_ = false;
      self->flush_turn();
    });
  }
}

void Pipeline::put(Operation& operation) {
  CHECK(operation.parameters.size() <= kParametersMax, "a statement has a few parameters");
  std::array<const char*, kParametersMax> values{};
  for (std::size_t i = 0; i < operation.parameters.size(); ++i) {
    values[i] = operation.parameters[i].c_str();
  }
  open_.operations.push_back(&operation);
  open_.writes = open_.writes || text_of(operation.statement).writes;
  const int count = static_cast<int>(operation.parameters.size());
  const char* const name = text_of(operation.statement).name;
  const int sent =
      PQsendQueryPrepared(connection_.get(), name, count, values.data(), nullptr, nullptr, 0);
  if (sent == 0) break_off(reason());
}

// The database works through batches one after another, and a commit takes as long as its disk: one
// commit for all that arrives meanwhile makes ten times as many writes a second.
void Pipeline::flush_turn() {
  if (commits_ == 0) flush();
}

void Pipeline::flush() {
  if (owner_ == nullptr || open_.operations.empty()) return;
  open_.sent = clock_.now();
  if (open_.writes) ++commits_;
  batches_.push_back(std::exchange(open_, {}));
  if (PQpipelineSync(connection_.get()) == 0) {
    break_off(reason());
    return;
  }
  write_rest();
  if (owner_ != nullptr) await_readable();
}

void Pipeline::write_rest() {
  const int left = PQflush(connection_.get());
  if (left < 0) {
    break_off(reason());
    return;
  }
  if (left == 0 || writing_) return;
  writing_ = true;
  socket_.async_wait(Descriptor::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->writing_ = false;
                       if (self->owner_ != nullptr && !error) self->write_rest();
                     });
}

void Pipeline::await_readable() {
  if (reading_) return;
  reading_ = true;
  socket_.async_wait(Descriptor::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->reading_ = false;
                       if (self->owner_ != nullptr && !error) self->read();
                     });
}

void Pipeline::read() {
  if (PQconsumeInput(connection_.get()) == 0) {
    break_off(reason());
    return;
  }
  while (owner_ != nullptr && !batches_.empty() && PQisBusy(connection_.get()) == 0) {
    take(PQgetResult(connection_.get()));
  }
  // Always: an idle connection that ends is noticed here, before a request needs it.
  if (owner_ != nullptr) await_readable();
}

void Pipeline::take(pg_result* result) {
  Batch& batch = batches_.front();
  if (result == nullptr) {  // stands between the results of two statements
    if (++batch.next > batch.operations.size() + 2) break_off("more results than statements");
    return;
  }
  Rows rows(result);
  Operation* const operation =
      batch.next < batch.operations.size() ? batch.operations[batch.next] : nullptr;
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      if (operation != nullptr) operation->result = std::move(rows);
      return;
    case PGRES_PIPELINE_ABORTED: return;
    case PGRES_PIPELINE_SYNC: {
      Batch finished = std::move(batch);
      batches_.pop_front();
      finish(std::move(finished));
      return;
    }
    default: break;
  }
  Verdict verdict = judge(result);
  if (verdict.reconnect) {
    break_off(verdict.error.detail);
    return;
  }
  // Behind the last statement it is the commit that failed, so every statement did.
  batch.failed = batch.next;
  for (Operation* each : batch.operations) {
    if (operation == nullptr || each == operation) each->result = std::unexpected(verdict.error);
  }
}

void Pipeline::finish(Batch batch) {
  under_way_ -= batch.operations.size();
  if (batch.writes) --commits_;
  Owner& owner = *owner_;
  const bool clean = batch.failed == SIZE_MAX;
  for (std::size_t i = 0; i < batch.operations.size(); ++i) {
    Operation& operation = *batch.operations[i];
    if (clean || operation.alone || i == batch.failed) {
      owner.done(operation);  // its coroutine goes on inside this call
      continue;
    }
    operation.alone = true;
    if (owner_ != nullptr) {
      send(operation);
    } else {
      owner.broken({&operation}, "lost before sending again");
    }
  }
  flush_turn();
}

base::Timestamp Pipeline::oldest() const {
  return batches_.empty() ? clock_.now() : batches_.front().sent;
}

std::string Pipeline::reason() const { return one_line(PQerrorMessage(connection_.get())); }

void Pipeline::break_off(std::string why) {
  Owner* const owner = owner_;
  if (owner != nullptr) owner->broken(close(), std::move(why));
}

std::vector<Operation*> Pipeline::close() {
  std::vector<Operation*> left;
  if (owner_ == nullptr) return left;
  owner_ = nullptr;
  batches_.push_back(std::exchange(open_, {}));
  for (const Batch& batch : batches_) {
    left.insert(left.end(), batch.operations.begin(), batch.operations.end());
  }
  batches_.clear();
  socket_.release();  // libpq closes it
  connection_.reset();
  return left;
}

}  // namespace messageboard
