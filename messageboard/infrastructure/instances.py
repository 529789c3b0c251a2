"""MessageBoard's machines: the image that the web servers start from, the bastion, the web API."""
import base64
import hashlib
import io
import json
import os
import pathlib
import sys
import tarfile
import time

from botocore.exceptions import ClientError

from network import BASTION_ADDRESS, NAME, named, only, tags_of
from pipeline import PROCESSED_BUCKET, RAW_BUCKET

HERE = pathlib.Path(__file__).resolve().parent
KEY_NAME = "messageboard"
INSTANCE_TYPE = "t2.nano"
ARTIFACTS_BUCKET = "messageboard-artifacts"
ARTIFACT = "messageboard-api.tar"
ROLE = "messageboard-web"
BUILDER_ROLE = "messageboard-image-builder"
BASE_IMAGE_NAME = "terrarium-debian-12-x86_64"
BUILD_WAIT_S = 180
START_WAIT_S = 120
READY = "messageboard image is ready"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
    "Action": "sts:AssumeRole"}]})
LIVE_STATES = ["pending", "running"]


class Instances:
    def __init__(self, region, network, key_file):
        self.region = region
        self.network = network
        self.ec2 = region.clients["ec2"]
        self.key_file = key_file

    def key_pair(self):
        """Made once; the private half stays beside the region's other secrets."""
        try:
            self.ec2.describe_key_pairs(KeyNames=[KEY_NAME])
            if self.key_file.exists():
                return
            self.ec2.delete_key_pair(KeyName=KEY_NAME)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidKeyPair.NotFound":
                raise
        made = self.ec2.create_key_pair(KeyName=KEY_NAME, KeyType="ed25519")
        descriptor = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(made["KeyMaterial"])

    def profile(self, name, statements):
        """A role for instances, and the profile of the same name that hands it to them."""
        iam = self.region.clients["iam"]
        try:
            iam.get_role(RoleName=name)
        except iam.exceptions.NoSuchEntityException:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam.put_role_policy(RoleName=name, PolicyName="access", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": statements}))
        try:
            profile = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        except iam.exceptions.NoSuchEntityException:
            profile = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        if not profile["Roles"]:
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return name

    # The image.

    def image(self):
        """The image with the web API installed; made when what goes into it has changed."""
        program = (self.region.build / "bin/messageboard-api").read_bytes()
        provision = (HERE / "image/provision").read_text()
        base = self.ec2.describe_images(Owners=["amazon"], Filters=[
            {"Name": "name", "Values": [BASE_IMAGE_NAME]}])["Images"][0]["ImageId"]
        digest = hashlib.sha256(program + provision.encode() + base.encode()).hexdigest()[:16]
        name = f"{NAME}-{digest}"
        found = [image for image in self.ec2.describe_images(
            Owners=["self"], Filters=[{"Name": "name", "Values": [f"{NAME}-*"]}])["Images"]
            if image["State"] in ("available", "pending")]
        for image in found:
            if image["Name"] == name:
                self.ec2.get_waiter("image_available").wait(ImageIds=[image["ImageId"]])
                return image["ImageId"]
        made = self.build_image(base, name, program, provision)
        for image in found:
            self.ec2.deregister_image(ImageId=image["ImageId"])
        return made

    def upload(self, program):
        s3 = self.region.clients["s3"]
        try:
            s3.head_bucket(Bucket=ARTIFACTS_BUCKET)
        except ClientError:
            where = {} if self.region.name == "us-east-1" else {
                "CreateBucketConfiguration": {"LocationConstraint": self.region.name}}
            s3.create_bucket(Bucket=ARTIFACTS_BUCKET, **where)
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo("messageboard-api")
            entry.size, entry.mode = len(program), 0o755
            tar.addfile(entry, io.BytesIO(program))
        s3.put_object(Bucket=ARTIFACTS_BUCKET, Key=ARTIFACT, Body=archive.getvalue())

    def build_image(self, base, name, program, provision):
        self.upload(program)
        profile = self.profile(BUILDER_ROLE, [
            {"Effect": "Allow", "Action": "s3:GetObject",
             "Resource": f"arn:aws:s3:::{ARTIFACTS_BUCKET}/{ARTIFACT}"}])
        script = provision.replace("@ARTIFACT@", f"s3://{ARTIFACTS_BUCKET}/{ARTIFACT}").replace(
            "@READY@", READY)
        # Its script shuts it down: a builder that stands still has finished, or failed.
        builder = self.ec2.run_instances(
            ImageId=base, InstanceType="t2.small", MinCount=1, MaxCount=1, UserData=script,
            SubnetId=self.network.private["a"], SecurityGroupIds=[self.network.groups["all-egress"]],
            IamInstanceProfile={"Name": profile},
            TagSpecifications=tags_of("instance", f"{NAME}-image-builder"),
        )["Instances"][0]["InstanceId"]
        try:
            self.wait_for_state(builder, "stopped", BUILD_WAIT_S)
            if READY not in self.console(builder):
                sys.exit(f"error: the image could not be made:\n{self.console(builder)}")
            image = self.ec2.create_image(InstanceId=builder, Name=name,
                                          TagSpecifications=tags_of("image", name))["ImageId"]
            self.wait_for_image(image)
            return image
        finally:
            self.ec2.terminate_instances(InstanceIds=[builder])

    def wait_for_image(self, image):
        deadline = time.monotonic() + BUILD_WAIT_S
        while time.monotonic() < deadline:
            state = self.ec2.describe_images(ImageIds=[image])["Images"][0]["State"]
            if state == "available":
                return
            if state == "failed":
                break
            time.sleep(0.1)
        sys.exit(f"error: image {image} did not become available")

    def wait_for_state(self, instance, wanted, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            now = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0][
                "Instances"][0]
            if now["State"]["Name"] == wanted:
                return now
            if now["State"]["Name"] == "terminated":
                break
            time.sleep(0.1)
        sys.exit(f"error: instance {instance} did not become {wanted}: "
                 f"{now.get('StateReason', {}).get('Message', now['State']['Name'])}\n"
                 f"{self.console(instance)}")

    def console(self, instance):
        text = self.ec2.get_console_output(InstanceId=instance).get("Output", "")
        return text[-4000:]

    # What runs.

    def running(self, name):
        return [one for reservation in self.ec2.describe_instances(
            Filters=named(name) + [{"Name": "instance-state-name", "Values": LIVE_STATES}])[
                "Reservations"] for one in reservation["Instances"]]

    def bastion(self):
        if only(self.running(f"{NAME}-bastion"), "the bastion"):
            return
        base = self.ec2.describe_images(Owners=["amazon"], Filters=[
            {"Name": "name", "Values": [BASE_IMAGE_NAME]}])["Images"][0]["ImageId"]
        groups = self.network.groups
        self.ec2.run_instances(
            ImageId=base, InstanceType=INSTANCE_TYPE, MinCount=1, MaxCount=1, KeyName=KEY_NAME,
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": self.network.public["a"],
                                "AssociatePublicIpAddress": True,
                                "PrivateIpAddress": BASTION_ADDRESS,
                                "Groups": [groups["ssh-from-my-ip"], groups["all-egress"]]}],
            TagSpecifications=tags_of("instance", f"{NAME}-bastion"))

    def web(self, image, database):
        """One web server of that image and database; another that runs is replaced."""
        profile = self.profile(ROLE, [
            {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"],
             "Resource": f"arn:aws:s3:::{RAW_BUCKET}/*"},
            {"Effect": "Allow", "Action": "s3:GetObject",
             "Resource": f"arn:aws:s3:::{PROCESSED_BUCKET}/*"},
            {"Effect": "Allow", "Action": "s3:ListBucket",
             "Resource": [f"arn:aws:s3:::{RAW_BUCKET}", f"arn:aws:s3:::{PROCESSED_BUCKET}"]}])
        script = (HERE / "image/start").read_text()
        for name, value in {
                "DB_URL": f"{database['host']}:{database['port']}", "DB_USER": database["user"],
                "DB_PASSWORD": database["password"], "DB_NAME": database["name"],
                "AWS_RAW_BUCKET_NAME": RAW_BUCKET,
                "AWS_PROCESSED_BUCKET_NAME": PROCESSED_BUCKET,
                "AWS_REGION": self.region.name,
                "PICTURE_URL": self.region.endpoint}.items():
            script = script.replace(f"@{name}@", value)
        kept = None
        for instance in self.running(f"{NAME}-web"):
            if kept is None and instance["ImageId"] == image and self.user_data(
                    instance["InstanceId"]) == script:
                kept = instance
            else:
                self.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        if kept is None:
            groups = self.network.groups
            kept = self.ec2.run_instances(
                ImageId=image, InstanceType=INSTANCE_TYPE, MinCount=1, MaxCount=1,
                KeyName=KEY_NAME, SubnetId=self.network.private["a"], UserData=script,
                SecurityGroupIds=[groups["ssh-from-bastion"], groups["all-egress"],
                                  groups["http"]],
                IamInstanceProfile={"Name": profile}, Monitoring={"Enabled": True},
                TagSpecifications=tags_of("instance", f"{NAME}-web"))["Instances"][0]
        return self.wait_for_state(kept["InstanceId"], "running", START_WAIT_S)[
            "PrivateIpAddress"]

    def user_data(self, instance):
        text = self.ec2.describe_instance_attribute(
            InstanceId=instance, Attribute="userData").get("UserData", {}).get("Value", "")
        return base64.b64decode(text).decode()
