#include "terrarium/host/linux/dns.h"

#include <gtest/gtest.h>

namespace terrarium::host::linux_host {
namespace {

TEST(DnsNames, EachAddressIsALine) {
  EXPECT_EQ(dns_hosts_text({{"a.internal", {"10.0.0.1", "10.0.0.2"}}, {"b.internal", {"10.0.0.3"}}})
                .value(),
            "10.0.0.1 a.internal\n10.0.0.2 a.internal\n10.0.0.3 b.internal\n");
}

TEST(DnsNames, WhatIsNoNameOrAddressIsRefused) {
  EXPECT_FALSE(dns_hosts_text({{"a b", {"10.0.0.1"}}}).has_value());
  EXPECT_FALSE(dns_hosts_text({{"a\n1.2.3.4 aws", {"10.0.0.1"}}}).has_value());
  EXPECT_FALSE(dns_hosts_text({{"", {"10.0.0.1"}}}).has_value());
  EXPECT_FALSE(dns_hosts_text({{"a", {"10.0.0"}}}).has_value());
}

TEST(DnsNames, AwsNamesLeadToTheApisAndNothingIsForwarded) {
  const std::string text = dns_configuration_text("/hosts", {"10.0.0.2"});
  for (const std::string line : {"address=/s3.amazonaws.com/203.0.113.1\n",
                                 "address=/sts.eu-west-1.amazonaws.com/203.0.113.1\n",
                                 "listen-address=10.0.0.2\n", "hostsdir=/hosts\n", "no-resolv\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(text.find("server="), std::string::npos);
}

}  // namespace
}  // namespace terrarium::host::linux_host
