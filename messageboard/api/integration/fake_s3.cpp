#include "messageboard/api/integration/fake_s3.h"

#include <fmt/core.h>

#include "lib/base/check.h"

namespace messageboard {

FakeS3::FakeS3() : runtime_(1, 0) {
  auto server = http::Server::open(runtime_, clock_, {},
                                   [this](http::Request& request) { return answer(request); });
  CHECK(server.has_value(), "a server needs nothing");
  server_ = *std::move(server);
  const auto port = server_->listen({});
  CHECK(port.has_value(), "loopback has free ports");
  port_ = *port;
  runtime_.start();
}

FakeS3::~FakeS3() {
  runtime::block_on(server_->drain(clock_.now()));
  runtime_.stop();
}

std::string FakeS3::endpoint() const { return fmt::format("http://127.0.0.1:{}", port_); }

void FakeS3::put(const std::string& path, Object object) {
  const std::lock_guard lock(mutex_);
  objects_[path] = std::move(object);
}

std::optional<FakeS3::Object> FakeS3::find(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(path);
  return found == objects_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t FakeS3::size() const {
  const std::lock_guard lock(mutex_);
  return objects_.size();
}

runtime::Task<http::Response> FakeS3::answer(http::Request& request) {
  constexpr std::size_t kBodyMax = std::size_t{32} * 1024 * 1024;
  http::Response response;
  const std::string path(request.path.substr(1));
  auto body = co_await http::read_all(*request.body, kBodyMax);
  if (away_ || !body || !request.headers.find("authorization")) {
    response.status = away_ ? 503 : 403;
  } else if (request.method == "PUT") {
    put(path, {*std::move(body), std::string(request.headers.find("content-type").value_or(""))});
  } else {
    response.status = find(path) ? 200 : 404;
  }
  co_return response;
}

}  // namespace messageboard
