#include "terrarium/region/private_database.h"

#include <boost/json.hpp>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "lib/runtime/event.h"

namespace terrarium::region {
namespace {

using base::Result;
using runtime::Task;
using namespace std::chrono_literals;

// In store::Table::Control: Placed as JSON.
constexpr std::string_view kKey = "database-place";
constexpr base::Duration kStartPatience = 60s;
constexpr base::Duration kPauseFirst = 500ms;
constexpr base::Duration kPauseMax = 30s;

// As RDS names an endpoint: the server's name, twelve characters of the account's, the region.
std::string endpoint_of(const std::string& account, const std::string& region) {
  return "messageboard.c" +
         base::hex_encode(base::digest(base::DigestKind::Sha256, account)).substr(0, 11) + "." +
         region + ".rds.amazonaws.com";
}

}  // namespace

PrivateDatabase::PrivateDatabase(store::Store& store, base::Clock& clock,
                                 runtime::Executor executor, host::Postgres& postgres,
                                 Compute& compute, std::string account)
    : store_(store),
      clock_(clock),
      postgres_(postgres),
      compute_(compute),
      account_(std::move(account)),
      tasks_(executor) {}

Result<std::optional<PrivateDatabase::Placed>> PrivateDatabase::read() const {
  TRY(const auto text, store_.get(store::Table::Control, kKey));
  if (!text.has_value()) return std::nullopt;
  boost::system::error_code error;
  const auto value = boost::json::parse(*text, error);
  const auto* const object = error ? nullptr : value.if_object();
  if (object == nullptr) return base::fail(base::ErrorKind::Internal, "the database's place");
  const auto member = [&](std::string_view name) {
    const auto* const found = object->if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
  };
  Placed placed{.placement = {.region = member("region"), .subnet_id = member("subnet")},
                .interface_id = member("interface"),
                .address = member("address"),
                .endpoint = member("endpoint")};
  if (const auto* const groups = object->if_contains("groups"); groups && groups->is_array()) {
    for (const auto& group : groups->as_array()) {
      if (group.is_string()) placed.placement.security_group_ids.emplace_back(group.as_string());
    }
  }
  return placed;
}

Task<Result<void>> PrivateDatabase::keep(Placed placed) {
  const boost::json::object value{
      {"region", placed.placement.region},
      {"subnet", placed.placement.subnet_id},
      {"groups", boost::json::value_from(placed.placement.security_group_ids)},
      {"interface", placed.interface_id},
      {"address", placed.address},
      {"endpoint", placed.endpoint}};
  store::Batch batch;
  batch.put(store::Table::Control, std::string(kKey), boost::json::serialize(value));
  co_return co_await store_.commit(std::move(batch));
}

Task<Result<PrivateDatabase::Placed>> PrivateDatabase::move(std::optional<Placed> old,
                                                            DatabasePlacement wanted) {
  if (old.has_value()) {
    co_await postgres_.stop();
    CO_TRY_VOID(
        co_await compute_.api().delete_service_interface(old->placement.region, old->interface_id));
  }
  Placed placed{.placement = wanted, .endpoint = endpoint_of(account_, wanted.region)};
  ec2::ServiceInterfaceOrder order{.subnet_id = wanted.subnet_id,
                                   .security_group_ids = wanted.security_group_ids,
                                   .description = "RDSNetworkInterface",
                                   .requester = "amazon-rds",
                                   .dns_names = {placed.endpoint}};
  CO_TRY(const ec2::ServiceInterface made,
         co_await compute_.api().create_service_interface(wanted.region, std::move(order)));
  placed.interface_id = made.id;
  placed.address = made.address;
  CO_TRY_VOID(co_await keep(placed));
  co_return placed;
}

Task<Result<std::string>> PrivateDatabase::place(DatabasePlacement placement,
                                                 base::Timestamp deadline) {
  CO_TRY(auto placed, read());
  const bool same = placed.has_value() && placed->placement.region == placement.region &&
                    placed->placement.subnet_id == placement.subnet_id &&
                    placed->placement.security_group_ids == placement.security_group_ids;
  if (!same) {
    CO_TRY(placed, co_await move(std::move(placed), std::move(placement)));
  }
  std::string endpoint = placed->endpoint;
  CO_TRY_VOID(co_await settle(*std::move(placed), deadline));
  co_return endpoint;
}

Task<Result<void>> PrivateDatabase::settle(Placed placed, base::Timestamp deadline) {
  if (!co_await compute_.api().interface_ready(placed.placement.region, placed.interface_id,
                                               deadline)) {
    co_return base::fail(
        base::ErrorKind::Unavailable,
        "The database's network interface " + placed.interface_id + " is not there yet.");
  }
  co_await postgres_.place(
      compute_.machines(),
      {.network_namespace = compute_.network().namespace_path(placed.interface_id),
       .hostname = "database"});
  co_return co_await postgres_.resume();
}

Result<bool> PrivateDatabase::resume() {
  TRY(auto placed, read());
  if (!placed.has_value()) return false;
  tasks_.spawn("database", start_again(*std::move(placed), 0s));
  return true;
}

void PrivateDatabase::machine_ended() {
  auto placed = read();
  if (placed.has_value() && placed->has_value()) {
    tasks_.spawn("database", start_again(**std::move(placed), kPauseFirst));
  }
}

Task<void> PrivateDatabase::start_again(Placed placed, base::Duration pause) {
  while (!tasks_.stopping()) {
    if (pause > 0s) co_await runtime::sleep_until(clock_, clock_.now() + pause);
    if (tasks_.stopping()) co_return;
    const auto started = co_await settle(placed, clock_.now() + kStartPatience);
    if (started.has_value()) co_return;
    base::log::error("database", "can't be started: {}", base::describe(started.error()));
    pause = std::min(kPauseMax, std::max(kPauseFirst, 2 * pause));
  }
}

Task<void> PrivateDatabase::stop() {
  co_await tasks_.stop();
  co_await postgres_.stop();
}

}  // namespace terrarium::region
