// The tree of metadata: what stands at a path. Pure.
//
// A directory lists its entries, sorted, one a line and without a line's end after the last;
// directories among them end in '/'. A path may end in '/' whatever it leads to, as on AWS.
// Source: Amazon EC2 User Guide, "Instance metadata categories".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "terrarium/services/imds/instances.h"

namespace terrarium::imds {

enum class Form : std::uint8_t { Text, Json, Bytes };

struct Leaf {
  std::string text;
  Form form = Form::Text;
};

// "latest" and the dates at which AWS changed what there is, oldest first. All show the same.
std::span<const std::string_view> versions();
bool is_version(std::string_view name);

// `path`: the segments after the version ("meta-data", "instance-id"). Nothing: there is no such
// entry. Role credentials are not in the tree, but for the name of the role: credentials.h.
std::optional<Leaf> find(const InstanceFacts& instance, std::span<const std::string> path);

// The name of the role whose credentials the instance may have; empty: none.
std::string role_name(const InstanceFacts& instance);

}  // namespace terrarium::imds
