#include "terrarium/services/ec2/cidr.h"

#include <gtest/gtest.h>

namespace terrarium::ec2 {
namespace {

TEST(Ec2Cidr, HostBitsAreCleared) {
  EXPECT_EQ(Cidr::parse("10.0.1.7/16")->text(), "10.0.0.0/16");
  EXPECT_EQ(Cidr::parse("0.0.0.0/0")->text(), "0.0.0.0/0");
  EXPECT_EQ(Cidr::parse("203.0.113.9/32")->text(), "203.0.113.9/32");
}

TEST(Ec2Cidr, WhatIsNoRangeIsRefused) {
  for (const char* text :
       {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0/8",
        "10.0.0.0/8 ", "256.0.0.0/8", "a/8", "10.0.0.0/8/8", "2001:db8::/32"}) {
    EXPECT_FALSE(Cidr::parse(text).has_value()) << text;
  }
}

TEST(Ec2Cidr, RangesContainAndOverlap) {
  const Cidr vpc = *Cidr::parse("10.0.0.0/16");
  const Cidr subnet = *Cidr::parse("10.0.255.0/24");
  EXPECT_TRUE(vpc.contains(subnet));
  EXPECT_FALSE(subnet.contains(vpc));
  EXPECT_TRUE(vpc.overlaps(subnet) && subnet.overlaps(vpc));
  EXPECT_FALSE(vpc.overlaps(*Cidr::parse("10.1.0.0/16")));
  EXPECT_EQ(ipv4_text(subnet.last()), "10.0.255.255");
  EXPECT_EQ(subnet.addresses(), 256U);
  EXPECT_EQ(Cidr::parse("0.0.0.0/0")->addresses(), std::uint64_t{1} << 32);
}

TEST(Ec2Cidr, Ipv6RangesAreMadeCanonical) {
  EXPECT_EQ(canonical_ipv6_cidr("::/0"), "::/0");
  EXPECT_EQ(canonical_ipv6_cidr("2001:DB8:0::1/32"), "2001:db8::/32");
  EXPECT_FALSE(canonical_ipv6_cidr("::/129").has_value());
  EXPECT_FALSE(canonical_ipv6_cidr("10.0.0.0/8").has_value());
}

}  // namespace
}  // namespace terrarium::ec2
