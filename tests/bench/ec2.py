"""How fast EC2 is, as a client sees it: run inside a region, on its internet side.

    terrarium up && terrarium exec -- python3 tests/bench/ec2.py [--rounds 10] [--many 50]

Prints medians (and the best): RunInstances until the instance answers HTTP, a VPC with six subnets, a
security-group rule until it lets a connection through; then the last two and a request's round trip
again beside so many instances, which one call launches.
"""
import argparse
import http.client
import statistics
import time

import boto3
from botocore.config import Config

ENDPOINT = "http://203.0.113.1"
ANYWHERE = "0.0.0.0/0"
WAIT_S = 30
WEB_SERVER = """#!/usr/bin/python3
import http.server
http.server.ThreadingHTTPServer(("", 80), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def answers(address, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection(address, 80, timeout=0.05)
            connection.request("HEAD", "/")
            connection.getresponse()
            return True
        except (OSError, http.client.HTTPException):
            time.sleep(0.002)
    return False


def report(what, seconds):
    print(f"{what:44} {1000 * statistics.median(seconds):7.1f} ms"
          f"  (best {1000 * min(seconds):.1f}, of {len(seconds)})")


class Bench:
    def __init__(self):
        self.ec2 = boto3.client("ec2", endpoint_url=ENDPOINT, region_name="us-east-1",
                                aws_access_key_id="test", aws_secret_access_key="test",
                                config=Config(retries={"max_attempts": 0}))
        self.image = self.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])[
            "Vpcs"][0]["VpcId"]
        self.group = self.ec2.create_security_group(
            GroupName=f"bench-{time.time()}", Description="bench", VpcId=vpc)["GroupId"]
        self.rule = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80,
                      "IpRanges": [{"CidrIp": ANYWHERE}]}]

    def launch(self, count=1):
        """Seconds until the last of them answered, their ids, their addresses."""
        began = time.monotonic()
        instances = [one["InstanceId"] for one in self.ec2.run_instances(
            ImageId=self.image, InstanceType="t2.nano", MinCount=count, MaxCount=count,
            UserData=WEB_SERVER, SecurityGroupIds=[self.group])["Instances"]]
        addresses = [self.address(instance) for instance in instances]
        for instance, address in zip(instances, addresses):
            if not answers(address, WAIT_S):
                raise SystemExit(f"{instance} does not answer at {address}")
        return time.monotonic() - began, instances, addresses

    def launch_and_end(self):
        took, instances, _ = self.launch()
        self.ec2.terminate_instances(InstanceIds=instances)
        return took

    def address(self, instance):
        while True:
            address = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0][
                "Instances"][0].get("PublicIpAddress")
            if address:
                return address

    def round_trip(self, address):
        connection = http.client.HTTPConnection(address, 80, timeout=5)
        began = time.monotonic()
        connection.request("HEAD", "/")
        connection.getresponse()
        return time.monotonic() - began

    def vpc(self):
        began = time.monotonic()
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"][
            "SubnetId"] for n in range(6)]
        took = time.monotonic() - began
        for subnet in subnets:
            self.ec2.delete_subnet(SubnetId=subnet)
        self.ec2.delete_vpc(VpcId=vpc)
        return took

    def rule_change(self, address):
        self.ec2.revoke_security_group_ingress(GroupId=self.group, IpPermissions=self.rule)
        if answers(address, 0.2):
            raise SystemExit("a revoked rule still lets through")
        began = time.monotonic()
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=self.rule)
        if not answers(address, WAIT_S):
            raise SystemExit("the rule does not let through")
        return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--many", type=int, default=0)
    options = parser.parse_args()
    rounds = range(options.rounds)
    bench = Bench()
    bench.ec2.authorize_security_group_ingress(GroupId=bench.group, IpPermissions=bench.rule)
    launched = [bench.launch() for _ in rounds]
    instances = [instance for _, ones, _ in launched for instance in ones]
    address = launched[0][2][0]
    report("RunInstances to HTTP", [took for took, _, _ in launched])
    report("VPC with six subnets", [bench.vpc() for _ in rounds])
    report("rule authorised to HTTP", [bench.rule_change(address) for _ in rounds])
    report("request to an instance", [bench.round_trip(address) for _ in range(100)])
    if options.many:
        took, more, _ = bench.launch(options.many)
        instances += more
        report(f"{options.many} instances at once to the last HTTP", [took])
        print(f"beside {len(instances)} instances:")
        report("VPC with six subnets", [bench.vpc() for _ in rounds])
        report("rule authorised to HTTP", [bench.rule_change(address) for _ in rounds])
        report("request to an instance", [bench.round_trip(address) for _ in range(100)])
        report("RunInstances to HTTP", [bench.launch_and_end() for _ in rounds])
    bench.ec2.terminate_instances(InstanceIds=instances)


main()
