"""How fast EC2 is, as a client sees it: run inside a region, on its internet side.

    terrarium up && terrarium exec -- python3 tests/bench/ec2.py [--rounds 10]

Prints medians (and the best): RunInstances until the instance answers HTTP, a VPC with six subnets, a
security-group rule until it lets a connection through.
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

    def launch(self):
        began = time.monotonic()
        instance = self.ec2.run_instances(
            ImageId=self.image, InstanceType="t2.small", MinCount=1, MaxCount=1,
            UserData=WEB_SERVER, SecurityGroupIds=[self.group])["Instances"][0]["InstanceId"]
        address = None
        while address is None:
            address = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0][
                "Instances"][0].get("PublicIpAddress")
        if not answers(address, WAIT_S):
            raise SystemExit(f"{instance} does not answer at {address}")
        return time.monotonic() - began, instance, address

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
    rounds = range(parser.parse_args().rounds)
    bench = Bench()
    bench.ec2.authorize_security_group_ingress(GroupId=bench.group, IpPermissions=bench.rule)
    launched = [bench.launch() for _ in rounds]
    report("RunInstances to HTTP", [took for took, _, _ in launched])
    report("VPC with six subnets", [bench.vpc() for _ in rounds])
    report("rule authorised to HTTP", [bench.rule_change(launched[0][2]) for _ in rounds])
    bench.ec2.terminate_instances(InstanceIds=[instance for _, instance, _ in launched])


main()
