#include "terrarium/host/linux/nft_ruleset.h"

#include <gtest/gtest.h>

namespace terrarium::host::linux_host {
namespace {

NftRuleset small() {
  NftRuleset rules{.table = "t"};
  rules.sets["s"] = {.declaration = "type ipv4_addr;", .elements = {{"10.0.0.1", ""}}};
  rules.sets["m"] = {
      .declaration = "type ifname : verdict;", .elements = {{"\"a\"", "goto c"}}, .is_map = true};
  rules.chains["c"] = {.rules = {"ip saddr @s accept", "drop"}};
  rules.chains["forward"] = {.hook = "type filter hook forward priority 0; policy drop;",
                             .rules = {"iifname vmap @m"}};
  return rules;
}

TEST(NftRuleset, TheWholeReplacesTheTable) {
  EXPECT_EQ(full_text(small()),
            "add table ip t\n"
            "delete table ip t\n"
            "add table ip t\n"
            "add map ip t m { type ifname : verdict; }\n"
            "add set ip t s { type ipv4_addr; }\n"
            "add chain ip t c\n"
            "add chain ip t forward { type filter hook forward priority 0; policy drop; }\n"
            "add element ip t m { \"a\" : goto c }\n"
            "add element ip t s { 10.0.0.1 }\n"
            "add rule ip t c ip saddr @s accept\n"
            "add rule ip t c drop\n"
            "add rule ip t forward iifname vmap @m\n");
}

TEST(NftRuleset, EqualTablesNeedNoTransaction) { EXPECT_EQ(change_text(small(), small()), ""); }

TEST(NftRuleset, OnlyDifferingElementsAreNamed) {
  NftRuleset after = small();
  after.sets["s"].elements = {{"10.0.0.2", ""}, {"10.0.0.3", ""}};
  EXPECT_EQ(change_text(small(), after),
            "delete element ip t s { 10.0.0.1 }\n"
            "add element ip t s { 10.0.0.2, 10.0.0.3 }\n");
}

TEST(NftRuleset, AnotherValueOfAKeyIsADeletionAndAnAddition) {
  NftRuleset after = small();
  after.sets["m"].elements["\"a\""] = "accept";
  EXPECT_EQ(change_text(small(), after),
            "delete element ip t m { \"a\" : goto c }\n"
            "add element ip t m { \"a\" : accept }\n");
}

TEST(NftRuleset, AChangedChainIsRewrittenInPlace) {
  NftRuleset after = small();
  after.chains["c"].rules = {"accept"};
  EXPECT_EQ(change_text(small(), after),
            "flush chain ip t c\n"
            "add rule ip t c accept\n");
}

TEST(NftRuleset, WhatIsNewComesBeforeItsUseAndWhatGoesAfterIt) {
  NftRuleset after = small();
  after.sets.erase("s");
  after.sets["n"] = {.declaration = "type ipv4_addr;"};
  after.chains.erase("c");
  after.chains["d"] = {.rules = {"ip saddr @n accept"}};
  after.sets["m"].elements["\"a\""] = "goto d";
  EXPECT_EQ(change_text(small(), after),
            "add set ip t n { type ipv4_addr; }\n"
            "add chain ip t d\n"
            "flush chain ip t c\n"
            "delete element ip t m { \"a\" : goto c }\n"
            "delete element ip t s { 10.0.0.1 }\n"
            "add element ip t m { \"a\" : goto d }\n"
            "add rule ip t d ip saddr @n accept\n"
            "delete chain ip t c\n"
            "delete set ip t s\n");
}

}  // namespace
}  // namespace terrarium::host::linux_host
