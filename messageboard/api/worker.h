// What one server thread owns: its database connection, its HTTP client and its S3 client; and what
// all of them share. Handlers get the Worker of the thread they run on.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "lib/aws/credentials.h"
#include "lib/aws/s3_client.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/http/client.h"
#include "messageboard/api/config.h"
#include "messageboard/api/database.h"
#include "messageboard/api/upload_budget.h"

namespace messageboard {

class Sweeper;

// Who answers: filled in once, by the first thread, when the metadata service has told.
class InstanceId {
 public:
  explicit InstanceId(std::string fallback) : value_(std::move(fallback)) {}
  std::string get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void set(std::string value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
  }

 private:
  mutable std::mutex mutex_;
  std::string value_;
};

struct Shared {
  base::Clock& clock;
  base::Random& random;
  Config config;
  InstanceId instance_id;
  UploadBudget uploads;
  Sweeper* sweeper = nullptr;  // set before the first request
};

struct Worker {
  Worker(runtime::Executor own, Shared& common);

  runtime::Executor executor;
  Shared& shared;
  Database database;
  std::unique_ptr<http::Client> http;
  std::unique_ptr<aws::CredentialsProvider> credentials;
  aws::S3Client s3;
  std::size_t pictures_looked_up = 0;  // reads that ask S3 right now
};

}  // namespace messageboard
