// Rules of instances, and the plan of their machines, with plain calls.
#include <gtest/gtest.h>

#include <set>

#include "generated/ec2/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/instance_attributes.h"
#include "terrarium/services/ec2/instance_plan.h"
#include "terrarium/services/ec2/instance_rules.h"
#include "terrarium/services/ec2/instance_types.h"
#include "terrarium/services/ec2/profile_rules.h"
#include "terrarium/services/ec2/run_rules.h"
#include "terrarium/services/ec2/seed.h"
#include "terrarium/services/ec2/volume_rules.h"

namespace terrarium::ec2 {
namespace {

class OneProfile final : public InstanceProfiles {
 public:
  base::Result<std::optional<InstanceProfileFacts>> find(const std::string& name) const override {
    if (name == "roleless") return InstanceProfileFacts{kArn + name, "AIPA2", ""};
    if (name != "web") return std::nullopt;
    return InstanceProfileFacts{kArn + name, "AIPA1", "arn:aws:iam::000000000000:role/web"};
  }
  const std::string kArn = "arn:aws:iam::000000000000:instance-profile/";
};

class InstanceRules : public testing::Test {
 protected:
  InstanceRules() {
    Transaction transaction(state, scene());
    seed_region(transaction);
    transaction.take();
  }
  Scene scene() { return {"us-east-1", "000000000000", "arn:root", now, &random, nullptr}; }

  template <class Rule>
  auto change(Rule rule) {
    Transaction transaction(state, scene());
    auto answer = rule(transaction);
    if (answer.has_value()) transaction.take();
    return answer;
  }
  static RunInstancesRequest request(std::int32_t count = 1) {
    RunInstancesRequest made;
    made.image_id = std::string(kBaseImageId);
    made.instance_type = "t2.nano";
    made.min_count = count;
    made.max_count = count;
    return made;
  }
  base::Result<Reservation> run(const RunInstancesRequest& wanted) {
    return change(
        [&](Transaction& transaction) { return run_instances(transaction, wanted, profiles); });
  }
  std::string run_one() { return *run(request())->instances->front().instance_id; }
  const InstanceRecord& record(const std::string& id) {
    return *state.find<InstanceRecord>(InstanceId(id));
  }
  void enter(const std::string& id, base::Result<void> (*rule)(Transaction&, const InstanceId&)) {
    ASSERT_TRUE(change([&](Transaction& transaction) {
                  return rule(transaction, InstanceId(id));
                }).has_value());
  }
  template <class T>
  static std::string code(const base::Result<T>& answer) {
    if (answer.has_value()) return "";
    return answer.error().row == nullptr ? answer.error().message
                                         : std::string(answer.error().row->code);
  }
  SubnetRecord small_subnet(const std::string& cidr) {
    SubnetRecord subnet = *state.all<SubnetRecord>().begin();
    subnet.id = SubnetId("subnet-00000000000000001");
    subnet.cidr = cidr;
    subnet.is_default = false;
    subnet.map_public_ip_on_launch = false;
    change([&](Transaction& transaction) {
      transaction.put(subnet);
      return base::Result<void>();
    });
    return subnet;
  }
  auto stop(const std::string& id) {
    return change([&](Transaction& transaction) {
      return stop_instances(transaction, {.instance_ids = {id}});
    });
  }
  auto start(const std::string& id) {
    return change([&](Transaction& transaction) {
      return start_instances(transaction, {.instance_ids = {id}});
    });
  }
  auto terminate(const std::string& id) {
    return change([&](Transaction& transaction) {
      return terminate_instances(transaction, {.instance_ids = {id}});
    });
  }

