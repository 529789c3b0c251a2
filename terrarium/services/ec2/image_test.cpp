// Rules of images with plain calls; their keeper on virtual time, against fake machines.
#include <gtest/gtest.h>

#include <algorithm>

#include "lib/runtime/runtime.h"
#include "terrarium/host/fake/machine.h"
#include "terrarium/host/fake/network.h"
#include "terrarium/services/ec2/image_keeper.h"
#include "terrarium/services/ec2/image_rules.h"
#include "terrarium/services/ec2/testing_records.h"
#include "terrarium/store/faulty.h"

namespace terrarium::ec2 {
namespace {

template <class T>
std::string code_of(const base::Result<T>& answer) {
  return answer.has_value() ? "" : std::string(answer.error().row->code);
}

InstanceRecord running_instance() {
  return {.id = InstanceId("i-00000000000000001"),
          .image = ImageId(std::string(kBaseImageId)),
          .layers = {"ami-0below"},
          .state = InstanceStateName::Running};
}

class ImageRules : public testing::Test {
 protected:
  ImageRules() { put(running_instance()); }
  template <class T>
  void put(T record) {
    (void)records.change([&](Transaction& transaction) {
      transaction.put(std::move(record));
      return base::Result<void>();
    });
  }
  auto create(const std::string& name) {
    return records.change([&](Transaction& transaction) {
      return create_image(transaction, {.instance_id = "i-00000000000000001", .name = name});
    });
  }
  std::string ready(const std::string& name) {
    const std::string id = *create(name)->image_id;
    (void)records.change(
        [&](Transaction& transaction) { return image_saved(transaction, ImageId(id)); });
    return id;
  }
  const ImageRecord& record(const std::string& id) {
    return *records.state().find<ImageRecord>(ImageId(id));
  }
  auto describe(DescribeImagesRequest request) {
    return describe_images(records.state(), kAccount, request);
  }
  auto modify(ModifyImageAttributeRequest request) {
    return records.change(
        [&](Transaction& transaction) { return modify_image_attribute(transaction, request); });
  }
  const std::string kAccount = "000000000000";
  TestingRecords records;
};

TEST_F(ImageRules, NewImageLiesOnItsInstancesLayersAndRebootsIt) {
  const std::string id = *create("web 1")->image_id;
  EXPECT_EQ(record(id).state, ImageState::Pending);
  EXPECT_EQ(record(id).layers, (std::vector<std::string>{"ami-0below", id}));
  EXPECT_EQ(describe({.image_ids = std::vector{id}})->images->front().state, "pending");
  ASSERT_TRUE(
      records
          .change([&](Transaction& transaction) { return image_saved(transaction, ImageId(id)); })
          .has_value());
  EXPECT_EQ(describe({.image_ids = std::vector{id}})->images->front().state, "available");
  EXPECT_TRUE((*records.state().all<InstanceRecord>().begin()).reboot_wanted);
}

TEST_F(ImageRules, ImagesArePagedAndUnknownOnesNamedTogether) {
  (void)ready("one");
  const auto first = describe({.max_results = 1});
  ASSERT_EQ(first->images->size(), 1u);
  EXPECT_NE(describe({.max_results = 1, .next_token = first->next_token})->images->front().image_id,
            first->images->front().image_id);
  EXPECT_EQ(describe({.image_ids = std::vector<std::string>{"ami-00000001", "ami-00000002"}})
                .error()
                .message,
            "The image ids '[ami-00000001, ami-00000002]' do not exist");
  EXPECT_EQ(describe({.image_ids = std::vector<std::string>{"no"}}).error().message,
            "Invalid id: \"no\" (expecting \"ami-...\")");
}

TEST_F(ImageRules, NamesAreUniqueUntilTheImageFails) {
  const std::string id = *create("web")->image_id;
  EXPECT_EQ(code_of(create("web")), "InvalidAMIName.Duplicate");
  EXPECT_EQ(code_of(create("we")), "InvalidAMIName.Malformed");
  ASSERT_TRUE(records
                  .change([&](Transaction& transaction) {
                    return image_failed(transaction, ImageId(id), "the disk is full");
                  })
                  .has_value());
  const auto failed = describe({.image_ids = std::vector{id}});
  EXPECT_EQ(failed->images->front().state_reason->message, "the disk is full");
  EXPECT_TRUE(create("web").has_value());
}

TEST_F(ImageRules, OwnersUsersAndFiltersChooseImages) {
  const std::string id = ready("web");
  const auto owned = [&](const std::string& owner) {
    return describe({.owners = std::vector{owner}})->images->size();
  };
  EXPECT_EQ(owned("self"), 1u);
  EXPECT_EQ(owned(kAccount), 1u);
  EXPECT_EQ(owned("amazon"), 1u);
  EXPECT_EQ(owned("aws-marketplace"), 0u);
  const auto named = describe(
      {.filters = std::vector<Filter>{{"name", std::vector<std::string>{"terrarium-debian-*"}},
                                      {"state", std::vector<std::string>{"available"}},
                                      {"architecture", std::vector<std::string>{"x86_64"}}}});
  ASSERT_EQ(named->images->size(), 1u);
  EXPECT_EQ(named->images->front().image_id, kBaseImageId);
  const auto executable = [&] {
    return describe({.executable_users = std::vector<std::string>{"all"}})->images->size();
  };
  EXPECT_EQ(executable(), 1u);
  ASSERT_TRUE(modify({.image_id = id,
                      .launch_permission =
                          LaunchPermissionModifications{
                              .add = std::vector<LaunchPermission>{{.group = "all"}}}})
                  .has_value());
  EXPECT_EQ(executable(), 2u);
  EXPECT_EQ(code_of(describe({.image_ids = std::vector<std::string>{"ami-00000000000000000"}})),
            "InvalidAMIID.NotFound");
  EXPECT_EQ(code_of(describe({.image_ids = std::vector<std::string>{"ami-x"}})),
            "InvalidAMIID.Malformed");
}

TEST_F(ImageRules, SnapshotIsRegisteredAgain) {
  const std::string id = ready("web");
  const auto enroll = [&](const std::string& snapshot) {
    return records.change([&](Transaction& transaction) {
      return register_image(
          transaction,
          {.block_device_mappings =
               std::vector<BlockDeviceMapping>{
                   {.device_name = "/dev/xvda", .ebs = EbsBlockDevice{.snapshot_id = snapshot}}},
           .name = "again"});
    });
  };
  EXPECT_EQ(code_of(enroll("snap-00000000000000000")), "InvalidSnapshot.NotFound");
  const auto made = enroll(record(id).snapshot.value);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(record(*made->image_id).layers, record(id).layers);
  const auto snapshots = describe_snapshots(records.state(), kAccount,
                                            {.owner_ids = std::vector<std::string>{"self"}});
  EXPECT_EQ(snapshots->snapshots->size(), 1u);
  EXPECT_EQ(snapshots->snapshots->front().state, "completed");
}

TEST_F(ImageRules, CopyKeepsItsLayersWhenTheOriginalGoes) {
  const std::string id = ready("web");
  const auto copied = records.change([&](Transaction& transaction) {
    return copy_image(transaction,
                      {.name = "copy", .source_image_id = id, .source_region = "us-east-1"});
  });
  ASSERT_TRUE(copied.has_value());
  const auto erase = [&](const std::string& image) {
    return records.change([&](Transaction& transaction) {
      return deregister_image(transaction, {.image_id = image});
    });
  };
  ASSERT_TRUE(erase(id).has_value());
  std::set<std::string> layers;
  add_layers_in_use(records.state(), layers);
  EXPECT_TRUE(layers.contains(id));
  ASSERT_TRUE(erase(*copied->image_id).has_value());
  layers.clear();
  add_layers_in_use(records.state(), layers);
  EXPECT_FALSE(layers.contains(id));
  EXPECT_EQ(code_of(erase(std::string(kBaseImageId))), "AuthFailure");
}

TEST_F(ImageRules, AttributesAreShownAndChanged) {
  const std::string id = ready("web");
  ASSERT_TRUE(modify({.description = AttributeValue{"new"}, .image_id = id}).has_value());
  ASSERT_TRUE(modify({.attribute = "launchPermission",
                      .image_id = id,
                      .operation_type = "add",
                      .user_ids = std::vector<std::string>{"123456789012"}})
                  .has_value());
  EXPECT_EQ(code_of(modify({.attribute = "launchPermission",
                            .image_id = id,
                            .operation_type = "add",
                            .user_ids = std::vector<std::string>{"me"}})),
            "InvalidAMIAttributeItemValue");
  const auto attribute = [&](const std::string& name) {
    return *describe_image_attribute(records.state(), kAccount,
                                     {.attribute = name, .image_id = id});
  };
  EXPECT_EQ(attribute("description").description->value, "new");
  EXPECT_EQ(attribute("launchPermission").launch_permissions->front().user_id, "123456789012");
}

// ------------------------------------------------------------------------------------- keeper

constexpr const char* kRegion = "us-east-1";

class KeptImages : public testing::Test {
 protected:
  KeptImages() { begin(); }
  ~KeptImages() override { end(); }

