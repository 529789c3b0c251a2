// Kept-alive connections of one Client, by host. Internal to lib/http.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/http/client_connection.h"

namespace http {

class ClientPool : public std::enable_shared_from_this<ClientPool> {
 public:
  ClientPool(runtime::Executor executor, base::Clock& clock, std::size_t per_host_max,
             base::Duration idle_timeout);
  ~ClientPool();
  ClientPool(const ClientPool&) = delete;
  ClientPool& operator=(const ClientPool&) = delete;

  // The connection to that host that was used last and is still good; null when there is none.
  std::shared_ptr<ClientConnection> take(const Url& url);
  void give_back(std::shared_ptr<ClientConnection> connection);

 private:
  struct Idle {
    std::shared_ptr<ClientConnection> connection;
    base::Timestamp since;
  };
  void purge();
  void purge_later();

  runtime::Executor executor_;
  base::Clock& clock_;
  const std::size_t per_host_max_;
  const base::Duration idle_timeout_;
  std::map<std::string, std::vector<Idle>> idle_;  // oldest first
  std::optional<base::TimerId> timer_;
};

}  // namespace http
