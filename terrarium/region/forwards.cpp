#include "terrarium/region/forwards.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <fstream>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "lib/runtime/event.h"
#include "terrarium/services/ec2/cidr.h"

namespace terrarium::region {
namespace {

using base::Result;
using runtime::Task;
using namespace std::chrono_literals;

// In store::Table::Control: "forward/" NAME -> the forward and its interface, as JSON.
constexpr std::string_view kPrefix = "forward/";
constexpr std::size_t kTargetsMax = 32;
constexpr std::size_t kNameCharactersMax = 30;
constexpr base::Duration kPatience = 30s;
constexpr base::Duration kPause = 2s;
constexpr const char* kProxy = "/usr/sbin/haproxy";

// `bind fd@3`: the socket that was opened on the machine's loopback, and inherited.
constexpr std::string_view kProxyConfiguration = R"(global
  maxconn 4000
  user nobody
  group nogroup
defaults
  mode tcp
  timeout connect 3s
  timeout client 1h
  timeout server 1h
  option redispatch
  retries 2
frontend in
  bind fd@3
  default_backend targets
backend targets
  balance roundrobin
)";

std::unexpected<base::Error> wrong(std::string what) {
  return base::fail(base::ErrorKind::InvalidInput, std::move(what));
}

std::string text_of(const boost::json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::vector<std::string> texts_of(const boost::json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const auto* const value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return texts;
  for (const auto& one : value->as_array()) {
    if (one.is_string()) texts.emplace_back(one.as_string());
  }
  return texts;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port > 0;
}

bool is_target(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && ec2::parse_ipv4(text.substr(0, colon)).has_value() &&
         is_port(text.substr(colon + 1));
}

std::string configuration(const Forward& forward) {
  std::string text(kProxyConfiguration);
  for (std::size_t i = 0; i < forward.targets.size(); ++i) {
    text += fmt::format("  server target{} {} check inter 1s fall 2 rise 1\n", i + 1,
                        forward.targets[i]);
  }
  return text;
}

std::string program_name(const std::string& name) { return "forward-" + name; }

}  // namespace

Result<Forward> parse_forward(std::string name, std::string_view json) {
  if (name.empty() || name.size() > kNameCharactersMax ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != name.npos) {
    return wrong("A forward's name has 1 to 30 of a-z, 0-9 and '-': '" + name + "'.");
  }
  boost::system::error_code error;
  const auto value = boost::json::parse(json, error);
  if (error || !value.is_object()) return wrong("A forward is a JSON object.");
  const boost::json::object& object = value.as_object();
  Forward forward{.name = std::move(name),
                  .region = text_of(object, "region"),
                  .subnet_id = text_of(object, "subnet_id"),
                  .security_group_ids = texts_of(object, "security_group_ids"),
                  .targets = texts_of(object, "targets")};
  const auto* const port = object.if_contains("listen_port");
  if (port == nullptr || !port->is_int64() || port->as_int64() < 1 || port->as_int64() > 65'535) {
    return wrong("'listen_port' is a port.");
  }
  forward.listen_port = static_cast<std::uint16_t>(port->as_int64());
  if (forward.region.empty() || forward.subnet_id.empty()) {
    return wrong("'region' and 'subnet_id' are needed.");
  }
  if (forward.targets.empty() || forward.targets.size() > kTargetsMax ||
      !std::ranges::all_of(forward.targets, is_target)) {
    return wrong("'targets' are 1 to 32 of ADDRESS:PORT.");
  }
  return forward;
}

Forwards::Forwards(store::Store& store, base::Clock& clock, runtime::Executor executor,
                   host::ProgramKeeper& programs, Compute& compute, std::filesystem::path state)
    : store_(store),
      clock_(clock),
      programs_(programs),
      compute_(compute),
      folder_(std::move(state) / "forwards"),
      tasks_(executor) {}

Result<Forwards::Kept> Forwards::parse_kept(std::string name, std::string_view text) const {
  TRY(Forward forward, parse_forward(std::move(name), text));
  const boost::json::value value = boost::json::parse(text);
  return Kept{std::move(forward), text_of(value.as_object(), "interface"),
              text_of(value.as_object(), "address")};
}

Result<std::optional<Forwards::Kept>> Forwards::read(const std::string& name) const {
  TRY(const auto text, store_.get(store::Table::Control, std::string(kPrefix) + name));
  if (!text.has_value()) return std::nullopt;
  TRY(Kept kept, parse_kept(name, *text));
  return kept;
}

Task<Result<void>> Forwards::set(Forward forward) {
  CO_TRY(auto old, read(forward.name));
  const bool same_interface = old.has_value() && old->forward.region == forward.region &&
                              old->forward.subnet_id == forward.subnet_id &&
                              old->forward.security_group_ids == forward.security_group_ids;
  if (old.has_value() && !same_interface) CO_TRY_VOID(co_await remove(forward.name));
  Kept kept{.forward = forward};
  if (same_interface) {
    kept.interface_id = old->interface_id;
    kept.address = old->address;
  } else {
    ec2::ServiceInterfaceOrder order{.subnet_id = forward.subnet_id,
                                     .security_group_ids = forward.security_group_ids,
                                     .description = "Forward " + forward.name,
                                     .requester = "amazon-elb"};
    CO_TRY(const ec2::ServiceInterface made,
           co_await compute_.api().create_service_interface(forward.region, std::move(order)));
    kept.interface_id = made.id;
    kept.address = made.address;
  }
  const boost::json::object value{
      {"listen_port", forward.listen_port},
      {"region", forward.region},
      {"subnet_id", forward.subnet_id},
      {"security_group_ids", boost::json::value_from(forward.security_group_ids)},
      {"targets", boost::json::value_from(forward.targets)},
      {"interface", kept.interface_id},
      {"address", kept.address}};
  store::Batch batch;
  batch.put(store::Table::Control, std::string(kPrefix) + forward.name,
            boost::json::serialize(value));
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return co_await start(std::move(kept), clock_.now() + kPatience);
}

Task<Result<void>> Forwards::start(Kept kept, base::Timestamp deadline) {
  const Forward& forward = kept.forward;
  if (!co_await compute_.api().interface_ready(forward.region, kept.interface_id, deadline)) {
    co_return base::fail(
        base::ErrorKind::Unavailable,
        "The forward's network interface " + kept.interface_id + " is not there yet.");
  }
  std::error_code failure;
  std::filesystem::create_directories(folder_, failure);
  // Named by its content: a program whose words are the same is left running.
  const std::string text = configuration(forward);
  const std::string digest =
      base::hex_encode(base::digest(base::DigestKind::Sha256, text)).substr(0, 12);
  const auto file = folder_ / (forward.name + "-" + digest + ".cfg");
  std::ofstream(file, std::ios::trunc) << text;
  host::ProgramSpec spec;
  spec.name = program_name(forward.name);
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  spec.argv = {self.string(),
               "enter",
               std::to_string(forward.listen_port),
               compute_.network().namespace_path(kept.interface_id).string(),
               "--",
               kProxy,
               "-W",
               "-db",
               "-f",
               file.string()};
  spec.env = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
  co_return co_await programs_.start(std::move(spec));
}

Task<Result<void>> Forwards::remove(std::string name) {
  CO_TRY(const auto kept, read(name));
  if (!kept.has_value()) co_return Result<void>();
  co_await programs_.stop(program_name(name));
  CO_TRY_VOID(
      co_await compute_.api().delete_service_interface(kept->forward.region, kept->interface_id));
  store::Batch batch;
  batch.erase(store::Table::Control, std::string(kPrefix) + name);
  co_return co_await store_.commit(std::move(batch));
}

Result<void> Forwards::resume() {
  const auto cursor = store_.scan(store::Table::Control, kPrefix, store::prefix_end(kPrefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(Kept kept, parse_kept(std::string(cursor->key().substr(kPrefix.size())), cursor->value()));
    tasks_.spawn("forward", start_again(std::move(kept)));
  }
  return cursor->status();
}

Task<void> Forwards::start_again(Kept kept) {
  while (!tasks_.stopping()) {
    const auto started = co_await start(kept, clock_.now() + kPatience);
    if (started.has_value()) co_return;
    base::log::error("forward", "{}: {}", kept.forward.name, base::describe(started.error()));
    co_await runtime::sleep_until(clock_, clock_.now() + kPause);
  }
}

Task<void> Forwards::stop() { co_await tasks_.stop(); }

}  // namespace terrarium::region
