// The little of S3 that the board needs: PUT and HEAD of objects, path style; and a switch that
// makes it fail.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "lib/base/clock.h"
#include "lib/http/server.h"
#include "lib/runtime/runtime.h"

namespace messageboard {

class FakeS3 {
 public:
  struct Object {
    std::string bytes;
    std::string content_type;
  };

  FakeS3();
  ~FakeS3();
  FakeS3(const FakeS3&) = delete;
  FakeS3& operator=(const FakeS3&) = delete;

  std::string endpoint() const;
  void set_away(bool away) { away_ = away; }
  // `path` is "bucket/key".
  void put(const std::string& path, Object object);
  std::optional<Object> find(const std::string& path) const;
  std::size_t size() const;

 private:
  runtime::Task<http::Response> answer(http::Request& request);

  base::SystemClock clock_;
  runtime::Runtime runtime_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
  std::atomic<bool> away_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, Object> objects_;
};

}  // namespace messageboard
