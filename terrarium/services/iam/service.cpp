#include "terrarium/services/iam/service.h"

#include "generated/iam/errors.h"

namespace terrarium::iam {

using base::Result;
using runtime::Task;

Service::Service(store::Store& store, base::Clock& clock, base::Random& random, Config config)
    : store_(store),
      clock_(clock),
      random_(random),
      config_(std::move(config)),
      directory_(store, config_.account) {}

Task<Result<wire::Empty>> Service::commit(store::Batch batch) {
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return Empty{};
}

Task<Result<wire::Empty>> Service::save(Kind kind, const Entity& before, const Entity& after) {
  store::Batch batch;
  directory_.replace(batch, kind, &before, &after);
  return commit(std::move(batch));
}

}  // namespace terrarium::iam
