// One event source mapping at work: hands messages of its queue to its function in batches, and
// deletes what succeeded. Never idle while there are messages, room and a turn left.
//
// It looks into the queue, gets hold of an environment that is ready, and only then receives: a
// message uses up one of its receives when a function is about to have it, not by waiting for a
// busy machine. An environment that ends before the batch has reached it is replaced at once. What
// a function failed stays in the queue until its visibility timeout ends. Control executor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/lambda/batch.h"
#include "terrarium/services/lambda/fleet.h"
#include "terrarium/services/lambda/records.h"
#include "terrarium/services/lambda/scaling.h"
#include "terrarium/services/sqs/api.h"

namespace terrarium::lambda {

class Poller : public std::enable_shared_from_this<Poller> {
 public:
  // All outlive it.
  struct Parts {
    base::Clock& clock;
    base::Random& random;
    runtime::Executor executor;
    Fleet& fleet;
    sqs::Api& queues;
    runtime::TaskGroup& tasks;  // batches, and the end of what receives
    FleetLimits limits;
  };
  Poller(Parts parts, std::string region);

  // Works as `record` says from now on (call it first); batches under way end as they began.
  void set_record(MappingRecord record);
  // Receives no more, and returns its messages should their batches be cut short.
  runtime::Task<void> stopped();
  // Until no batch holds messages, or the service stops.
  runtime::Task<void> drained();

  const MappingRecord& record() const { return settings_->record; }
  // "OK", or what went wrong last.
  const std::string& last_result() const { return last_result_; }
  std::size_t batches() const { return holding_; }

 private:
  using Messages = std::vector<sqs::ReceivedMessage>;
  using Group = std::shared_ptr<runtime::TaskGroup>;
  struct Settings {
    MappingRecord record;
    std::vector<EventPattern> filters;
  };
  using SettingsPtr = std::shared_ptr<const Settings>;
  // An environment that nobody else has.
  struct Ready {
    Route route;
    EnvironmentPtr environment;
  };

  runtime::Task<void> receive_all(std::shared_ptr<Poller> self, Group group);
  runtime::Task<void> wait_for_turn(Group group, SettingsPtr settings);
  runtime::Task<bool> look(SettingsPtr settings);
  runtime::Task<bool> look_past(SettingsPtr settings, std::size_t taken);
  runtime::Task<void> back_off(const base::Error& error);
  void start_batch(const SettingsPtr& settings);
  runtime::Task<void> run_batch(std::shared_ptr<Poller> self, SettingsPtr settings);
  runtime::Task<base::Result<Ready>> get_ready(SettingsPtr settings, base::Timestamp give_up);
  runtime::Task<Messages> receive(SettingsPtr settings);
  runtime::Task<void> invoke(SettingsPtr settings, Ready ready, Messages messages);
  runtime::Task<void> settle(SettingsPtr settings, Messages messages, Outcome outcome);
  runtime::Task<void> remove(std::shared_ptr<Poller> self, std::string queue_arn,
                             Messages messages);
  runtime::Task<void> give_back(SettingsPtr settings, Messages messages);
  static runtime::Task<void> finish(Group group);
  void problem(const std::string& what, const base::Error& error);

  Parts parts_;
  std::string region_;
  SettingsPtr settings_;
  Group receiving_;
  runtime::Event changed_;
  Scaling scaling_;
  std::size_t under_way_ = 0;  // batches, from their getting ready to their function's answer
  std::size_t acquiring_ = 0;  // of them, those that have no messages yet
  std::size_t holding_ = 0;    // batches with messages, also those being deleted
  bool stopping_ = false;
  base::Duration backoff_{};
  base::Timestamp look_again_;  // not before: what was seen could not be had
  std::string last_result_ = "No records processed";
};

}  // namespace terrarium::lambda
