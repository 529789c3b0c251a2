#include "terrarium/region/metadata_listeners.h"

#include "lib/base/log.h"

namespace terrarium::region {
namespace {

constexpr std::uint16_t kPort = 80;
// A VPC that goes has no instance left that could wait for an answer.
constexpr base::Duration kDrain = std::chrono::milliseconds(200);

// What one instance may hold open, times the instances of a machine.
http::ServerOptions options() {
  return {
      .limits = {.head_bytes_max = 16 * 1024, .connections_max = 1'024, .body_bytes_max = 4 * 1024},
      .server_name = "EC2ws"};
}

}  // namespace

MetadataListeners::MetadataListeners(runtime::Runtime& runtime, base::Clock& clock,
                                     host::Network& network, imds::Service& service)
    : runtime_(runtime),
      clock_(clock),
      network_(network),
      service_(service),
      tasks_(runtime.control()) {}

void MetadataListeners::network_up(const std::string&, const std::string& vpc_id) {
  const auto report = [&](const base::Error& error) {
    base::log::error("metadata", "no metadata service in {}: {}", vpc_id, base::describe(error));
  };
  const auto socket = network_.listen_in_vpc(vpc_id, std::string(host::kMetadataAddress), kPort);
  if (!socket.has_value()) return report(socket.error());
  auto server = http::Server::open(runtime_, clock_, options(), [this, vpc_id](auto& request) {
    return service_.handle(vpc_id, request);
  });
  if (!server.has_value()) return report(server.error());
  const auto listening = (*server)->listen({.inherited_fd = *socket});
  if (!listening.has_value()) return report(listening.error());
  servers_.insert_or_assign(vpc_id, *std::move(server));
}

void MetadataListeners::network_down(const std::string& vpc_id) {
  const auto found = servers_.find(vpc_id);
  if (found == servers_.end()) return;
  tasks_.spawn("metadata listener " + vpc_id, close(std::move(found->second)));
  servers_.erase(found);
}

runtime::Task<void> MetadataListeners::stop() {
  for (auto& [vpc_id, server] : std::exchange(servers_, {})) co_await close(std::move(server));
  co_await tasks_.stop();
}

runtime::Task<void> MetadataListeners::close(std::shared_ptr<http::Server> server) {
  co_await server->drain(clock_.now() + kDrain);
}

}  // namespace terrarium::region
