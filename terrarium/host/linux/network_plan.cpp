#include "terrarium/host/linux/network_plan.h"

#include <algorithm>

#include "terrarium/host/linux/ipv4.h"
#include "terrarium/host/linux/network_names.h"

namespace terrarium::host::linux_host {
namespace {

using base::ErrorKind;
using base::Result;

constexpr std::uint32_t kLocalPreference = 100;
constexpr std::uint32_t kLinkPreference = 190;
constexpr std::uint32_t kSubnetPreference = 200;

std::unexpected<base::Error> refuse(std::string text) {
  return base::fail(ErrorKind::InvalidInput, std::move(text));
}

struct Subnet {
  Ipv4Range range;
  const SubnetSpec* spec = nullptr;
};

// Turns one spec into the kernel's objects; each step checks what it uses.
class Planner {
 public:
  explicit Planner(const VpcSpec& spec) : spec_(spec) {}

  Result<RouterState> plan() {
    TRY_VOID(read_ranges());
    TRY_VOID(read_subnets());
    for (const InterfaceSpec& interface : spec_.interfaces) TRY_VOID(add_interface(interface));
    for (const NatGatewaySpec& gateway : spec_.nat_gateways) TRY_VOID(add_nat_gateway(gateway));
    for (const RouteTableSpec& table : spec_.route_tables) TRY_VOID(add_table(table));
    TRY_VOID(add_rules());
    if (!spec_.internet_gateway) state_.public_addresses.clear();
    return std::move(state_);
  }

 private:
  Result<void> read_ranges() {
    if (!is_plain_id(spec_.id)) return refuse("'" + spec_.id + "' names no VPC.");
    if (spec_.cidrs.empty()) return refuse("A VPC has at least one CIDR block.");
    for (const std::string& cidr : spec_.cidrs) {
      TRY(const Ipv4Range range, parse_ipv4_range(cidr));
      ranges_.push_back(range);
      state_.routes.insert({.table = kLocalTable, .destination = cidr});
    }
    state_.rules.insert({.preference = kLocalPreference, .table = kLocalTable});
    state_.own_addresses.insert(std::string(kMetadataAddress));
    if (spec_.dns) {
      state_.own_addresses.insert(std::string(kDnsAddress));
      state_.own_addresses.insert(ipv4_text(ranges_[0].first + 2));
    }
    return {};
  }

  Result<void> read_subnets() {
    for (const SubnetSpec& subnet : spec_.subnets) {
      TRY(const Ipv4Range range, parse_ipv4_range(subnet.cidr));
      const auto holds = [&](const Ipv4Range& whole) { return whole.contains(range); };
      if (!std::ranges::any_of(ranges_, holds) || range.length > 28) {
        return refuse("Subnet " + subnet.id + " is not within its VPC, or smaller than /28.");
      }
      if (!subnets_.emplace(subnet.id, Subnet{range, &subnet}).second) {
        return refuse("Subnet " + subnet.id + " is described twice.");
      }
      state_.own_addresses.insert(ipv4_text(range.first + 1));
    }
    return {};
  }

  // An address inside `subnet`, used once.
  Result<void> take_address(const std::string& address, const Subnet& subnet, bool fixed,
                            const std::string& link) {
    TRY(const std::uint32_t number, parse_ipv4(address));
    const auto holds = [&](const Ipv4Range& whole) { return whole.contains(number); };
    if (fixed ? !subnet.range.contains(number) : !std::ranges::any_of(ranges_, holds)) {
      return refuse("Address " + address + " is not within subnet " + subnet.spec->id + ".");
    }
    if (state_.own_addresses.contains(address) || !addresses_.insert(address).second) {
      return refuse("Address " + address + " is used twice.");
    }
    state_.routes.insert({.table = kLocalTable, .destination = address + "/32", .link = link});
    return {};
  }

