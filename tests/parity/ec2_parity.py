"""EC2 by Debian's clients and by what really happens: instances that boot, packets that pass or do
not, a bastion, roles, and a daemon that is killed meanwhile.
"""
import json
import os
import pathlib
import subprocess
import unittest

from botocore.exceptions import ClientError

from harness import Region, eventually

BASE_IMAGE = "terrarium-debian-12-x86_64"
ANYWHERE = "0.0.0.0/0"
OPERATOR = "203.0.113.2/32"
BOOT_SECONDS = 30
WEB_SERVER = """#!/bin/bash
mkdir -p /srv/www && hostname > /srv/www/name
cd /srv/www && setsid python3 -m http.server 80 >/dev/null 2>&1 </dev/null &
echo user data ran
"""


class Net:
    """The original's network in small: a public and a private subnet, NAT, groups, a key."""

    def __init__(self, region, cidr="10.0"):
        self.region = region
        self.ec2 = region.client("ec2")
        ec2 = self.ec2
        self.vpc = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
        self.public, self.private = (ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=f"{cidr}.{number}.0/24",
            AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"] for number in (101, 1))
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        self.route(self.public, GatewayId=gateway)
        self.default_group = ec2.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["SecurityGroups"][0]["GroupId"]

    def route(self, subnet, **target):
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, **target)
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)

    def add_nat(self):
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = self.ec2.create_nat_gateway(SubnetId=self.public, AllocationId=address)[
            "NatGateway"]["NatGatewayId"]
        eventually(lambda: self.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0][
            "State"] == "available", 20, "the NAT gateway is not available")
        self.route(self.private, NatGatewayId=nat)

    def group(self, name, port=None, source=None):
        group = self.ec2.create_security_group(GroupName=name, Description=name,
                                               VpcId=self.vpc)["GroupId"]
        if port:
            self.allow(group, port, source)
        return group

    def allow(self, group, port, source):
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            self.permission(port, source)])

    @staticmethod
    def permission(port, source):
        peer = ({"UserIdGroupPairs": [{"GroupId": source}]} if source.startswith("sg-")
                else {"IpRanges": [{"CidrIp": source}]})
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}

    def run(self, subnet, groups, public=False, **more):
        image = self.ec2.describe_images(Owners=["amazon"], Filters=[
            {"Name": "name", "Values": [BASE_IMAGE]}])["Images"][0]["ImageId"]
        more.setdefault("ImageId", image)
        return self.ec2.run_instances(
            InstanceType="t2.nano", MinCount=1, MaxCount=1,
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, "Groups": groups,
                                "AssociatePublicIpAddress": public}], **more)["Instances"][0][
                                    "InstanceId"]

    def describe(self, instance):
        return self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0][
            "Instances"][0]

    def wait(self, instance, state="running"):
        eventually(lambda: self.describe(instance)["State"]["Name"] == state, BOOT_SECONDS,
                   f"{instance} is {self.describe(instance)['State']['Name']}, not {state}")
        return self.describe(instance)


class Ec2Region(Region):
    def outside(self, *command, timeout=30):
        """A program on the internet side, as the operator."""
        return subprocess.run([*self.arguments("exec"), "--", *command], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                              check=False)

    def ssh(self, host, *command, key, through=None):
        options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
                   "LogLevel=ERROR", "-o", "ConnectTimeout=4", "-o", "BatchMode=yes", "-i", key]
        words = ["ssh", *options]
        if through:
            words += ["-o", "ProxyCommand=" + " ".join(
                ["ssh", *options, "-W", "%h:%p", f"ec2-user@{through}"])]
        return self.outside(*words, f"ec2-user@{host}", *command)


