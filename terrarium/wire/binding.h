// Binds an operation's descriptor to the service's coroutine. Used by generated dispatch.h files.
#pragma once

#include <memory>
#include <utility>

#include "terrarium/wire/service.h"

namespace terrarium::wire {

template <class Input, class Output, class Function>
runtime::Task<base::Result<Answer>> call_bound(Function function, const Context& context,
                                               std::shared_ptr<void> input) {
  base::Result<Output> result =
      co_await function(context, std::move(*static_cast<Input*>(input.get())));
  if (!result.has_value()) co_return std::unexpected(std::move(result).error());
  co_return Answer{std::make_shared<Output>(*std::move(result))};
}

template <class Input, class Output, class Function>
OperationHandler bind(const OperationModel& model, Function function) {
  OperationHandler handler;
  handler.model = &model;
  handler.make_input = [] { return std::static_pointer_cast<void>(std::make_shared<Input>()); };
  handler.call = [function](const Context& context, std::shared_ptr<void> input) {
    return call_bound<Input, Output>(function, context, std::move(input));
  };
  return handler;
}

}  // namespace terrarium::wire
