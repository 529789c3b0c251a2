// Lambda: functions, invocations, event source mappings. One coroutine an operation; everything
// runs on the control executor. Records are in the store; what runs - environments, pollers, the
// lanes of asynchronous events - is made from them again at every start.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "generated/lambda/model.h"
#include "lib/http/body.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/iam/api.h"
#include "terrarium/services/lambda/code_store.h"
#include "terrarium/services/lambda/event_queue.h"
#include "terrarium/services/lambda/fleet.h"
#include "terrarium/services/lambda/function_rules.h"
#include "terrarium/services/lambda/invocation.h"
#include "terrarium/services/lambda/poller.h"
#include "terrarium/services/logs/api.h"
#include "terrarium/services/s3/api.h"
#include "terrarium/services/sqs/api.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/service.h"

namespace terrarium::lambda {

// Where the daemon serves a function's zip: GetFunction's Code.Location is the caller's endpoint,
// this, and a token for Service::open_code.
inline constexpr std::string_view kCodePrefix = "/_terrarium/lambda/code/";

struct Config {
  std::filesystem::path state_directory;  // the region's; functions lie in <it>/lambda
  std::string account = "000000000000";
  std::string endpoint_url;  // given to functions as AWS_ENDPOINT_URL; empty: not given
  FleetLimits limits;
};
// As many environments as fit into this machine's memory, eagerly as many as it has cores.
FleetLimits machine_limits();

template <class T>
using Task = runtime::Task<T>;
template <class T>
using Result = base::Result<T>;

class Service {
 public:
  // All outlive it.
  struct Parts {
    store::Store& store;
    base::Clock& clock;
    base::Random& random;
    runtime::Runtime& runtime;
    host::Sandbox& sandbox;
    sqs::Api& sqs;
    s3::Api& s3;
    logs::Api& logs;
    iam::Api& iam;
    RuntimeFrontend* frontend = nullptr;  // null: the Runtime API over HTTP
  };
  Service(Parts parts, Config config);
  // Loads, and takes up what was going on. Blocks a moment.
  Result<void> start();
  // Ends every environment; waits until they are cleared away.
  Task<void> stop();

  Task<Result<FunctionConfiguration>> create_function(const wire::Context&, CreateFunctionRequest);
  Task<Result<GetFunctionResponse>> get_function(const wire::Context&, GetFunctionRequest);
  Task<Result<FunctionConfiguration>> get_function_configuration(const wire::Context&,
                                                                 GetFunctionConfigurationRequest);
  Task<Result<ListFunctionsResponse>> list_functions(const wire::Context&, ListFunctionsRequest);
  Task<Result<FunctionConfiguration>> update_function_code(const wire::Context&,
                                                           UpdateFunctionCodeRequest);
  Task<Result<FunctionConfiguration>> update_function_configuration(
      const wire::Context&, UpdateFunctionConfigurationRequest);
  Task<Result<wire::Empty>> delete_function(const wire::Context&, DeleteFunctionRequest);
  Task<Result<ListVersionsByFunctionResponse>> list_versions_by_function(
      const wire::Context&, ListVersionsByFunctionRequest);
  Task<Result<GetFunctionCodeSigningConfigResponse>> get_function_code_signing_config(
      const wire::Context&, GetFunctionCodeSigningConfigRequest);
  Task<Result<Concurrency>> put_function_concurrency(const wire::Context&,
                                                     PutFunctionConcurrencyRequest);
  Task<Result<GetFunctionConcurrencyResponse>> get_function_concurrency(
      const wire::Context&, GetFunctionConcurrencyRequest);
  Task<Result<wire::Empty>> delete_function_concurrency(const wire::Context&,
                                                        DeleteFunctionConcurrencyRequest);
  Task<Result<ListTagsResponse>> list_tags(const wire::Context&, ListTagsRequest);
  Task<Result<wire::Empty>> tag_resource(const wire::Context&, TagResourceRequest);
  Task<Result<wire::Empty>> untag_resource(const wire::Context&, UntagResourceRequest);
  Task<Result<AddPermissionResponse>> add_permission(const wire::Context&, AddPermissionRequest);
  Task<Result<wire::Empty>> remove_permission(const wire::Context&, RemovePermissionRequest);
  Task<Result<GetPolicyResponse>> get_policy(const wire::Context&, GetPolicyRequest);
  Task<Result<InvocationResponse>> invoke(const wire::Context&, InvocationRequest);
  Task<Result<EventSourceMappingConfiguration>> create_event_source_mapping(
      const wire::Context&, CreateEventSourceMappingRequest);
  Task<Result<EventSourceMappingConfiguration>> get_event_source_mapping(
      const wire::Context&, GetEventSourceMappingRequest);
  Task<Result<ListEventSourceMappingsResponse>> list_event_source_mappings(
      const wire::Context&, ListEventSourceMappingsRequest);
  Task<Result<EventSourceMappingConfiguration>> update_event_source_mapping(
      const wire::Context&, UpdateEventSourceMappingRequest);
  Task<Result<EventSourceMappingConfiguration>> delete_event_source_mapping(
      const wire::Context&, DeleteEventSourceMappingRequest);

