// Service's operations on event source mappings and on how asynchronous invocations end: all they
// do is call whose business it is.
#pragma once

#include <utility>

#include "terrarium/services/lambda/invoke_configs.h"
#include "terrarium/services/lambda/mappings.h"

namespace terrarium::lambda {

class EventOperations {
 public:
  template <class T>
  using Answer = runtime::Task<base::Result<T>>;
  using Context = wire::Context;

  Answer<EventSourceMappingConfiguration> create_event_source_mapping(
      const Context& context, CreateEventSourceMappingRequest request) {
    return mappings_.create(context, std::move(request));
  }
  Answer<EventSourceMappingConfiguration> get_event_source_mapping(
      const Context& context, GetEventSourceMappingRequest request) {
    return mappings_.get(context, std::move(request));
  }
  Answer<ListEventSourceMappingsResponse> list_event_source_mappings(
      const Context& context, ListEventSourceMappingsRequest request) {
    return mappings_.list(context, std::move(request));
  }
  Answer<EventSourceMappingConfiguration> update_event_source_mapping(
      const Context& context, UpdateEventSourceMappingRequest request) {
    return mappings_.update(context, std::move(request));
  }
  Answer<EventSourceMappingConfiguration> delete_event_source_mapping(
      const Context& context, DeleteEventSourceMappingRequest request) {
    return mappings_.remove(context, std::move(request));
  }
  Answer<FunctionEventInvokeConfig> put_function_event_invoke_config(
      const Context& context, PutFunctionEventInvokeConfigRequest request) {
    return invoke_configs_.put(context, std::move(request));
  }
  Answer<FunctionEventInvokeConfig> update_function_event_invoke_config(
      const Context& context, UpdateFunctionEventInvokeConfigRequest request) {
    return invoke_configs_.update(context, std::move(request));
  }
  Answer<FunctionEventInvokeConfig> get_function_event_invoke_config(
      const Context& context, GetFunctionEventInvokeConfigRequest request) {
    return invoke_configs_.get(context, std::move(request));
  }
  Answer<ListFunctionEventInvokeConfigsResponse> list_function_event_invoke_configs(
      const Context& context, ListFunctionEventInvokeConfigsRequest request) {
    return invoke_configs_.list(context, std::move(request));
  }
  Answer<wire::Empty> delete_function_event_invoke_config(
      const Context& context, DeleteFunctionEventInvokeConfigRequest request) {
    return invoke_configs_.remove(context, std::move(request));
  }

 protected:
  // Both may be made after this.
  EventOperations(Mappings& mappings, InvokeConfigs& invoke_configs)
      : mappings_(mappings), invoke_configs_(invoke_configs) {}
  ~EventOperations() = default;

 private:
  Mappings& mappings_;
  InvokeConfigs& invoke_configs_;
};

}  // namespace terrarium::lambda
