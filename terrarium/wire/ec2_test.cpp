// EC2's dialect of the query protocol, from the form to the structure and back to XML.
#include <gtest/gtest.h>

#include <algorithm>

#include "generated/ec2/model.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/query.h"

namespace terrarium::wire {
namespace {

const OperationModel& operation_of(std::string_view name) {
  return *std::ranges::find(ec2::kModel.operations, name, &OperationModel::name);
}

template <class Input>
base::Result<Input> decode(std::string_view operation, std::string_view form) {
  TRY(const Parameters parameters, Parameters::parse(form));
  const OperationModel& model = operation_of(operation);
  Input input;
  DecodeReport report;
  TRY_VOID(decode_query(Protocol::Ec2, model, parameters, &input, report));
  TRY_VOID(validate(ec2::kModel, Protocol::Ec2, *model.input, &input, report));
  return input;
}

std::string encode(std::string_view operation, const void* output) {
  return encode_ec2(ec2::kModel, operation_of(operation), output, "r-1");
}

TEST(Ec2Decoding, ReadsALaunchByItsRequestNames) {
  const auto input = decode<ec2::RunInstancesRequest>(
      "RunInstances",
      "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=2"
      "&NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.AssociatePublicIpAddress=true"
      "&NetworkInterface.1.SecurityGroupId.1=sg-1&NetworkInterface.1.SecurityGroupId.2=sg-2"
      "&NetworkInterface.1.PrivateIpAddresses.1.PrivateIpAddress=10.0.0.4"
      "&NetworkInterface.1.Ipv6Addresses.1.Ipv6Address=%3A%3A1"
      "&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fxvda&BlockDeviceMapping.1.Ebs.VolumeSize=8"
      "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name"
      "&TagSpecification.1.Tag.1.Value=&Monitoring.Enabled=false&SecurityGroupId.1=sg-3");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->image_id, "ami-1");
  EXPECT_EQ(input->max_count, 2);
  ASSERT_EQ(input->network_interfaces->size(), 1u);
  const ec2::InstanceNetworkInterfaceSpecification& interface = input->network_interfaces->front();
  EXPECT_EQ(interface.associate_public_ip_address, true);
  EXPECT_EQ(interface.groups, (std::vector<std::string>{"sg-1", "sg-2"}));
  EXPECT_EQ(interface.private_ip_addresses->front().private_ip_address, "10.0.0.4");
  EXPECT_EQ(interface.ipv6_addresses->front().ipv6_address, "::1");
  EXPECT_EQ(input->block_device_mappings->front().ebs->volume_size, 8);
  EXPECT_EQ(input->tag_specifications->front().tags->front().value, "");
  EXPECT_FALSE(input->monitoring->enabled);
  EXPECT_EQ(input->security_group_ids, std::vector<std::string>{"sg-3"});
}

TEST(Ec2Decoding, ReadsFiltersInNumericOrder) {
  const auto input = decode<ec2::DescribeVpcsRequest>(
      "DescribeVpcs",
      "Filter.10.Name=c&Filter.2.Name=b&Filter.1.Name=a&Filter.1.Value.2=y&Filter.1.Value.1=x");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  ASSERT_EQ(input->filters->size(), 3u);
  EXPECT_EQ(input->filters->at(0).name, "a");
  EXPECT_EQ(input->filters->at(0).values, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(input->filters->at(1).name, "b");
  EXPECT_EQ(input->filters->at(2).name, "c");
}

TEST(Ec2Decoding, ReadsRulesOfSecurityGroups) {
  const auto input = decode<ec2::AuthorizeSecurityGroupEgressRequest>(
      "AuthorizeSecurityGroupEgress",
      "GroupId=sg-1&IpPermissions.1.IpProtocol=-1&IpPermissions.1.FromPort=-1"
      "&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0&IpPermissions.1.Groups.1.GroupId=sg-2");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  const ec2::IpPermission& permission = input->ip_permissions->front();
  EXPECT_EQ(permission.ip_protocol, "-1");
  EXPECT_EQ(permission.from_port, -1);
  EXPECT_EQ(permission.ip_ranges->front().cidr_ip, "0.0.0.0/0");
  EXPECT_EQ(permission.user_id_group_pairs->front().group_id, "sg-2");
  EXPECT_FALSE(permission.ipv6_ranges.has_value());
}

TEST(Ec2Decoding, ReadsBlobsAsBase64) {
  const auto input = decode<ec2::ImportKeyPairRequest>("ImportKeyPair",
                                                       "KeyName=k&PublicKeyMaterial=c3NoLXJzYSBB");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->public_key_material, "ssh-rsa A");
  EXPECT_FALSE(decode<ec2::ImportKeyPairRequest>("ImportKeyPair", "KeyName=k&PublicKeyMaterial=*")
                   .has_value());
}

TEST(Ec2Decoding, TellsAnAbsentListFromAnEmptyOne) {
  const auto absent = decode<ec2::DescribeVpcsRequest>("DescribeVpcs", "");
  ASSERT_TRUE(absent.has_value());
  EXPECT_FALSE(absent->vpc_ids.has_value());
  const auto empty = decode<ec2::DescribeVpcsRequest>("DescribeVpcs", "VpcId=");
  ASSERT_TRUE(empty.has_value()) << empty.error().message;
  ASSERT_TRUE(empty->vpc_ids.has_value());
  EXPECT_TRUE(empty->vpc_ids->empty());
}

TEST(Ec2Decoding, NamesTheMissingParameterAsRequestsDo) {
  const auto group = decode<ec2::CreateSecurityGroupRequest>("CreateSecurityGroup", "GroupName=g");
  ASSERT_FALSE(group.has_value());
  EXPECT_TRUE(group.error().is(errors::kMissingParameter));
  EXPECT_EQ(group.error().message, "The request must contain the parameter GroupDescription");
  const auto stop = decode<ec2::StopInstancesRequest>("StopInstances", "Force=true");
  ASSERT_FALSE(stop.has_value());
  EXPECT_EQ(stop.error().message, "The request must contain the parameter InstanceId");
  const auto template_ = decode<ec2::CreateLaunchTemplateRequest>(
      "CreateLaunchTemplate",
      "LaunchTemplateName=t&LaunchTemplateData.LicenseSpecification.1.LicenseConfigurationArn=a");
  EXPECT_TRUE(template_.has_value());
}

TEST(Ec2Decoding, RefusesAParameterThatNobodyKnows) {
  for (const char* name :
       {"Colour", "vpcId.1", "VpcIds.1", "VpcId.0", "VpcId.01", "VpcId.x", "VpcId.1.Id", "VpcId.",
        "VpcId.-1", "VpcId.4294967296", "Filters.1.Name", "Filter.1.Values.1", "Filter.1.name",
        "Filter.Name", "Filter.1", "VpcId.item.1", "VpcId.member.1", "filterSet.1"}) {
    const auto input =
        decode<ec2::DescribeVpcsRequest>("DescribeVpcs", std::string(name) + "=vpc-1");
    ASSERT_FALSE(input.has_value()) << name;
    EXPECT_TRUE(input.error().is(errors::kUnknownParameter)) << name;
    EXPECT_EQ(input.error().message, "The parameter " + std::string(name) + " is not recognized");
  }
}

TEST(Ec2Decoding, RefusesAListThatIsAPlainValue) {
  const auto input = decode<ec2::DescribeVpcsRequest>("DescribeVpcs", "VpcId=vpc-1");
  ASSERT_FALSE(input.has_value());
  EXPECT_EQ(input.error().message, "The parameter VpcId is not recognized");
}

TEST(Ec2Decoding, RefusesNumbersAndBooleansThatAreNone) {
  for (const char* pair : {"MaxResults=x", "MaxResults=", "MaxResults=1.5", "MaxResults=2147483648",
                           "DryRun=yes", "DryRun=1", "DryRun="}) {
    const auto input = decode<ec2::DescribeVpcsRequest>("DescribeVpcs", pair);
    ASSERT_FALSE(input.has_value()) << pair;
    EXPECT_TRUE(input.error().is(errors::kInvalidParameterValue)) << pair;
  }
}

TEST(Ec2Decoding, LargeIndicesTakeNoMoreRoomThanSmallOnes) {
  const auto input =
      decode<ec2::DescribeVpcsRequest>("DescribeVpcs", "VpcId.4294967295=b&VpcId.7=a");
  ASSERT_TRUE(input.has_value()) << input.error().message;
  EXPECT_EQ(input->vpc_ids, (std::vector<std::string>{"a", "b"}));
}

TEST(Ec2Decoding, RefusesRepeatedAndTooDeepNames) {
  const auto twice = decode<ec2::DescribeVpcsRequest>("DescribeVpcs", "VpcId.1=a&VpcId.1=b");
  ASSERT_FALSE(twice.has_value());
  EXPECT_TRUE(twice.error().is(errors::kMalformedQueryString));
  std::string deep = "Filter";
  for (int i = 0; i < 100; ++i) deep += ".1";
  EXPECT_FALSE(decode<ec2::DescribeVpcsRequest>("DescribeVpcs", deep + "=x").has_value());
}

TEST(Ec2Encoding, PrintsListsAsItemsAndTimesInMilliseconds) {
  ec2::Instance instance;
  instance.instance_id = "i-1";
  instance.ami_launch_index = 0;
  instance.ebs_optimized = false;
  instance.launch_time = base::Timestamp(std::chrono::seconds(1'682'785'191));
  instance.product_codes.emplace();
  instance.tags = std::vector{ec2::Tag{"a<b", ""}};
  ec2::Reservation reservation;
  reservation.reservation_id = "r-0";
  reservation.groups.emplace();
  reservation.instances = {instance};
  ec2::DescribeInstancesResult result;
  result.reservations = {reservation};
  EXPECT_EQ(encode("DescribeInstances", &result),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
            "<requestId>r-1</requestId><reservationSet><item><groupSet></groupSet><instancesSet>"
            "<item><amiLaunchIndex>0</amiLaunchIndex><instanceId>i-1</instanceId>"
            "<launchTime>2023-04-29T16:19:51.000Z</launchTime><productCodes></productCodes>"
            "<ebsOptimized>false</ebsOptimized><tagSet><item><key>a&lt;b</key><value></value>"
            "</item></tagSet></item></instancesSet><reservationId>r-0</reservationId></item>"
            "</reservationSet></DescribeInstancesResponse>");
}

TEST(Ec2Encoding, AnswersTrueWhereThereIsNoOutput) {
  EXPECT_EQ(encode("DeleteVpc", nullptr),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<DeleteVpcResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
            "<requestId>r-1</requestId><return>true</return></DeleteVpcResponse>");
}

TEST(Ec2Encoding, PrintsWrappedValuesAndAnAddedMember) {
  ec2::DescribeVpcAttributeResult attribute;
  attribute.vpc_id = "vpc-1";
  attribute.enable_dns_hostnames = ec2::AttributeBooleanValue{true};
  EXPECT_NE(encode("DescribeVpcAttribute", &attribute)
                .find("<enableDnsHostnames><value>true</value></enableDnsHostnames>"),
            std::string::npos);
  ec2::NatGateway gateway;
  gateway.nat_gateway_addresses = {ec2::NatGatewayAddress{.is_primary = true}};
  ec2::DescribeNatGatewaysResult result;
  result.nat_gateways = {gateway};
  EXPECT_NE(encode("DescribeNatGateways", &result)
                .find("<natGatewayAddressSet><item><isPrimary>true</isPrimary></item>"
                      "</natGatewayAddressSet>"),
            std::string::npos);
}

}  // namespace
}  // namespace terrarium::wire
