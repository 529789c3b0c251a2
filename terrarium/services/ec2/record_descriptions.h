// The members of every record, for record_json.h: a member that is missing here is not stored.
#pragma once

#include <boost/describe.hpp>

#include "terrarium/services/ec2/compute_records.h"
#include "terrarium/services/ec2/records.h"

namespace terrarium::ec2 {

BOOST_DESCRIBE_STRUCT(CidrAssociationRecord, (), (id, cidr))
BOOST_DESCRIBE_STRUCT(VpcRecord, (),
                      (id, cidrs, is_default, dns_support, dns_hostnames,
                       network_address_usage_metrics, dhcp_options, tags))
BOOST_DESCRIBE_STRUCT(SubnetRecord, (),
                      (id, vpc, cidr, zone, is_default, map_public_ip_on_launch, hostname_type,
                       resource_name_dns_a_record, network_acl_association, network_acl, tags))
BOOST_DESCRIBE_ENUM(RouteTarget, Local, InternetGateway, NatGateway, NetworkInterface, Instance)
BOOST_DESCRIBE_STRUCT(RouteRecord, (), (destination, target, target_id, created_with_table))
BOOST_DESCRIBE_STRUCT(RouteTableAssociationRecord, (), (id, subnet))
BOOST_DESCRIBE_STRUCT(RouteTableRecord, (), (id, vpc, routes, associations, client_token, tags))
BOOST_DESCRIBE_STRUCT(InternetGatewayRecord, (), (id, vpc, tags))
BOOST_DESCRIBE_STRUCT(NetworkAclEntryRecord, (),
                      (number, egress, allow, protocol, cidr, ipv6_cidr, from, to, icmp_type,
                       icmp_code))
BOOST_DESCRIBE_STRUCT(NetworkAclRecord, (), (id, vpc, is_default, entries, client_token, tags))
BOOST_DESCRIBE_STRUCT(SecurityGroupRuleRecord, (),
                      (id, egress, protocol, from, to, cidr, ipv6_cidr, group, description, tags))
BOOST_DESCRIBE_STRUCT(SecurityGroupRecord, (), (id, vpc, name, description, rules, tags))
BOOST_DESCRIBE_STRUCT(NetworkInterfaceAttachmentRecord, (),
                      (id, instance, instance_owner, device_index, delete_on_termination, time))
BOOST_DESCRIBE_STRUCT(NetworkInterfaceRecord, (),
                      (id, vpc, subnet, mac, address, secondary_addresses, groups, description,
                       type, requester, source_dest_check, attachment, dns_names,
                       lent_public_address, client_token, tags))
BOOST_DESCRIBE_STRUCT(AddressRecord, (),
                      (id, public_address, association, network_interface, private_address, tags))
BOOST_DESCRIBE_ENUM(NatGatewayState, Pending, Available, Deleting, Deleted, Failed)
BOOST_DESCRIBE_STRUCT(NatGatewayRecord, (),
                      (id, vpc, subnet, state, is_public, allocation, association,
                       network_interface, address, public_address, created, deleted, client_token,
                       tags))
BOOST_DESCRIBE_STRUCT(DhcpOptionsRecord, (), (id, configurations, tags))

BOOST_DESCRIBE_STRUCT(KeyPairRecord, (), (id, name, type, fingerprint, public_key, created, tags))
BOOST_DESCRIBE_ENUM(ImageState, Pending, Available, Failed, Deregistered)
BOOST_DESCRIBE_STRUCT(ImageRecord, (),
                      (id, name, description, owner, state, failure, layers, is_public,
                       launch_users, source_instance, reboot_source, snapshot, volume_gib, created,
                       client_token, tags, snapshot_tags))
BOOST_DESCRIBE_STRUCT(LaunchTemplateVersionRecord, (),
                      (number, description, created, created_by, client_token, data))
BOOST_DESCRIBE_STRUCT(LaunchTemplateRecord, (),
                      (id, name, created, created_by, default_version, latest_version, versions,
                       client_token, tags))
BOOST_DESCRIBE_ENUM(InstanceStateName, Pending, Running, ShuttingDown, Terminated, Stopping,
                    Stopped)
BOOST_DESCRIBE_STRUCT(StateReasonRecord, (), (code, message))
BOOST_DESCRIBE_STRUCT(MetadataOptionsRecord, (),
                      (tokens_required, hop_limit, endpoint_enabled, instance_tags))
BOOST_DESCRIBE_STRUCT(ProfileAssociationRecord, (), (id, profile_arn, profile_id, time))
BOOST_DESCRIBE_STRUCT(InstanceRecord, (),
                      (id, reservation, launch_index, client_token, request_digest, requester,
                       image, layers, type, state, state_reason, state_transition_reason,
                       reboot_wanted, stop_at_once, has_run, launched, state_changed, vpc, subnet,
                       zone, network_interfaces, private_address, lends_public_address, key_name,
                       public_key, user_data, profile, detailed_monitoring, disable_api_termination,
                       disable_api_stop, terminate_on_shutdown, ebs_optimized, unlimited_credits,
                       tenancy, metadata, volume, volume_attachment, launch_template,
                       launch_template_version, tags))
BOOST_DESCRIBE_STRUCT(VolumeModificationRecord, (), (gib, type, iops, throughput, time))
BOOST_DESCRIBE_STRUCT(VolumeRecord, (),
                      (id, instance, zone, device, type, gib, iops, throughput, encrypted,
                       delete_on_termination, attached, snapshot, created, modification, tags))

}  // namespace terrarium::ec2
