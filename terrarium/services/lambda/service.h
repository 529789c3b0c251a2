// Lambda: functions, invocations, event source mappings. One coroutine an operation; everything
// runs on the control executor. Records are in the store; what runs - environments, pollers, the
// lanes of asynchronous events - is made from them again at every start.
#pragma once

#include <boost/json.hpp>
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
#include "terrarium/services/lambda/api.h"
#include "terrarium/services/lambda/code_keeper.h"
#include "terrarium/services/lambda/code_signing.h"
#include "terrarium/services/lambda/event_operations.h"
#include "terrarium/services/lambda/event_queue.h"
#include "terrarium/services/lambda/fleet.h"
#include "terrarium/services/lambda/function_rules.h"
#include "terrarium/services/lambda/invocation.h"
#include "terrarium/services/lambda/layers.h"
#include "terrarium/services/lambda/runtimes.h"
#include "terrarium/services/lambda/url_exchange.h"
#include "terrarium/services/logs/api.h"
#include "terrarium/services/s3/api.h"
#include "terrarium/services/sqs/api.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/authenticate.h"
#include "terrarium/wire/service.h"

namespace terrarium::lambda {

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

class Service final : public Api, public EventOperations, public Layers, public CodeSigning {
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
    const iam::Roles& roles;
    RuntimeFrontend* frontend = nullptr;   // null: the Runtime API over HTTP
    const wire::KeyStore* keys = nullptr;  // null: function URLs with AWS_IAM refuse everybody
    host::Network* network = nullptr;      // null: functions run in the host's network
    const wire::Authoriser* authoriser = nullptr;  // null: nothing narrows who signs for a URL
  };
  Service(Parts parts, Config config);
  // Loads, and takes up what was going on. Blocks a moment.
  Result<void> start();
  // Ends every environment; waits until they are cleared away.
  Task<void> stop();

  template <class T>
  using Answer = Task<Result<T>>;
  using Context = wire::Context;
  using Empty = wire::Empty;

  Answer<FunctionConfiguration> create_function(const Context&, CreateFunctionRequest);
  Answer<GetFunctionResponse> get_function(const Context&, GetFunctionRequest);
  Answer<FunctionConfiguration> get_function_configuration(const Context&,
                                                           GetFunctionConfigurationRequest);
  Answer<ListFunctionsResponse> list_functions(const Context&, ListFunctionsRequest);
  Answer<FunctionConfiguration> update_function_code(const Context&, UpdateFunctionCodeRequest);
  Answer<FunctionConfiguration> update_function_configuration(const Context&,
                                                              UpdateFunctionConfigurationRequest);
  Answer<Empty> delete_function(const Context&, DeleteFunctionRequest);
  Answer<FunctionConfiguration> publish_version(const Context&, PublishVersionRequest);
  Answer<ListVersionsByFunctionResponse> list_versions_by_function(const Context&,
                                                                   ListVersionsByFunctionRequest);
  Answer<AliasConfiguration> create_alias(const Context&, CreateAliasRequest);
  Answer<AliasConfiguration> get_alias(const Context&, GetAliasRequest);
  Answer<AliasConfiguration> update_alias(const Context&, UpdateAliasRequest);
  Answer<Empty> delete_alias(const Context&, DeleteAliasRequest);
  Answer<ListAliasesResponse> list_aliases(const Context&, ListAliasesRequest);
  Answer<CreateFunctionUrlConfigResponse> create_function_url_config(
      const Context&, CreateFunctionUrlConfigRequest);
  Answer<GetFunctionUrlConfigResponse> get_function_url_config(const Context&,
                                                               GetFunctionUrlConfigRequest);
  Answer<UpdateFunctionUrlConfigResponse> update_function_url_config(
      const Context&, UpdateFunctionUrlConfigRequest);
  Answer<Empty> delete_function_url_config(const Context&, DeleteFunctionUrlConfigRequest);
  Answer<ListFunctionUrlConfigsResponse> list_function_url_configs(const Context&,
                                                                   ListFunctionUrlConfigsRequest);
  Answer<Concurrency> put_function_concurrency(const Context&, PutFunctionConcurrencyRequest);
  Answer<GetFunctionConcurrencyResponse> get_function_concurrency(const Context&,
                                                                  GetFunctionConcurrencyRequest);
  Answer<Empty> delete_function_concurrency(const Context&, DeleteFunctionConcurrencyRequest);
  Answer<PutProvisionedConcurrencyConfigResponse> put_provisioned_concurrency_config(
      const Context&, PutProvisionedConcurrencyConfigRequest);
  Answer<GetProvisionedConcurrencyConfigResponse> get_provisioned_concurrency_config(
      const Context&, GetProvisionedConcurrencyConfigRequest);
  Answer<Empty> delete_provisioned_concurrency_config(const Context&,
                                                      DeleteProvisionedConcurrencyConfigRequest);
  Answer<ListProvisionedConcurrencyConfigsResponse> list_provisioned_concurrency_configs(
      const Context&, ListProvisionedConcurrencyConfigsRequest);
  Answer<GetAccountSettingsResponse> get_account_settings(const Context&,
                                                          GetAccountSettingsRequest);
  Answer<GetFunctionRecursionConfigResponse> get_function_recursion_config(
      const Context&, GetFunctionRecursionConfigRequest);
  Answer<PutFunctionRecursionConfigResponse> put_function_recursion_config(
      const Context&, PutFunctionRecursionConfigRequest);
  Answer<GetRuntimeManagementConfigResponse> get_runtime_management_config(
      const Context&, GetRuntimeManagementConfigRequest);
  Answer<PutRuntimeManagementConfigResponse> put_runtime_management_config(
      const Context&, PutRuntimeManagementConfigRequest);
  Answer<ListTagsResponse> list_tags(const Context&, ListTagsRequest);
  Answer<Empty> tag_resource(const Context&, TagResourceRequest);
  Answer<Empty> untag_resource(const Context&, UntagResourceRequest);
  Answer<AddPermissionResponse> add_permission(const Context&, AddPermissionRequest);
  Answer<Empty> remove_permission(const Context&, RemovePermissionRequest);
  Answer<GetPolicyResponse> get_policy(const Context&, GetPolicyRequest);
  Answer<InvocationResponse> invoke(const Context&, InvocationRequest);
  Answer<InvokeAsyncResponse> invoke_async(const Context&, InvokeAsyncRequest);
  Answer<Empty> invoke_with_response_stream(const Context&, InvokeWithResponseStreamRequest);