  // The zip that a token from GetFunction names. Any executor. NotFound, Denied.
  Result<std::unique_ptr<http::BodyReader>> open_code(std::string_view token);

 private:
  struct Call;

  // service.cpp
  Result<void> load_functions();
  Result<void> load_mappings();
  Result<FunctionRecord> function(const wire::Context& context, const FunctionName& name) const;
  // The function that a request names; a qualifier other than $LATEST names none.
  Result<FunctionRecord> named(const wire::Context& context, std::string_view name,
                               const std::optional<std::string>& qualifier) const;
  // A changed record, everywhere and on disk.
  Task<Result<void>> save(std::string region, FunctionRecord record);

  // service_code.cpp
  Task<Result<StoredCode>> store_code(CodeSource source);
  void unpin(const std::string& sha256_hex);
  void forget_code_later(std::string sha256_hex);
  Task<void> forget_code(std::string sha256_hex);
  Task<void> enter_code_store();
  void leave_code_store();
  Result<bool> is_code_used(const std::string& sha256_hex) const;
  std::string code_token(const std::string& sha256_hex) const;

  // service_invoke.cpp
  Task<Result<InvocationResponse>> accept_event(const wire::Context& context,
                                                std::shared_ptr<FunctionPool> pool,
                                                InvocationRequest request);
  Task<Result<InvocationResponse>> run_now(const wire::Context& context,
                                           std::shared_ptr<FunctionPool> pool,
                                           InvocationRequest request);
  Task<void> run_call(std::shared_ptr<Call> call, std::shared_ptr<FunctionPool> pool);

  // service_mappings.cpp
  using MappingKey = std::pair<std::string, std::string>;  // {region, uuid}
  Task<Result<void>> check_queue(const FunctionRecord& function, const std::string& queue_arn);
  Result<std::shared_ptr<Poller>> mapping(const wire::Context& context,
                                          const std::string& uuid) const;
  Result<void> check_new(const wire::Context& context, const MappingRecord& record) const;
  void start_mapping(const std::string& region, MappingRecord record);

  Parts parts_;
  Config config_;
  std::unique_ptr<RuntimeFrontend> own_frontend_;
  runtime::TaskGroup tasks_;
  CodeStore code_;
  Fleet fleet_;
  EventQueue events_;
  std::map<MappingKey, std::shared_ptr<Poller>> mappings_;
  std::string code_secret_;
  std::multiset<std::string> pinned_code_;  // stored, and not yet in a record
  bool in_code_store_ = false;
  runtime::Event code_store_free_;
};

}  // namespace terrarium::lambda
