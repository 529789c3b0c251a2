// Every event source mapping of the region: their records, their pollers, and what clients do to
// them. A change is on disk, and its poller works by it, before it is answered. Control executor.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "generated/lambda/model.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/iam/roles.h"
#include "terrarium/services/lambda/mapping_rules.h"
#include "terrarium/services/lambda/poller.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/service.h"

namespace terrarium::lambda {

class Mappings {
 public:
  template <class T>
  using Answer = runtime::Task<base::Result<T>>;
  using Tags = std::map<std::string, std::string>;

  // All outlive it.
  struct Parts {
    store::Store& store;
    const Catalog& catalog;
    const iam::Roles& roles;
    Poller::Parts poller;
  };
  explicit Mappings(Parts parts) : parts_(std::move(parts)) {}

  base::Result<void> load();
  // Nothing is received any more. Before environments are ended: what fails from now on is not the
  // function's fault.
  runtime::Task<void> stop();

  Answer<EventSourceMappingConfiguration> create(const wire::Context& context,
                                                 CreateEventSourceMappingRequest request);
  Answer<EventSourceMappingConfiguration> get(const wire::Context& context,
                                              GetEventSourceMappingRequest request);
  Answer<ListEventSourceMappingsResponse> list(const wire::Context& context,
                                               ListEventSourceMappingsRequest request);
  Answer<EventSourceMappingConfiguration> update(const wire::Context& context,
                                                 UpdateEventSourceMappingRequest request);
  Answer<EventSourceMappingConfiguration> remove(const wire::Context& context,
                                                 DeleteEventSourceMappingRequest request);

  // Whether an ARN that tags are asked of is a mapping's.
  static bool is_arn(std::string_view arn);
  base::Result<Tags> tags(const wire::Context& context, std::string_view arn) const;
  Answer<wire::Empty> change_tags(const wire::Context& context, std::string arn, Tags added,
                                  std::vector<std::string> removed);

  // One entry a mapping, by region and function.
  struct Status {
    std::string region;
    const MappingRecord& record;
    MappingState state;
    std::size_t batches = 0;
    std::string last_result;
  };
  std::vector<Status> status() const;

 private:
  using Key = std::pair<std::string, std::string>;  // {region, uuid}
  struct Mapping {
    std::shared_ptr<Poller> poller;
    std::optional<MappingState> moving;  // nothing: where its record says
  };

  static MappingState state_of(const Mapping& mapping);
  base::Result<std::shared_ptr<Poller>> find(const wire::Context& context,
                                             const std::string& uuid) const;
  // One that no other change is going on with.
  base::Result<std::shared_ptr<Poller>> find_at_rest(const wire::Context& context,
                                                     const std::string& uuid,
                                                     std::string_view doing) const;
  Answer<void> check_queue(std::string queue_arn, std::int32_t timeout_s);
  base::Result<void> check_new(const wire::Context& context, const MappingRecord& record) const;
  base::Result<Resolved> resolve(const Place& place, std::string_view name) const;
  // Stored but not synced, and at work.
  base::Result<void> put(const std::string& region, MappingRecord record,
                         std::optional<MappingState> moving);
  runtime::Task<void> arrive(Key key, std::shared_ptr<Poller> poller, MappingState moving);
  base::Result<std::string> uuid_of(const wire::Context& context, std::string_view arn) const;

  Parts parts_;
  std::map<Key, Mapping> mappings_;
};

}  // namespace terrarium::lambda
