// What EC2 keeps of instances and what they are made from: see records.h.
#pragma once

#include "terrarium/services/ec2/records.h"

namespace terrarium::ec2 {

struct KeyPairRecord {
  using Id = KeyPairId;
  static constexpr std::string_view kKind = "key-pair";
  Id id;
  std::string name;
  std::string type;         // "rsa" or "ed25519"
  std::string fingerprint;  // as AWS computes it for the way the key came
  std::string public_key;   // an OpenSSH line
  base::Timestamp created;
  Tags tags;
};

enum class ImageState : std::uint8_t { Pending, Available, Failed, Deregistered };

struct ImageRecord {
  using Id = ImageId;
  static constexpr std::string_view kKind = "image";
  Id id;
  std::string name;
  std::string description;
  std::string owner;  // an account, or "amazon"
  ImageState state = ImageState::Available;
  std::string failure;
  std::vector<std::string> layers;  // of host::Machines, lowest first; none: the base system
  bool is_public = false;
  std::vector<std::string> launch_users;  // accounts that may launch it
  std::optional<InstanceId> source_instance;
  bool reboot_source = false;  // the instance is shut down for the saving, and rebooted
  SnapshotId snapshot;         // of its root device
  int volume_gib = 8;
  base::Timestamp created;
  std::string client_token;
  Tags tags;
  Tags snapshot_tags;
};

// `data` is ResponseLaunchTemplateData as the wire's JSON codec prints it.
struct LaunchTemplateVersionRecord {
  std::int64_t number = 1;
  std::string description;
  base::Timestamp created;
  std::string created_by;
  std::string client_token;
  std::string data;
};

struct LaunchTemplateRecord {
  using Id = LaunchTemplateId;
  static constexpr std::string_view kKind = "launch-template";
  Id id;
  std::string name;
  base::Timestamp created;
  std::string created_by;
  std::int64_t default_version = 1;
  std::int64_t latest_version = 1;  // numbers are never given twice
  std::vector<LaunchTemplateVersionRecord> versions;
  std::string client_token;
  Tags tags;
};

enum class InstanceStateName : std::uint8_t {
  Pending,
  Running,
  ShuttingDown,
  Terminated,
  Stopping,
  Stopped,
};

struct StateReasonRecord {
  std::string code;  // "Client.UserInitiatedShutdown"
  std::string message;
};

struct MetadataOptionsRecord {
  bool tokens_required = false;
  int hop_limit = 1;
  bool endpoint_enabled = true;
  bool instance_tags = false;
};

struct ProfileAssociationRecord {
  ProfileAssociationId id;
  std::string profile_arn;
  std::string profile_id;
  base::Timestamp time;
};

struct InstanceRecord {
  using Id = InstanceId;
  static constexpr std::string_view kKind = "instance";
  Id id;
  ReservationId reservation;
  int launch_index = 0;
  std::string client_token;
  std::string request_digest;  // of what the client token was sent with
  std::string requester;       // empty: a user; else "autoscaling.amazonaws.com"
  ImageId image;
  std::vector<std::string> layers;  // the image's, as it was at launch
  std::string type;                 // "t2.nano"
  InstanceStateName state = InstanceStateName::Pending;
  std::optional<StateReasonRecord> state_reason;
  std::string state_transition_reason;  // "User initiated (2023-04-29 16:46:54 GMT)"
  // A running instance that must be stopped and started again.
  bool reboot_wanted = false;
  bool stop_at_once = false;  // StopInstances' Force
  bool has_run = false;       // since it was made: its first start succeeded
  base::Timestamp launched;
  std::optional<base::Timestamp> state_changed;
  VpcId vpc;
  SubnetId subnet;
  std::string zone;                                    // the subnet's
  std::vector<NetworkInterfaceId> network_interfaces;  // by device index
  std::string private_address;                         // kept when it has been terminated
  bool lends_public_address = false;  // while it runs, unless it has an elastic one
  std::string key_name;
  std::string public_key;
  std::string user_data;  // decoded
  std::optional<ProfileAssociationRecord> profile;
  bool detailed_monitoring = false;
  bool disable_api_termination = false;
  bool disable_api_stop = false;
  bool terminate_on_shutdown = false;  // InstanceInitiatedShutdownBehavior
  bool ebs_optimized = false;
  bool unlimited_credits = false;
  std::string tenancy = "default";
  MetadataOptionsRecord metadata;
  VolumeId volume;
  AttachmentId volume_attachment;
  std::optional<LaunchTemplateId> launch_template;  // that it was launched with
  std::int64_t launch_template_version = 0;
  Tags tags;
};

// The last change of a volume, which was done at once.
struct VolumeModificationRecord {
  int gib = 0;  // before; after: the volume's
  std::string type;
  std::optional<int> iops;
  std::optional<int> throughput;
  base::Timestamp time;
};

// An instance's root disk.
struct VolumeRecord {
  using Id = VolumeId;
  static constexpr std::string_view kKind = "volume";
  Id id;
  InstanceId instance;
  std::string zone;
  std::string device = "/dev/xvda";
  std::string type = "gp2";
  int gib = 8;
  std::optional<int> iops;
  std::optional<int> throughput;
  bool encrypted = false;
  bool delete_on_termination = true;
  bool attached = true;
  SnapshotId snapshot;
  base::Timestamp created;
  std::optional<VolumeModificationRecord> modification;
  Tags tags;
};

}  // namespace terrarium::ec2