  base::Timestamp now{std::chrono::seconds(1'700'000'000)};
  base::SeededRandom random{11};
  OneProfile profiles;
  State state;
};

TEST_F(InstanceRules, WithoutSubnetTheFirstDefaultSubnetAndItsGroupAreTaken) {
  const auto made = run(request());
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  const Instance& instance = made->instances->front();
  EXPECT_EQ(*instance.state->name, "pending");
  EXPECT_EQ(*instance.placement->availability_zone, "us-east-1a");
  const SubnetRecord& subnet = *state.find<SubnetRecord>(SubnetId(*instance.subnet_id));
  EXPECT_TRUE(Cidr::parse(subnet.cidr)->contains(*parse_ipv4(*instance.private_ip_address)));
  EXPECT_EQ(*instance.security_groups->front().group_name, "default");
  const InstanceNetworkInterface& eni = instance.network_interfaces->front();
  EXPECT_EQ(*eni.attachment->device_index, 0);
  EXPECT_TRUE(eni.association->public_ip->starts_with("203.0.113."));
  EXPECT_EQ(*instance.block_device_mappings->front().device_name, "/dev/xvda");
  EXPECT_EQ(*instance.metadata_options->state, "pending");
  EXPECT_EQ(*instance.state_reason->code, "pending");
}

TEST_F(InstanceRules, TheSameClientTokenGivesTheSameReservation) {
  auto wanted = request(2);
  wanted.client_token = "token";
  const auto first = run(wanted);
  const auto second = run(wanted);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(first->reservation_id, second->reservation_id);
  EXPECT_EQ(second->instances->size(), 2U);
  EXPECT_EQ(state.count<InstanceRecord>(), 2U);
  wanted.instance_type = "t2.micro";
  EXPECT_EQ(code(run(wanted)), "IdempotentParameterMismatch");
}

TEST_F(InstanceRules, AProfileMustExistAndHaveARole) {
  auto wanted = request();
  wanted.iam_instance_profile = IamInstanceProfileSpecification{.name = "ghost"};
  const auto refused = run(wanted);
  EXPECT_EQ(code(refused), "InvalidParameterValue");
  EXPECT_EQ(refused.error().message,
            "Value (ghost) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance "
            "Profile name");
  wanted.iam_instance_profile->name = "roleless";
  EXPECT_TRUE(run(wanted).error().message.ends_with("has no associated IAM Roles"));
  wanted.iam_instance_profile = IamInstanceProfileSpecification{.arn = profiles.kArn + "web"};
  EXPECT_TRUE(run(wanted).has_value());
  wanted.iam_instance_profile->arn = "arn:aws:iam::1:instance-profile/web";
  EXPECT_EQ(code(run(wanted)), "InvalidParameterValue");
}

TEST_F(InstanceRules, AnAddressIsGivenOnceAndNeverOneThatAwsKeeps) {
  small_subnet("172.31.250.0/28");
  auto wanted = request();
  wanted.subnet_id = "subnet-00000000000000001";
  for (const char* kept : {"172.31.250.0", "172.31.250.3", "172.31.250.15", "172.31.251.7"}) {
    wanted.private_ip_address = kept;
    EXPECT_EQ(code(run(wanted)), "InvalidParameterValue") << kept;
  }
  wanted.private_ip_address = "172.31.250.4";
  EXPECT_TRUE(run(wanted).has_value());
  EXPECT_EQ(code(run(wanted)), "InvalidIPAddress.InUse");
}

TEST_F(InstanceRules, AsManyAreLaunchedAsTheSubnetHasRoomFor) {
  small_subnet("172.31.250.0/28");
  auto wanted = request();
  wanted.subnet_id = "subnet-00000000000000001";
  wanted.max_count = 20;
  const auto made = run(wanted);
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  EXPECT_EQ(made->instances->size(), 11U);
  std::set<std::string> addresses;
  for (const Instance& one : *made->instances) addresses.insert(*one.private_ip_address);
  EXPECT_EQ(addresses.size(), 11U);
  EXPECT_EQ(code(run(wanted)), "InsufficientFreeAddressesInSubnet");
  EXPECT_EQ(state.count<InstanceRecord>(), 11U);
}

TEST_F(InstanceRules, WhatIsRefusedLeavesNothingBehind) {
  auto wanted = request(3);
  wanted.instance_market_options = InstanceMarketOptionsRequest{.market_type = "spot"};
  const auto refused = run(wanted);
  EXPECT_EQ(code(refused), "UnsupportedOperation");
  EXPECT_NE(refused.error().message.find("InstanceMarketOptions"), std::string::npos);
  EXPECT_EQ(state.count<InstanceRecord>(), 0U);
  EXPECT_EQ(state.count<NetworkInterfaceRecord>(), 0U);
}

TEST_F(InstanceRules, TheTemplateLiesUnderTheRequestsOwnFields) {
  LaunchTemplateRecord web{.id = LaunchTemplateId("lt-00000000000000001"), .name = "web"};
  web.default_version = 1;
  web.latest_version = 2;
  web.versions = {
      {.number = 1, .data = R"({"InstanceType":"t2.micro","ImageId":"ami-0deb1200000000001"})"},
      {.number = 2,
       .data = R"({"InstanceType":"t2.small","ImageId":"ami-0deb1200000000001","UserData":"aGk=",)"
               R"("Monitoring":{"Enabled":true},"TagSpecifications":[{"ResourceType":"instance",)"
               R"("Tags":[{"Key":"Name","Value":"web"},{"Key":"tier","Value":"front"}]}]})"}};
  change([&](Transaction& transaction) {
    transaction.put(web);
    return base::Result<void>();
  });
  RunInstancesRequest wanted;
  wanted.min_count = wanted.max_count = 1;
  wanted.launch_template = LaunchTemplateSpecification{.launch_template_name = "web"};
  const auto by_default = run(wanted);
  ASSERT_TRUE(by_default.has_value()) << base::describe(by_default.error());
  EXPECT_EQ(*by_default->instances->front().instance_type, "t2.micro");
  wanted.launch_template->version = "$Latest";
  wanted.instance_type = "t3.nano";
  wanted.tag_specifications = std::vector<TagSpecification>{
      {.resource_type = "instance", .tags = std::vector<Tag>{{.key = "Name", .value = "mine"}}}};
  const auto latest = run(wanted);
  ASSERT_TRUE(latest.has_value()) << base::describe(latest.error());
  const InstanceRecord& made = this->record(*latest->instances->front().instance_id);
  EXPECT_EQ(made.type, "t3.nano");
  EXPECT_EQ(made.user_data, "hi");
  EXPECT_TRUE(made.detailed_monitoring);
  EXPECT_EQ(made.tags.at("Name"), "mine");
  EXPECT_EQ(made.tags.at("tier"), "front");
  EXPECT_EQ(made.tags.at("aws:ec2launchtemplate:version"), "2");
  wanted.launch_template->version = "3";
  EXPECT_EQ(code(run(wanted)), "InvalidLaunchTemplateId.VersionNotFound");
}

TEST_F(InstanceRules, OnlyWhatRunsCanBeStoppedAndOnlyWhatIsStoppedStarted) {
  const std::string id = run_one();
  EXPECT_EQ(code(stop(id)), "IncorrectInstanceState");
  enter(id, instance_started);
  const auto stopping = stop(id);
  ASSERT_TRUE(stopping.has_value());
  EXPECT_EQ(*stopping->stopping_instances->front().previous_state->name, "running");
  EXPECT_EQ(*stopping->stopping_instances->front().current_state->code, 64);
  EXPECT_EQ(record(id).state_transition_reason, "User initiated (2023-11-14 22:13:20 GMT)");
  EXPECT_EQ(code(start(id)), "IncorrectInstanceState");
  enter(id, instance_stopped);
  EXPECT_TRUE(start(id).has_value());
  EXPECT_FALSE(record(id).state_reason.has_value());
  EXPECT_EQ(code(stop("i-00000000000000000")), "InvalidInstanceID.NotFound");
  EXPECT_EQ(code(stop("nonsense")), "InvalidInstanceID.Malformed");
}

TEST_F(InstanceRules, ALentAddressIsGivenBackWhenItStopsAndAnotherLentWhenItStarts) {
  const std::string id = run_one();
  enter(id, instance_started);
  const auto lent = [&] {
    return state.find<NetworkInterfaceRecord>(record(id).network_interfaces.front())
        ->lent_public_address;
  };
  EXPECT_FALSE(lent().empty());
  ASSERT_TRUE(stop(id).has_value());
  enter(id, instance_stopped);
  EXPECT_TRUE(lent().empty());
  ASSERT_TRUE(start(id).has_value());
  EXPECT_FALSE(lent().empty());
}

TEST_F(InstanceRules, ProtectionIsHonouredUntilItIsTakenAway) {
  auto wanted = request();
  wanted.disable_api_termination = true;
  const std::string id = *run(wanted)->instances->front().instance_id;
  EXPECT_EQ(code(terminate(id)), "OperationNotPermitted");
  ASSERT_TRUE(change([&](Transaction& transaction) {
                return modify_instance_attribute(
                    transaction,
                    {.disable_api_termination = AttributeBooleanValue{false}, .instance_id = id});
              }).has_value());
  EXPECT_TRUE(terminate(id).has_value());
}

TEST_F(InstanceRules, WhatIsTerminatedKeepsNothingAndIsForgottenAfterAnHour) {
  const std::string id = run_one();
  ASSERT_TRUE(terminate(id).has_value());
  enter(id, instance_removed);
  EXPECT_EQ(state.count<NetworkInterfaceRecord>(), 0U);
  EXPECT_EQ(state.count<VolumeRecord>(), 0U);
  const auto shown =
      describe_instances(state, {"us-east-1", "000000000000"}, {.instance_ids = {{id}}});
  ASSERT_TRUE(shown.has_value());
  EXPECT_EQ(*shown->reservations->front().instances->front().state->name, "terminated");
  now += kTerminatedKept;
  ASSERT_TRUE(change(sweep_terminated).has_value());
  EXPECT_EQ(state.count<InstanceRecord>(), 0U);
}

TEST_F(InstanceRules, FiltersFindByStateTagAndPublicAddress) {
  auto wanted = request();
  wanted.tag_specifications = std::vector<TagSpecification>{
      {.resource_type = "instance", .tags = std::vector<Tag>{{.key = "Name", .value = "bastion"}}}};
  const auto made = run(wanted);
  const std::string other = run_one();
  enter(other, instance_started);
  const auto count = [&](std::string name, std::string value) {
    const auto found = describe_instances(
        state, {"us-east-1", "000000000000"},
        {.filters = std::vector<Filter>{{std::move(name), std::vector<std::string>{value}}}});
    return found.has_value() ? found->reservations->size() : 99;
  };
  EXPECT_EQ(count("tag:Name", "bast*"), 1U);
  EXPECT_EQ(count("instance-state-name", "running"), 1U);
  EXPECT_EQ(count("ip-address", *made->instances->front().public_ip_address), 1U);
  EXPECT_EQ(count("instance-type", "t2.*"), 2U);
  EXPECT_EQ(count("no-such-filter", "x"), 99U);
}

TEST_F(InstanceRules, StatusIsInitializingAtFirstAndOnlyOfWhatRuns) {
  const std::string id = run_one();
  EXPECT_TRUE(describe_instance_status(state, now, {})->instance_statuses->empty());
  enter(id, instance_started);
  const auto status = [&] {
    return *describe_instance_status(state, now, {})
                ->instance_statuses->front()
                .instance_status->status;
  };
  EXPECT_EQ(status(), "initializing");
  now += kStatusChecksAfter;
  EXPECT_EQ(status(), "ok");
}

TEST_F(InstanceRules, AVolumeGrowsAndNeverShrinks) {
  const std::string id = record(run_one()).volume.value;
  const auto resize = [&](std::int32_t gib) {
    return change([&](Transaction& transaction) {
      return modify_volume(transaction, {.volume_id = id, .size = gib});
    });
  };
  EXPECT_EQ(code(resize(4)), "InvalidParameterValue");
  ASSERT_TRUE(resize(20).has_value());
  const auto shown = describe_volumes_modifications(state, {});
  EXPECT_EQ(*shown->volumes_modifications->front().original_size, 8);
  EXPECT_EQ(*shown->volumes_modifications->front().target_size, 20);
}

TEST_F(InstanceRules, AnAssociationIsReplacedAndTakenAway) {
  const std::string id = run_one();
  const auto given = change([&](Transaction& transaction) {
    return associate_iam_instance_profile(
        transaction, {.iam_instance_profile = {.name = "web"}, .instance_id = id}, profiles);
  });
  ASSERT_TRUE(given.has_value());
  const std::string association = *given->iam_instance_profile_association->association_id;
  EXPECT_EQ(describe_iam_instance_profile_associations(state, {})
                ->iam_instance_profile_associations->size(),
            1U);
  const auto take = [&] {
    return change([&](Transaction& transaction) {
      return disassociate_iam_instance_profile(transaction, {.association_id = association});
    });
  };
  EXPECT_TRUE(take().has_value());
  EXPECT_EQ(code(take()), "NoSuchAssociation");
}

TEST_F(InstanceRules, ATypeThatDoesNotExistIsRefused) {
  EXPECT_EQ(code(describe_instance_types({.instance_types = {{"t2.pico"}}})),
            "InvalidInstanceType");
  const auto nano = describe_instance_types({.instance_types = {{"t2.nano"}}});
  EXPECT_TRUE(*nano->instance_types->front().burstable_performance_supported);
}

TEST_F(InstanceRules, TheMachineHasItsTypesLimitsAndItsAddressName) {
  auto wanted = request();
  wanted.user_data = base::base64_encode("#!/bin/sh");
  wanted.private_ip_address = "172.31.0.23";
  const std::string id = *run(wanted)->instances->front().instance_id;
  const host::MachineSpec spec =
      machine_spec(state, "us-east-1", record(id), {.cpu_millis_per_vcpu = 500}, "/run/netns/x");
  EXPECT_EQ(spec.hostname, "ip-172-31-0-23");
  EXPECT_EQ(spec.domain, "ec2.internal");
  EXPECT_EQ(spec.nameserver, "172.31.0.2");
  EXPECT_EQ(spec.limits.cpu_millis, 500U);
  EXPECT_EQ(spec.limits.memory_bytes, 512ULL << 20);
  EXPECT_EQ(spec.limits.disk_bytes, 8ULL << 30);
  EXPECT_EQ(spec.boot->user_data, "#!/bin/sh");
  EXPECT_EQ(spec.env.at("AWS_REGION"), "us-east-1");
}

TEST_F(InstanceRules, WhatAMachineDidDecidesTheNextStep) {
  InstanceRecord instance{.state = InstanceStateName::Running};
  host::MachineStatus machine{.state = host::MachineState::Running};
  EXPECT_EQ(next_step(instance, &machine), InstanceStep::None);
  EXPECT_EQ(next_step(instance, nullptr), InstanceStep::StartAgain);
  machine.state = host::MachineState::Stopped;
  EXPECT_EQ(next_step(instance, &machine), InstanceStep::StartAgain);
  machine.last_exit = "exit 0";
  EXPECT_EQ(next_step(instance, &machine), InstanceStep::NoteEnd);
  machine.last_exit = host::kRebootExit;
  EXPECT_EQ(next_step(instance, &machine), InstanceStep::NoteReboot);
  instance.reboot_wanted = true;
  EXPECT_EQ(next_step(instance, &machine), InstanceStep::Reboot);
  instance.state = InstanceStateName::Terminated;
  EXPECT_EQ(next_step(instance, &machine), InstanceStep::Remove);
  EXPECT_EQ(next_step(instance, nullptr), InstanceStep::None);
}

}  // namespace
}  // namespace terrarium::ec2