  // Api: any executor.
  Task<Result<void>> invoke_later(InvokingService from, std::string function_arn,
                                  std::string payload) override;
  Task<Result<void>> check_can_invoke(InvokingService from, std::string function_arn) override;

  // For `terrarium status`. Control executor.
  boost::json::array status() const;  // functions
  boost::json::array mapping_status() const;

  // The zip that a link from GetFunction or GetLayerVersion names, after kCodePrefix. Any executor.
  // NotFound, Denied.
  Result<std::unique_ptr<http::BodyReader>> open_code(std::string_view token) const {
    return keeper_.open_link(token);
  }

  // Whether a request came to a function's URL: by its Host. Such requests are handle_url()'s.
  static bool is_url(const http::Request& request);
  // Any executor.
  Task<http::Response> handle_url(http::Request& request);

 private:
  struct Call;
  class Update;

  // service.cpp
  Result<void> load_functions();
  // What a request names: function, version or alias.
  Result<Resolved> resolve(const wire::Context& context, std::string_view name,
                           const std::optional<std::string>& qualifier = {}) const;
  bool is_code_used(const std::string& sha256_hex) const;
  // Changed records, everywhere and on disk; several of them together or not at all.
  Task<Result<void>> save(std::string region, std::vector<FunctionRecord> records);
  Task<Result<void>> save(std::string region, FunctionRecord record);
  Task<Result<void>> save(std::string region, AliasRecord record);

  // service_functions.cpp
  // The function that a request names, which must not be qualified.
  Result<FunctionPtr> whole(const Context& context, std::string_view name) const;
  Result<void> check_not_updating(const Place& place, const std::string& name) const;
  Task<Result<std::optional<PinnedCode>>> set_layers(FunctionRecord& record, Place place,
                                                     std::vector<std::string> arns);
  Answer<FunctionConfiguration> commit_update(Place place, FunctionPtr before,
                                              FunctionRecord record, bool is_published);
  Answer<Empty> delete_version(Context context, FunctionName name);
  void forget_code_of(const FunctionRecord& record);

  // service_versions.cpp
  // The next version of `latest`, which remembers that it was made.
  FunctionRecord publish(FunctionRecord& latest, const std::optional<std::string>& description);
  Result<AliasPtr> alias(const Context& context, const std::string& function,
                         const std::string& alias_name) const;

  // service_policy.cpp
  Result<Resolved> policy_holder(const Context& context, const std::string& function,
                                 const std::optional<std::string>& qualifier) const;
  Task<Result<void>> save_policy(std::string region, Resolved holder,
                                 std::vector<PolicyStatement> policy);
  static const std::vector<PolicyStatement>& policy_of(const Resolved& holder);

  // service_provisioned.cpp
  Result<Resolved> provisionable(const Context& context, const std::string& function,
                                 const std::string& qualifier,
                                 std::string_view latest_refusal) const;
  Result<void> check_provisioned(const Resolved& target, const std::string& region,
                                 std::int32_t wanted) const;
  std::int32_t provisioned_sum(const std::string& region, const std::string& name) const;
  Task<Result<void>> set_provisioned(std::string region, Resolved target,
                                     std::optional<std::int32_t> wanted);
  // Has the fleet keep what the records say.
  void provision(const std::string& region, const std::string& name);

  // service_urls.cpp
  Task<Result<void>> save_url(std::string region, Resolved holder, std::optional<UrlRecord> url);
  bool may_use_url(const Resolved& holder, const UrlRecord& url, const std::string& account,
                   const UrlRequest& request) const;
  Task<http::Response> serve_url(UrlRequest request);

  // service_invoke.cpp
  Task<Result<void>> accept(const Context& context, Resolved target, std::string client,
                            std::string payload);
  Task<Result<Outcome>> run_now(Route route, InvokeRequest request);
  Task<void> run_call(std::shared_ptr<Call> call, std::shared_ptr<FunctionPool> pool);

  // service_events.cpp
  Task<Result<void>> invoke_later_here(InvokingService from, std::string function_arn,
                                       std::string payload);
  Task<Result<void>> check_here(InvokingService from, std::string function_arn);
  // What an ARN names, when the service may invoke it.
  Result<FunctionName> allowed(const InvokingService& from, const std::string& function_arn,
                               std::string& region) const;

  Parts parts_;
  Config config_;
  std::unique_ptr<RuntimeFrontend> own_frontend_;
  runtime::TaskGroup tasks_;
  CodeKeeper keeper_;
  Runtimes runtimes_;
  Catalog catalog_;
  FunctionNetworks networks_;
  Fleet fleet_;
  InvokeConfigs invoke_configs_;
  EventQueue events_;
  Mappings mappings_;
  std::optional<wire::Authenticator> authenticator_;
  using Name = std::pair<std::string, std::string>;
  std::set<Name> updating_;                                   // {region, function}
  std::map<std::string, std::pair<std::string, Name>> urls_;  // id -> {region, {function, alias}}
};

}  // namespace terrarium::lambda