  void begin() {
    core = std::make_unique<Core>(
        Core::Parts{store, clock, random, runtime->control(), network, machines}, Config{});
    keeper = std::make_unique<ImageKeeper>(*core);
    ASSERT_TRUE(core->start().has_value());
    ASSERT_TRUE(core->records(kRegion).has_value());
    keeper->start();
    runtime->run_until_idle();
  }
  static runtime::Task<void> stop_all(ImageKeeper& keeper, Core& core) {
    co_await keeper.stop();
    co_await core.stop();
  }
  void end() {
    run(stop_all(*keeper, *core));
    keeper.reset();
    core.reset();
  }
  void run(runtime::Task<void> task) {
    runtime::TaskGroup group(runtime->control());
    group.spawn("test", std::move(task));
    runtime->run_until_idle();
  }
  void pass(base::Duration time) {
    clock.advance_to(clock.now() + time, [this] { runtime->run_until_idle(); });
    runtime->run_until_idle();
  }
  template <class Rule>
  static runtime::Task<void> carry_out(Core& core, Rule rule) {
    const auto done = co_await core.change_own(kRegion, std::move(rule));
    EXPECT_TRUE(done.has_value());
  }
  template <class Rule>
  void change(Rule rule) {
    run(carry_out(*core, std::move(rule)));
  }
  static runtime::Task<void> boot(host::Machines& machines, std::string name) {
    host::MachineSpec spec;
    spec.name = name;
    EXPECT_TRUE((co_await machines.start(std::move(spec))).has_value());
  }
  // The machine of an instance, and a request to keep its disk.
  void make_image(bool no_reboot) {
    run(boot(machines, running_instance().id.value));
    change([no_reboot](Transaction& transaction) {
      transaction.put(running_instance());
      return create_image(
          transaction,
          {.instance_id = running_instance().id.value, .name = "web", .no_reboot = no_reboot});
    });
  }
  const ImageRecord& image() {
    const auto all = core->states().at(kRegion).all<ImageRecord>();
    return *std::ranges::find(all, "web", &ImageRecord::name);
  }
  bool runs() { return machines.list()->front().state == host::MachineState::Running; }