@unittest.skipUnless(os.geteuid() == 0, "instances need root")
class Instances(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.region = Ec2Region()
        cls.addClassCleanup(cls.region.stop)
        cls.region.start()
        cls.net = Net(cls.region)
        cls.ec2 = cls.net.ec2
        cls.net.add_nat()
        cls.key = str(cls.region.state / "key.pem")
        made = cls.ec2.create_key_pair(KeyName="k", KeyType="ed25519")
        pathlib.Path(cls.key).write_text(made["KeyMaterial"])
        pathlib.Path(cls.key).chmod(0o600)
        cls.out = cls.net.default_group
        cls.http = cls.net.group("http", 80, ANYWHERE)
        cls.from_me = cls.net.group("ssh-from-my-ip", 22, OPERATOR)
        cls.bastion = cls.net.run(cls.net.public, [cls.from_me, cls.out], True, KeyName="k")
        at_bastion = cls.net.wait(cls.bastion)
        cls.bastion_address = at_bastion["PublicIpAddress"]
        cls.from_bastion = cls.net.group(
            "ssh-from-bastion", 22, at_bastion["PrivateIpAddress"] + "/32")
        cls.role()
        cls.web = cls.net.run(cls.net.private, [cls.from_bastion, cls.http], KeyName="k",
                              UserData=WEB_SERVER, IamInstanceProfile={"Name": "reader"})
        cls.web_address = cls.net.wait(cls.web)["PrivateIpAddress"]
        eventually(lambda: cls.on_bastion("true").returncode == 0, BOOT_SECONDS,
                   "no login at the bastion")
        eventually(lambda: cls.on_web("true").returncode == 0, BOOT_SECONDS,
                   "no login at the private instance")

    @classmethod
    def role(cls):
        iam, s3 = cls.region.client("iam"), cls.region.client("s3")
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole"}]}))
        iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"],
                 "Resource": ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]}]}))
        iam.create_instance_profile(InstanceProfileName="reader")
        iam.add_role_to_instance_profile(InstanceProfileName="reader", RoleName="reader")
        for bucket in ("mine", "other"):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="k.txt", Body=b"hello")

    @classmethod
    def on_bastion(cls, *command):
        return cls.region.ssh(cls.bastion_address, *command, key=cls.key)

    @classmethod
    def on_web(cls, *command):
        return cls.region.ssh(cls.web_address, *command, key=cls.key,
                              through=cls.bastion_address)

    def fetch(self, address, path="/name"):
        """From the bastion; empty when nothing answers."""
        return self.on_bastion("curl", "-s", "-m", "2", f"http://{address}{path}").stdout.strip()

    def test_the_private_instance_is_reached_through_the_bastion_only(self):
        self.assertEqual(self.on_web("whoami").stdout.strip(), "ec2-user")
        host = "ip-" + self.web_address.replace(".", "-")
        self.assertEqual(self.on_web("hostname").stdout.strip(), host)
        direct = self.region.ssh(self.web_address, "true", key=self.key)
        self.assertNotEqual(direct.returncode, 0, "a private instance was reached directly")

    def test_user_data_ran_and_the_console_shows_it(self):
        eventually(lambda: "user data ran" in self.ec2.get_console_output(InstanceId=self.web)[
            "Output"], 10, "user data's output is not on the console")
        eventually(lambda: self.fetch(self.web_address).startswith("ip-"), 20,
                   "the web server does not answer")

    def test_a_rule_that_is_revoked_lets_nothing_new_through(self):
        eventually(lambda: self.fetch(self.web_address), 20, "the web server does not answer")
        permission = [self.net.permission(80, ANYWHERE)]
        self.ec2.revoke_security_group_ingress(GroupId=self.http, IpPermissions=permission)
        self.assertEqual(self.fetch(self.web_address), "")
        self.ec2.authorize_security_group_ingress(GroupId=self.http, IpPermissions=permission)
        self.assertNotEqual(self.fetch(self.web_address), "")

    def test_groups_as_peers(self):
        group = self.net.group("only-friends")
        server = self.net.run(self.net.private, [group], KeyName="k",
                              UserData=WEB_SERVER)
        address = self.net.wait(server)["PrivateIpAddress"]
        self.assertEqual(self.fetch(address), "")
        self.net.allow(group, 80, self.from_me)
        eventually(lambda: self.fetch(address).startswith("ip-"), 20,
                   "a member of the group is not let in")
        self.ec2.terminate_instances(InstanceIds=[server])
        self.net.wait(server, "terminated")

    def test_out_through_nat_and_nothing_in(self):
        answer = self.on_web("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "5",
                             "https://sts.us-east-1.amazonaws.com/")
        self.assertIn(answer.stdout[:1], ("3", "4"), "the API is not reached through NAT")
        nat = self.ec2.describe_addresses()["Addresses"][0]["PublicIp"]
        refused = self.region.outside("curl", "-s", "-m", "2", f"http://{nat}/")
        self.assertNotEqual(refused.returncode, 0)

    def test_the_role_is_what_the_instance_may(self):
        listed = self.on_web("aws", "s3", "ls", "s3://mine")
        self.assertIn("k.txt", listed.stdout)
        denied = self.on_web("aws", "s3", "ls", "s3://other")
        self.assertNotEqual(denied.returncode, 0)
        self.assertIn("AccessDenied", denied.stdout)
        who = self.on_web("aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")
        self.assertIn(f":assumed-role/reader/{self.web}", who.stdout)

    def test_metadata_tells_the_instance_about_itself(self):
        token = "$(curl -s -X PUT -H X-aws-ec2-metadata-token-ttl-seconds:60 " \
                "http://169.254.169.254/latest/api/token)"
        told = self.on_web(f"curl -s -H X-aws-ec2-metadata-token:{token} "
                           "http://169.254.169.254/latest/meta-data/instance-id")
        self.assertEqual(told.stdout.strip(), self.web)

    def test_terrarium_ssh_finds_the_way(self):
        self.ec2.create_tags(Resources=[self.web], Tags=[{"Key": "Name", "Value": "web"}])
        done = subprocess.run([*self.region.arguments("ssh"), "-i", self.key, "web", "--",
                               "hostname"], text=True, capture_output=True, timeout=30,
                              check=False)
        self.assertTrue(done.stdout.startswith("ip-"), done.stdout + done.stderr)

    def test_a_killed_daemon_adopts_what_runs_and_finishes_what_was_begun(self):
        uptime = self.on_web("cat", "/proc/1/stat").stdout.split()[21]
        begun = self.net.run(self.net.private, [self.out], KeyName="k")
        self.region.kill()
        self.region.start()
        self.net.wait(begun)
        self.assertEqual(self.net.describe(self.web)["State"]["Name"], "running")
        eventually(lambda: self.on_web("true").returncode == 0, 20, "the web instance is lost")
        self.assertEqual(self.on_web("cat", "/proc/1/stat").stdout.split()[21], uptime)
        self.ec2.terminate_instances(InstanceIds=[begun])
        self.net.wait(begun, "terminated")

    def test_stop_start_and_the_image_of_an_instance(self):
        instance = self.net.run(self.net.private, [self.from_bastion, self.out], KeyName="k",
                                UserData="#!/bin/bash\necho made > /etc/made\n")
        address = self.net.wait(instance)["PrivateIpAddress"]

        def inside(host, *command):
            done = self.region.ssh(host, *command, key=self.key, through=self.bastion_address)
            return done.stdout.strip() if done.returncode == 0 else ""

        def read(host):
            return inside(host, "cat", "/etc/made")

        eventually(lambda: read(address) == "made", 20, "user data did not run")
        self.ec2.stop_instances(InstanceIds=[instance])
        self.net.wait(instance, "stopped")
        self.ec2.start_instances(InstanceIds=[instance])
        self.assertEqual(self.net.wait(instance)["PrivateIpAddress"], address)
        eventually(lambda: read(address) == "made", 20, "the disk was not kept")
        booted = inside(address, "stat", "-c", "%Y", "/proc/1")
        inside(address, "sudo", "reboot")
        eventually(lambda: inside(address, "stat", "-c", "%Y", "/proc/1") not in ("", booted), 20,
                   "it did not boot again")
        self.assertEqual(self.net.describe(instance)["State"]["Name"], "running")
        image = self.ec2.create_image(InstanceId=instance, Name="made")["ImageId"]
        eventually(lambda: self.ec2.describe_images(ImageIds=[image])["Images"][0]["State"] ==
                   "available", 30, "the image is not available")
        copy = self.net.run(self.net.private, [self.from_bastion, self.out], KeyName="k",
                            ImageId=image)
        copied = self.net.wait(copy)["PrivateIpAddress"]
        eventually(lambda: read(copied) == "made", 20, "the image is not what the instance was")
        self.ec2.terminate_instances(InstanceIds=[instance, copy])
        for one in (instance, copy):
            self.net.wait(one, "terminated")

    def test_two_vpcs_of_one_range_never_meet(self):
        other = Net(self.region)
        twin = other.ec2.run_instances(
            ImageId=self.net.describe(self.web)["ImageId"], InstanceType="t2.nano", MinCount=1,
            MaxCount=1, SubnetId=other.private, PrivateIpAddress=self.web_address,
            UserData=WEB_SERVER)["Instances"][0]["InstanceId"]
        self.assertEqual(other.wait(twin)["PrivateIpAddress"], self.web_address)
        eventually(lambda: self.fetch(self.web_address).startswith("ip-"), 20,
                   "the first VPC lost its instance")
        self.ec2.terminate_instances(InstanceIds=[twin])
        other.wait(twin, "terminated")

    def test_wrong_requests_are_refused_by_name(self):
        def code(call, **arguments):
            with self.assertRaises(ClientError) as caught:
                call(**arguments)
            return caught.exception.response["Error"]["Code"]

        self.assertEqual(code(self.ec2.describe_vpcs, VpcIds=["vpc-0123456789abcdef0"]),
                         "InvalidVpcID.NotFound")
        self.assertEqual(code(self.ec2.delete_subnet, SubnetId=self.net.private),
                         "DependencyViolation")
        self.assertEqual(code(self.ec2.authorize_security_group_ingress, GroupId=self.http,
                              IpPermissions=[self.net.permission(80, ANYWHERE)]),
                         "InvalidPermission.Duplicate")
        self.assertEqual(code(self.ec2.create_key_pair, KeyName="k"), "InvalidKeyPair.Duplicate")
        self.assertEqual(code(self.ec2.describe_instances, InstanceIds=["i-1"]),
                         "InvalidInstanceID.Malformed")

    def test_the_command_line_of_debian(self):
        listed = json.loads(self.region.cli(
            "ec2", "describe-instances", "--instance-ids", self.web))
        self.assertEqual(listed["Reservations"][0]["Instances"][0]["InstanceId"], self.web)
        zones = json.loads(self.region.cli("ec2", "describe-availability-zones"))
        self.assertEqual(zones["AvailabilityZones"][0]["ZoneName"], "us-east-1a")


if __name__ == "__main__":
    unittest.main()
