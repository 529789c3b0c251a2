#include "terrarium/host/linux/nft_ruleset.h"

#include <fmt/format.h>

namespace terrarium::host::linux_host {
namespace {

using Elements = std::map<std::string, std::string>;

// Elements in one statement: the text's parser and the kernel take them at once.
void append_elements(std::string& text, std::string_view verb, const std::string& table,
                     const std::string& set, const Elements& elements) {
  if (elements.empty()) return;
  text += fmt::format("{} element ip {} {} {{ ", verb, table, set);
  bool first = true;
  for (const auto& [key, value] : elements) {
    if (!first) text += ", ";
    first = false;
    text += key;
    if (!value.empty()) text += " : " + value;
  }
  text += " }\n";
}

void append_set(std::string& text, const std::string& table, const std::string& name,
                const NftSet& set) {
  text += fmt::format("add {} ip {} {} {{ {} }}\n", set.is_map ? "map" : "set", table, name,
                      set.declaration);
}

void append_chain(std::string& text, const std::string& table, const std::string& name,
                  const NftChain& chain) {
  text += chain.hook.empty()
              ? fmt::format("add chain ip {} {}\n", table, name)
              : fmt::format("add chain ip {} {} {{ {} }}\n", table, name, chain.hook);
}

void append_rules(std::string& text, const std::string& table, const std::string& name,
                  const NftChain& chain) {
  for (const std::string& rule : chain.rules) {
    text += fmt::format("add rule ip {} {} {}\n", table, name, rule);
  }
}

// What `from` has and `to` has not, or with another value.
Elements differing(const Elements& from, const Elements& to) {
  Elements found;
  for (const auto& [key, value] : from) {
    const auto other = to.find(key);
    if (other == to.end() || other->second != value) found.emplace(key, value);
  }
  return found;
}

// Sets are looked up by this: an absent one has no elements.
const Elements& elements_of(const NftRuleset& ruleset, const std::string& name) {
  static const Elements kNone;
  const auto found = ruleset.sets.find(name);
  return found == ruleset.sets.end() ? kNone : found->second.elements;
}

}  // namespace

std::string full_text(const NftRuleset& ruleset) {
  const std::string& table = ruleset.table;
  // Added first, so that deleting it does not fail when there is none.
  std::string text = fmt::format("add table ip {0}\ndelete table ip {0}\n", table);
  text += fmt::format("add table ip {}\n", table);
  for (const auto& [name, set] : ruleset.sets) append_set(text, table, name, set);
  for (const auto& [name, chain] : ruleset.chains) append_chain(text, table, name, chain);
  for (const auto& [name, set] : ruleset.sets) {
    append_elements(text, "add", table, name, set.elements);
  }
  for (const auto& [name, chain] : ruleset.chains) append_rules(text, table, name, chain);
  return text;
}

std::string change_text(const NftRuleset& from, const NftRuleset& to) {
  const std::string& table = to.table;
  std::string text;
  // What is new must exist before rules and elements name it.
  for (const auto& [name, set] : to.sets) {
    if (!from.sets.contains(name)) append_set(text, table, name, set);
  }
  for (const auto& [name, chain] : to.chains) {
    if (!from.chains.contains(name)) append_chain(text, table, name, chain);
  }
  // What goes must be named by nothing: rules and elements go first.
  std::vector<std::string> rewritten;
  for (const auto& [name, chain] : from.chains) {
    const auto kept = to.chains.find(name);
    if (kept != to.chains.end() && kept->second == chain) continue;
    text += fmt::format("flush chain ip {} {}\n", table, name);
    if (kept != to.chains.end()) rewritten.push_back(name);
  }
  for (const auto& [name, set] : from.sets) {
    append_elements(text, "delete", table, name, differing(set.elements, elements_of(to, name)));
  }
  for (const auto& [name, set] : to.sets) {
    append_elements(text, "add", table, name, differing(set.elements, elements_of(from, name)));
  }
  for (const std::string& name : rewritten) append_rules(text, table, name, to.chains.at(name));
  for (const auto& [name, chain] : to.chains) {
    if (!from.chains.contains(name)) append_rules(text, table, name, chain);
  }
  for (const auto& [name, chain] : from.chains) {
    if (!to.chains.contains(name)) text += fmt::format("delete chain ip {} {}\n", table, name);
  }
  for (const auto& [name, set] : from.sets) {
    if (!to.sets.contains(name)) {
      text += fmt::format("delete {} ip {} {}\n", set.is_map ? "map" : "set", table, name);
    }
  }
  return text;
}

}  // namespace terrarium::host::linux_host