  std::unique_ptr<runtime::Runtime> runtime = runtime::Runtime::manual();
  base::ManualClock clock;
  base::SeededRandom random{5};
  store::FaultyStore store;
  host::FakeNetwork network;
  host::FakeMachines machines{clock};
  std::unique_ptr<Core> core;
  std::unique_ptr<ImageKeeper> keeper;
};

TEST_F(KeptImages, PendingImageIsSavedWhileItsInstanceRuns) {
  make_image(true);
  EXPECT_EQ(image().state, ImageState::Available);
  EXPECT_EQ(*machines.images(), std::vector<std::string>{image().id.value});
  EXPECT_TRUE(runs());
  EXPECT_TRUE(keeper->quiet());
}

TEST_F(KeptImages, InstanceIsShutDownForTheSavingAndRebooted) {
  make_image(false);
  EXPECT_EQ(image().state, ImageState::Available);
  EXPECT_FALSE(runs());
  EXPECT_TRUE((*core->states().at(kRegion).all<InstanceRecord>().begin()).reboot_wanted);
}

TEST_F(KeptImages, LayerOfAnEarlierDaemonMakesItsImageAvailable) {
  end();
  // It had saved the layer and died before it said so.
  begin();
  machines.fail_call(1);
  make_image(true);
  ASSERT_EQ(image().state, ImageState::Pending);
  const std::string id = image().id.value;
  end();
  run([](host::Machines& machines, std::string name) -> runtime::Task<void> {
    EXPECT_TRUE((co_await machines.save_image(running_instance().id.value, name)).has_value());
  }(machines, id));
  const std::size_t calls = machines.calls();
  begin();
  EXPECT_EQ(image().state, ImageState::Available);
  EXPECT_EQ(machines.calls(), calls);
}

TEST_F(KeptImages, FailureIsTriedAgain) {
  machines.fail_call(1);
  make_image(true);
  EXPECT_EQ(image().state, ImageState::Pending);
  pass(std::chrono::seconds(3));
  EXPECT_EQ(image().state, ImageState::Available);
}

TEST_F(KeptImages, InstanceThatIsGoneFailsTheImage) {
  change([](Transaction& transaction) {
    transaction.put(running_instance());
    return create_image(
        transaction,
        {.instance_id = running_instance().id.value, .name = "web", .no_reboot = true});
  });
  pass(std::chrono::seconds(10));
  EXPECT_EQ(image().state, ImageState::Failed);
}

TEST_F(KeptImages, LayerGoesWithItsLastUser) {
  make_image(true);
  change([id = image().id](Transaction& transaction) {
    return deregister_image(transaction, {.image_id = id.value});
  });
  EXPECT_TRUE(machines.images()->empty());
}

}  // namespace
}  // namespace terrarium::ec2
