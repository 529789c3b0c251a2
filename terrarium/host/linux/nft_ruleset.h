// One nftables table as data, and as the text of transactions: whole, or only what differs between
// two. Pure; knows nothing of what the rules mean.
//
// Invariant: change_text(a, b) applied to a table that is `a` makes it what full_text(b) makes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace terrarium::host::linux_host {

// A set (elements with no value) or a map.
struct NftSet {
  std::string declaration;                      // "type ipv4_addr;"
  std::map<std::string, std::string> elements;  // key to value; "" in sets
  bool is_map = false;
  friend bool operator==(const NftSet&, const NftSet&) = default;
};

struct NftChain {
  std::string hook;  // "type filter hook forward priority 0; policy drop;", empty: jumped to
  std::vector<std::string> rules;
  friend bool operator==(const NftChain&, const NftChain&) = default;
};

struct NftRuleset {
  std::string table;  // family ip
  std::map<std::string, NftSet> sets;
  std::map<std::string, NftChain> chains;
  friend bool operator==(const NftRuleset&, const NftRuleset&) = default;
};

// Replaces the table, or makes it, in one transaction.
std::string full_text(const NftRuleset& ruleset);
// Empty when the two are equal. Their tables have one name.
std::string change_text(const NftRuleset& from, const NftRuleset& to);

}  // namespace terrarium::host::linux_host
