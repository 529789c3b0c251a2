#include "messageboard/api/worker.h"

namespace messageboard {

Worker::Worker(runtime::Executor own, Shared& common)
    : executor(own),
      shared(common),
      database(own, common.clock, common.config.database),
      http(http::Client::open(own, common.clock)),
      credentials(aws::default_credentials_chain(*http, common.clock)),
      s3(*http, *credentials, common.clock, common.random, common.config.region) {}

}  // namespace messageboard