  Result<void> take_public_address(const std::string& address) {
    if (address.empty()) return {};
    static const Ipv4Range kPublic = *parse_ipv4_range(std::string(kPublicCidr));
    TRY(const std::uint32_t number, parse_ipv4(address));
    if (!kPublic.contains(number) || number - kPublic.first < kFirstPublicHost) {
      return refuse("Address " + address + " is no public address of this region.");
    }
    if (!state_.public_addresses.insert(address).second) {
      return refuse("Address " + address + " is used twice.");
    }
    return {};
  }

  Result<void> attach(const std::string& id, const std::string& subnet_id, Attachment made,
                      const std::string& public_address) {
    const auto found = subnets_.find(subnet_id);
    if (found == subnets_.end()) return refuse(id + " names no subnet of its VPC.");
    const Subnet& subnet = found->second;
    if (!is_plain_id(id)) return refuse("'" + id + "' names no interface.");
    made.id = id;
    made.prefix_length = subnet.range.length;
    made.gateway = ipv4_text(subnet.range.first + 1);
    TRY_VOID(take_address(made.address, subnet, true, made.link));
    for (const std::string& address : made.secondary_addresses) {
      TRY_VOID(take_address(address, subnet, false, made.link));
    }
    TRY_VOID(take_public_address(public_address));
    if (!state_.attachments.emplace(id, std::move(made)).second) {
      return refuse(id + " is described twice.");
    }
    return {};
  }

  Result<void> add_interface(const InterfaceSpec& interface) {
    const auto subnet = subnets_.find(interface.subnet);
    if (!interface.source_dest_check && subnet != subnets_.end()) {
      state_.rules.insert({.preference = kLinkPreference,
                           .link = link_name(kInterfacePrefix, interface.id),
                           .table = number_of(subnet->second.spec->route_table)});
    }
    return attach(interface.id, interface.subnet,
                  {.link = link_name(kInterfacePrefix, interface.id),
                   .mac = interface.mac.empty() ? mac_address(interface.id) : interface.mac,
                   .address = interface.address,
                   .secondary_addresses = {interface.secondary_addresses.begin(),
                                           interface.secondary_addresses.end()}},
                  interface.public_address);
  }

  Result<void> add_nat_gateway(const NatGatewaySpec& gateway) {
    return attach(gateway.id, gateway.subnet,
                  {.link = link_name(kNatPrefix, gateway.id),
                   .mac = mac_address(gateway.id),
                   .address = gateway.address,
                   .forwards = true},
                  gateway.public_address);
  }

  // Where AWS's target is gone, or may not pass on what is not its own, AWS drops too.
  Route resolve(const RouteSpec& route, std::uint32_t table) const {
    Route made{.table = table, .destination = route.destination};
    const auto target = state_.attachments.find(route.target_id);
    const bool known = target != state_.attachments.end();
    switch (route.target) {
      case RouteSpec::Target::InternetGateway:
        if (spec_.internet_gateway) {
          made.link = kInternetLink;
          made.via = kLinkGateway;
        }
        break;
      case RouteSpec::Target::NatGateway:
        if (known && target->second.forwards) {
          made.link = target->second.link;
          made.via = target->second.address;
        }
        break;
      case RouteSpec::Target::Interface:
        if (known && passes_on(route.target_id)) {
          made.link = target->second.link;
          made.via = target->second.address;
        }
        break;
      case RouteSpec::Target::Local:
      case RouteSpec::Target::Blackhole: break;
    }
    return made;
  }

  bool passes_on(const std::string& interface_id) const {
    return std::ranges::any_of(spec_.interfaces, [&](const InterfaceSpec& interface) {
      return interface.id == interface_id && !interface.source_dest_check;
    });
  }

