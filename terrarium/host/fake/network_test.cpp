#include "terrarium/host/fake/network.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "lib/runtime/runtime.h"

namespace terrarium::host {
namespace {

runtime::Task<void> failing_story(FakeNetwork& network) {
  network.fail_after(1);
  EXPECT_TRUE((co_await network.set_vpc({.id = "vpc-1"})).has_value());
  EXPECT_FALSE((co_await network.set_vpc({.id = "vpc-2"})).has_value());
  EXPECT_TRUE(network.failed());
  EXPECT_EQ(network.vpc("vpc-2"), nullptr);
  EXPECT_TRUE((co_await network.set_vpc({.id = "vpc-2"})).has_value());
  network.fail_after(0, true);
  EXPECT_FALSE((co_await network.remove_vpc("vpc-2")).has_value());
  EXPECT_EQ(network.vpc("vpc-2"), nullptr) << "done, and not heard of";
  EXPECT_EQ(network.calls(), 4);
}

runtime::Task<void> listening_story(FakeNetwork& network) {
  EXPECT_FALSE(network.listen_in_vpc("vpc-1", "10.0.0.2", 53).has_value());
  EXPECT_TRUE((co_await network.set_vpc({.id = "vpc-1"})).has_value());
  const auto listening = network.listen_in_vpc("vpc-1", "10.0.0.2", 53);
  EXPECT_TRUE(listening.has_value());
  if (listening) ::close(*listening);
}

TEST(FakeNetwork, TheNthCallFailsOnce) {
  FakeNetwork network;
  runtime::block_on(failing_story(network));
}

TEST(FakeNetwork, ListensInsideOfWhatThereIs) {
  FakeNetwork network;
  runtime::block_on(listening_story(network));
}

}  // namespace
}  // namespace terrarium::host
