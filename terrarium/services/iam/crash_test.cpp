// Every write and every sync of an account's life fails once, before or after it happened; then the
// power goes, or only the process. What was acknowledged must hold, and every index must agree with
// the records that it finds.
#include <gtest/gtest.h>

#include <set>

#include "terrarium/services/iam/testing_account.h"
#include "terrarium/store/faulty.h"

namespace terrarium::iam {
namespace {

using namespace std::chrono_literals;
using store::FaultPoint;
using store::FaultyStore;

struct Life {
  TestingAccount account;
  FaultyStore& store;
  std::string key_id;                  // acknowledged
  std::optional<std::string> session;  // acknowledged
  bool renamed = false;                // acknowledged
  bool rename_tried = false;

  Life() : Life(std::make_unique<FaultyStore>()) {}
  explicit Life(std::unique_ptr<FaultyStore> made)
      : account(std::move(made)), store(static_cast<FaultyStore&>(*account.store)) {}

  void scenario() {
    account.user("ann");
    account.policy("p");
    (void)account.ask(&Service::create_group, {{}, "g"});
    (void)account.ask(&Service::add_user_to_group, {"g", "ann"});
    const std::string arn = TestingAccount::policy_arn("p");
    (void)account.ask(&Service::attach_user_policy, {"ann", arn});
    (void)account.ask(&Service::put_user_permissions_boundary, {"ann", arn});
    const auto key = account.ask(&Service::create_access_key, {"ann"});
    if (key) key_id = key->access_key.access_key_id;
    account.role("r");
    (void)account.ask(&Service::create_instance_profile, {.instance_profile_name = "i"});
    (void)account.ask(&Service::add_role_to_instance_profile, {"i", "r"});
    const auto made =
        account.ask(account.service->assume("arn:aws:iam::123456789012:role/r", "s", 900s));
    if (made) session = made->access_key_id;
    rename_tried = true;
    renamed = account.ask(&Service::update_user, {"ann", {}, "bea"}).has_value();
    (void)account.ask(&Service::update_group, {"g", {}, "h"});
    (void)account.ask(&Service::detach_user_policy, {renamed ? "bea" : "ann", arn});
  }

  std::set<std::string> keys(std::string_view prefix) {
    std::set<std::string> found;
    const auto cursor = store.scan(store::Table::Control, prefix, store::prefix_end(prefix));
    for (; cursor->valid(); cursor->next()) found.insert(std::string(cursor->key()));
    return found;
  }

  // Written again as they are read, records must bring exactly the indexes that are there.
  void check_indexes() {
    const Directory directory(store, "123456789012");
    std::set<std::string> expected;
    const auto collect = [&expected](const store::Batch& batch) {
      for (const store::Change& change : batch.changes()) expected.insert(change.key);
    };
    for (const Kind kind : {Kind::User, Kind::Group, Kind::Role}) {
      const auto page = directory.page(kind, {});
      ASSERT_TRUE(page.has_value());
      for (const Entity& entity : page->items) {
        store::Batch batch;
        directory.replace(batch, kind, nullptr, &entity);
        collect(batch);
        for (const std::string& group : entity.groups) {
          EXPECT_TRUE(directory.read(Kind::Group, group)->has_value()) << group;
        }
      }
    }
    const auto profiles = directory.profile_page({});
    for (const ProfileRecord& profile : profiles->items) {
      store::Batch batch;
      directory.replace(batch, nullptr, &profile);
      collect(batch);
    }
    for (const std::string& key : keys(kKeyPrefix)) {
      const auto record = directory.read_key(key.substr(kKeyPrefix.size()));
      ASSERT_TRUE(record.has_value() && record->has_value());
      EXPECT_TRUE(directory.read(Kind::User, (*record)->user)->has_value());
      store::Batch batch;
      directory.replace(batch, nullptr, &**record);
      collect(batch);
    }
    for (const std::string_view prefix :
         {kUserPrefix, kGroupPrefix, kRolePrefix, kProfilePrefix, kKeyPrefix,
          std::string_view("iam/attached/"), std::string_view("iam/bounded/"),
          std::string_view("iam/member/"), std::string_view("iam/key-of/"),
          std::string_view("iam/profile-of/")}) {
      for (const std::string& key : keys(prefix)) {
        EXPECT_EQ(expected.erase(key), 1U) << "nothing accounts for " << key;
      }
    }
    EXPECT_TRUE(expected.empty()) << *expected.begin() << " is missing";
    EXPECT_EQ(keys(kSessionPrefix).size(), keys(kExpiryPrefix).size());
  }

  void check() {
    if (!key_id.empty()) {
      const auto key = account.service->find(key_id);
      ASSERT_TRUE(key.has_value() && key->has_value());
      if (renamed) {
        EXPECT_TRUE((*key)->principal.arn.ends_with("/bea"));
      } else if (!rename_tried) {
        EXPECT_TRUE((*key)->principal.arn.ends_with("/ann"));
      }
    }
    if (session) EXPECT_TRUE(account.service->find(*session)->has_value());
    check_indexes();
  }
};

TEST(IamCrash, WhatWasAcknowledgedIsThereAndIndexesAgree) {
  bool fired = true;
  int runs = 0;
  for (std::uint64_t n = 0; fired; ++n) {
    ASSERT_LT(n, 200U) << "the scenario does not end";
    fired = false;
    for (const FaultPoint point : {FaultPoint::Before, FaultPoint::After}) {
      for (const std::size_t kept : {std::size_t{0}, SIZE_MAX}) {
        SCOPED_TRACE(testing::Message()
                     << "effect " << n << " point " << int(point) << " kept " << kept);
        Life life;
        life.store.fail_effect(n, point);
        life.scenario();
        fired = fired || life.store.fired();
        life.store.crash(kept);
        life.account.restart();
        life.check();
        ++runs;
        if (testing::Test::HasFailure()) return;
      }
    }
  }
  EXPECT_GT(runs, 60);
}

}  // namespace
}  // namespace terrarium::iam
