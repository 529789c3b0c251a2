"""MessageBoard's network, as the original's: a VPC over three zones with a public and a private
subnet each, an internet gateway, one NAT gateway, six security groups. Resources are found again by
their Name tag; what is as it should be is left alone.
"""
import sys
import time

from botocore.exceptions import ClientError

NAME = "messageboard"
VPC_CIDR = "10.0.0.0/16"
ZONES = ("a", "b", "c")
PRIVATE_CIDRS = ("10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24")
PUBLIC_CIDRS = ("10.0.101.0/24", "10.0.102.0/24", "10.0.103.0/24")
ANYWHERE = "0.0.0.0/0"
# Who the operator is on Terrarium's internet side.
OPERATOR_CIDR = "203.0.113.2/32"
BASTION_ADDRESS = "10.0.101.33"
NAT_WAIT_S = 60


def tags_of(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def named(name, **filters):
    return [{"Name": "tag:Name", "Values": [name]},
            *({"Name": key.replace("_", "-"), "Values": [value]} for key, value in filters.items())]


def only(found, what):
    if len(found) > 1:
        sys.exit(f"error: there are {len(found)} of {what}; one is expected")
    return found[0] if found else None


class Network:
    def __init__(self, region):
        self.region = region
        self.ec2 = region.clients["ec2"]
        self.vpc = ""
        self.public = {}   # zone letter -> subnet id
        self.private = {}
        self.groups = {}   # name -> group id

    def run(self):
        self.make_vpc()
        self.make_subnets()
        gateway = self.make_internet_gateway()
        nat = self.make_nat_gateway()
        self.make_routes("public", self.public, {"GatewayId": gateway})
        self.make_routes("private", self.private, {"NatGatewayId": nat})
        self.make_groups()

    def make_vpc(self):
        found = only(self.ec2.describe_vpcs(Filters=named(NAME))["Vpcs"], f"VPC {NAME}")
        if found is None:
            found = self.ec2.create_vpc(CidrBlock=VPC_CIDR,
                                        TagSpecifications=tags_of("vpc", NAME))["Vpc"]
            self.ec2.get_waiter("vpc_available").wait(VpcIds=[found["VpcId"]])
        self.vpc = found["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})

    def make_subnets(self):
        for kind, cidrs, made in (("public", PUBLIC_CIDRS, self.public),
                                  ("private", PRIVATE_CIDRS, self.private)):
            for zone, cidr in zip(ZONES, cidrs):
                name = f"{NAME}-{kind}-{self.region.name}{zone}"
                found = only(self.ec2.describe_subnets(
                    Filters=named(name, vpc_id=self.vpc))["Subnets"], name)
                if found is None:
                    found = self.ec2.create_subnet(
                        VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=self.region.name + zone,
                        TagSpecifications=tags_of("subnet", name))["Subnet"]
                made[zone] = found["SubnetId"]

    def make_internet_gateway(self):
        found = only(self.ec2.describe_internet_gateways(
            Filters=named(NAME))["InternetGateways"], f"internet gateway {NAME}")
        if found is None:
            found = self.ec2.create_internet_gateway(
                TagSpecifications=tags_of("internet-gateway", NAME))["InternetGateway"]
        if not found.get("Attachments"):
            self.ec2.attach_internet_gateway(InternetGatewayId=found["InternetGatewayId"],
                                             VpcId=self.vpc)
        return found["InternetGatewayId"]

    def make_address(self):
        found = only(self.ec2.describe_addresses(Filters=named(NAME))["Addresses"],
                     f"elastic address {NAME}")
        if found is None:
            found = self.ec2.allocate_address(Domain="vpc",
                                              TagSpecifications=tags_of("elastic-ip", NAME))
        return found["AllocationId"]

    def make_nat_gateway(self):
        found = only(self.ec2.describe_nat_gateways(Filter=named(NAME) + [
            {"Name": "state", "Values": ["pending", "available"]}])["NatGateways"],
            f"NAT gateway {NAME}")
        if found is None:
            found = self.ec2.create_nat_gateway(
                SubnetId=self.public["a"], AllocationId=self.make_address(),
                TagSpecifications=tags_of("natgateway", NAME))["NatGateway"]
        nat = found["NatGatewayId"]
        deadline = time.monotonic() + NAT_WAIT_S
        while time.monotonic() < deadline:
            state = self.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"]
            if state == "available":
                return nat
            if state != "pending":
                break
            time.sleep(0.1)
        sys.exit(f"error: NAT gateway {nat} did not become available")

    def make_routes(self, kind, subnets, target):
        name = f"{NAME}-{kind}"
        table = only(self.ec2.describe_route_tables(
            Filters=named(name, vpc_id=self.vpc))["RouteTables"], name)
        if table is None:
            table = self.ec2.create_route_table(
                VpcId=self.vpc, TagSpecifications=tags_of("route-table", name))["RouteTable"]
        table_id = table["RouteTableId"]
        route = next((one for one in table["Routes"]
                      if one.get("DestinationCidrBlock") == ANYWHERE), None)
        arguments = {"RouteTableId": table_id, "DestinationCidrBlock": ANYWHERE, **target}
        if route is None:
            self.ec2.create_route(**arguments)
        elif any(route.get(key) != value for key, value in target.items()):
            self.ec2.replace_route(**arguments)
        there = {one.get("SubnetId") for one in table["Associations"]}
        for subnet in subnets.values():
            if subnet not in there:
                self.ec2.associate_route_table(RouteTableId=table_id, SubnetId=subnet)

    def make_groups(self):
        default = self.ec2.describe_security_groups(Filters=[
            {"Name": "vpc-id", "Values": [self.vpc]},
            {"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]
        self.groups["default"] = default["GroupId"]
        self.make_group("http", "HTTP from anywhere", ingress=(80, ANYWHERE))
        self.make_group("postgresql", "PostgreSQL from the VPC", ingress=(5432, VPC_CIDR))
        self.make_group("all-egress", "Everything out", egress=True)
        self.make_group("ssh-from-bastion", "SSH from the bastion",
                        ingress=(22, f"{BASTION_ADDRESS}/32"))
        self.make_group("ssh-from-my-ip", "SSH from the operator", ingress=(22, OPERATOR_CIDR))

    def make_group(self, name, description, ingress=None, egress=False):
        found = only(self.ec2.describe_security_groups(Filters=[
            {"Name": "vpc-id", "Values": [self.vpc]},
            {"Name": "group-name", "Values": [name]}])["SecurityGroups"], name)
        if found is None:
            group = self.ec2.create_security_group(
                GroupName=name, Description=description, VpcId=self.vpc,
                TagSpecifications=tags_of("security-group", name))["GroupId"]
            if not egress:
                # AWS gives every new group a rule that lets everything out.
                self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[
                    {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}])
        else:
            group = found["GroupId"]
        self.groups[name] = group
        if ingress is None:
            return
        port, source = ingress
        try:
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
                 "IpRanges": [{"CidrIp": source}]}])
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidPermission.Duplicate":
                raise
