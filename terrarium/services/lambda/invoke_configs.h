// What becomes of asynchronous invocations - how often they are tried again, for how long, where
// their outcome goes - by function, version or alias. Control executor.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "generated/lambda/model.h"
#include "terrarium/services/lambda/catalog.h"
#include "terrarium/services/lambda/records.h"
#include "terrarium/services/sqs/api.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/service.h"

namespace terrarium::lambda {

class InvokeConfigs {
 public:
  template <class T>
  using Answer = runtime::Task<base::Result<T>>;

  // All outlive it.
  struct Parts {
    store::Store& store;
    base::Clock& clock;
    const Catalog& catalog;
    sqs::Api& queues;
  };
  explicit InvokeConfigs(Parts parts) : parts_(parts) {}

  base::Result<void> load();
  // Of an invocation by that qualifier (empty: none). Nothing was ever put: AWS's defaults.
  InvokeConfigRecord find(const std::string& region, const std::string& function,
                          const std::string& qualifier) const;
  // The function, or one version or alias of it, was deleted: `batch` erases what it had.
  void forget(store::Batch& batch, const std::string& region, const std::string& function);
  void forget(store::Batch& batch, const std::string& region, const std::string& function,
              const std::string& qualifier);

  Answer<FunctionEventInvokeConfig> put(const wire::Context& context,
                                        PutFunctionEventInvokeConfigRequest request);
  Answer<FunctionEventInvokeConfig> update(const wire::Context& context,
                                           UpdateFunctionEventInvokeConfigRequest request);
  Answer<FunctionEventInvokeConfig> get(const wire::Context& context,
                                        GetFunctionEventInvokeConfigRequest request);
  Answer<ListFunctionEventInvokeConfigsResponse> list(
      const wire::Context& context, ListFunctionEventInvokeConfigsRequest request);
  Answer<wire::Empty> remove(const wire::Context& context,
                             DeleteFunctionEventInvokeConfigRequest request);

 private:
  struct Key {
    std::string region;
    std::string function;
    std::string qualifier;
    auto operator<=>(const Key&) const = default;
  };

  base::Result<Key> key_of(const wire::Context& context, std::string_view name,
                           const std::optional<std::string>& qualifier) const;
  bool is_there(const wire::Context& context, const Key& key) const;
  std::unexpected<base::Error> none(const wire::Context& context, const Key& key) const;
  Answer<void> check_destinations(Place place, std::string function, DestinationConfig config);
  base::Result<bool> is_destination(const Place& place, const std::string& function,
                                    const std::string& arn) const;
  Answer<FunctionEventInvokeConfig> save(const wire::Context& context, Key key,
                                         InvokeConfigRecord record);

  Parts parts_;
  std::map<Key, InvokeConfigRecord> configs_;
};

}  // namespace terrarium::lambda