  Result<void> add_table(const RouteTableSpec& table) {
    const std::uint32_t number = number_of(table.id);
    if (!tables_.insert(number).second) return refuse(table.id + " is described twice.");
    std::set<std::string> destinations;
    for (const RouteSpec& route : table.routes) {
      if (route.target == RouteSpec::Target::Local) continue;
      TRY(const Ipv4Range range, parse_ipv4_range(route.destination));
      const auto holds = [&](const Ipv4Range& whole) { return whole.contains(range); };
      if (std::ranges::any_of(ranges_, holds)) {
        return base::fail(ErrorKind::NotImplemented,
                          "Routes within the VPC's own CIDR blocks are not supported.");
      }
      if (!destinations.insert(route.destination).second) {
        return refuse(table.id + " has two routes to " + route.destination + ".");
      }
      state_.routes.insert(resolve(route, number));
    }
    // What no route takes is dropped, not answered.
    if (!destinations.contains("0.0.0.0/0")) {
      state_.routes.insert({.table = number, .destination = "0.0.0.0/0"});
    }
    return {};
  }

  Result<void> add_rules() {
    for (const auto& [id, subnet] : subnets_) {
      const std::uint32_t table = number_of(subnet.spec->route_table);
      if (!tables_.contains(table)) {
        return refuse("Subnet " + id + " names no route table of its VPC.");
      }
      state_.rules.insert(
          {.preference = kSubnetPreference, .from = subnet.spec->cidr, .table = table});
    }
    return {};
  }

  const VpcSpec& spec_;
  RouterState state_;
  std::vector<Ipv4Range> ranges_;
  std::map<std::string, Subnet> subnets_;
  std::set<std::string> addresses_;
  std::set<std::uint32_t> tables_;
};

template <class Value>
auto missing_from(const std::set<Value>& all, const std::set<Value>& there) {
  std::vector<Value> missing;
  std::ranges::set_difference(all, there, std::back_inserter(missing));
  return missing;
}

std::set<std::string> as_set(std::vector<std::string> values) {
  return {std::make_move_iterator(values.begin()), std::make_move_iterator(values.end())};
}

}  // namespace

Result<RouterState> desired_state(const VpcSpec& spec) { return Planner(spec).plan(); }

bool RouterChanges::empty() const {
  return public_to_remove.empty() && rules_to_remove.empty() && routes_to_remove.empty() &&
         to_detach.empty() && to_attach.empty() && own_to_remove.empty() && own_to_add.empty() &&
         routes_to_add.empty() && rules_to_add.empty() && public_to_add.empty();
}

RouterChanges changes_between(const RouterState& from, const RouterState& to) {
  RouterChanges changes;
  for (const auto& [id, attachment] : from.attachments) {
    if (!to.attachments.contains(id)) changes.to_detach.push_back(attachment);
  }
  for (const auto& [id, attachment] : to.attachments) {
    const auto there = from.attachments.find(id);
    if (there == from.attachments.end() || !(there->second == attachment)) {
      changes.to_attach.push_back(attachment);
    }
  }
  // The kernel drops a link's routes with the link: those of what is attached anew are added again.
  std::set<Route> remaining = from.routes;
  for (const Attachment& attachment : changes.to_attach) {
    std::erase_if(remaining, [&](const Route& route) { return route.link == attachment.link; });
  }
  changes.public_to_remove = as_set(missing_from(from.public_addresses, to.public_addresses));
  changes.public_to_add = as_set(missing_from(to.public_addresses, from.public_addresses));
  changes.own_to_remove = as_set(missing_from(from.own_addresses, to.own_addresses));
  changes.own_to_add = as_set(missing_from(to.own_addresses, from.own_addresses));
  changes.routes_to_add = missing_from(to.routes, remaining);
  changes.routes_to_remove = missing_from(from.routes, to.routes);
  // One destination's route is replaced, not taken away first: no packet finds none.
  std::set<std::pair<std::uint32_t, std::string>> replaced;
  for (const Route& route : to.routes) replaced.emplace(route.table, route.destination);
  std::erase_if(changes.routes_to_remove, [&](const Route& route) {
    return replaced.contains({route.table, route.destination});
  });
  changes.rules_to_remove = missing_from(from.rules, to.rules);
  changes.rules_to_add = missing_from(to.rules, from.rules);
  return changes;
}

}  // namespace terrarium::host::linux_host
