"""Who may do what, as boto3 sees it: identity policies, boundaries, session and resource policies."""
import json
import unittest

import boto3
import requests
from botocore.config import Config

from harness import RegionTest
from iam_parity import session_client, trust
from lambda_parity import package

ACCOUNT = "000000000000"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions, resources="*", **more):
    return {"Effect": "Deny", "Action": actions, "Resource": resources, **more}


class Authorisation(RegionTest):
    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1].replace("_", "-")[-40:].strip("-")
        self.iam = self.region.client("iam")
        self.s3 = self.region.client("s3")
        self.sqs = self.region.client("sqs")

    # The test's user, its policy, its clients.
    def user(self, *statements, **options):
        self.iam.create_user(UserName=self.name, **options)
        self.key = self.iam.create_access_key(UserName=self.name)["AccessKey"]
        if statements:
            self.may(*statements)

    def may(self, *statements):
        self.iam.put_user_policy(UserName=self.name, PolicyName="p",
                                 PolicyDocument=document(*statements))

    def own(self, service, **options):
        return self.region.client(service, key=self.key["AccessKeyId"],
                                  secret=self.key["SecretAccessKey"], **options)

    def role(self, *statements, trusted=None, **options):
        made = self.iam.create_role(
            RoleName=self.name, **options,
            AssumeRolePolicyDocument=trust(trusted or {"AWS": ACCOUNT}))["Role"]["Arn"]
        if statements:
            self.iam.put_role_policy(RoleName=self.name, PolicyName="p",
                                     PolicyDocument=document(*statements))
        return made

    def session(self, service, **options):
        made = self.region.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{self.name}", RoleSessionName="ss", **options)
        return session_client(self.region, service, made["Credentials"])

    def bucket(self, *keys):
        self.s3.create_bucket(Bucket=self.name)
        for key in keys:
            self.s3.put_object(Bucket=self.name, Key=key, Body=b"x")
        return f"arn:aws:s3:::{self.name}"

    def queue(self):
        url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{self.name}"

    def test_a_user_without_policies_may_do_nothing_but_ask_who_it_is(self):
        self.user()
        self.bucket("k")
        url, arn = self.queue()
        me = f"arn:aws:iam::{ACCOUNT}:user/{self.name}"
        self.assertEqual(self.own("sts").get_caller_identity()["Arn"], me)
        refused = self.refuses("AccessDenied", self.own("sqs").send_message, QueueUrl=url,
                               MessageBody="m")
        self.assertEqual(refused["Error"]["Message"],
                         f"User: {me} is not authorized to perform: sqs:SendMessage on resource: "
                         f"{arn} because no identity-based policy allows the sqs:SendMessage action")
        s3 = self.own("s3")
        refused = self.refuses("AccessDenied", s3.get_object, Bucket=self.name, Key="k")
        self.assertEqual(refused["Error"]["Message"],
                         f"User: {me} is not authorized to perform: s3:GetObject on resource: "
                         f"\"arn:aws:s3:::{self.name}/k\" because no identity-based policy allows "
                         "the s3:GetObject action")
        self.assertEqual(refused["ResponseMetadata"]["HTTPStatusCode"], 403)
        for call, arguments in [
                (s3.list_buckets, {}), (s3.create_bucket, {"Bucket": self.name + "-2"}),
                (s3.list_objects_v2, {"Bucket": self.name}),
                (s3.put_object, {"Bucket": self.name, "Key": "k"}),
                (s3.delete_object, {"Bucket": self.name, "Key": "k"}),
                (s3.create_multipart_upload, {"Bucket": self.name, "Key": "k"}),
                (s3.get_bucket_policy, {"Bucket": self.name}),
                (s3.delete_bucket, {"Bucket": self.name}),
                (self.own("sqs").list_queues, {}), (self.own("iam").list_users, {}),
                (self.own("sqs").create_queue, {"QueueName": "other"})]:
            self.refuses("AccessDenied", call, **arguments)
        for call, arguments in [
                (self.own("logs").describe_log_groups, {}),
                (self.own("logs").create_log_group, {"logGroupName": "g"}),
                (self.own("lambda").list_functions, {})]:
            self.refuses("AccessDeniedException", call, **arguments)
        self.refuses("403", s3.head_object, Bucket=self.name, Key="k")
        self.refuses("403", s3.head_bucket, Bucket=self.name)

    def test_objects_are_allowed_by_prefix(self):
        bucket = self.bucket("mine/a", "theirs/b")
        self.user(allow(["s3:GetObject", "s3:PutObject"], f"{bucket}/mine/*"))
        s3 = self.own("s3")
        self.assertEqual(s3.get_object(Bucket=self.name, Key="mine/a")["Body"].read(), b"x")
        self.refuses("AccessDenied", s3.get_object, Bucket=self.name, Key="theirs/b")
        upload = s3.create_multipart_upload(Bucket=self.name, Key="mine/c")["UploadId"]
        part = s3.upload_part(Bucket=self.name, Key="mine/c", UploadId=upload, PartNumber=1,
                              Body=b"y")
        s3.complete_multipart_upload(
            Bucket=self.name, Key="mine/c", UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
        s3.copy_object(Bucket=self.name, Key="mine/d", CopySource=f"{self.name}/mine/a")
        self.refuses("AccessDenied", s3.copy_object, Bucket=self.name, Key="mine/e",
                     CopySource=f"{self.name}/theirs/b")
        self.refuses("AccessDenied", s3.copy_object, Bucket=self.name, Key="theirs/e",
                     CopySource=f"{self.name}/mine/a")
        self.refuses("AccessDenied", s3.put_object, Bucket=self.name, Key="mine/f",
                     Tagging="a=b")
        self.refuses("AccessDenied", s3.put_object, Bucket=self.name, Key="mine/f",
                     ACL="bucket-owner-full-control")

    def test_who_may_not_list_does_not_learn_what_is_missing(self):
        bucket = self.bucket()
        self.user(allow("s3:GetObject", f"{bucket}/*"))
        self.refuses("403", self.own("s3").head_object, Bucket=self.name, Key="gone")
        self.refuses("AccessDenied", self.own("s3").get_object, Bucket=self.name, Key="gone")
        self.may(allow("s3:GetObject", f"{bucket}/*"), allow("s3:ListBucket", bucket))
        self.refuses("404", self.own("s3").head_object, Bucket=self.name, Key="gone")
        self.refuses("NoSuchKey", self.own("s3").get_object, Bucket=self.name, Key="gone")

    def test_listing_is_an_action_of_the_bucket_with_its_own_keys(self):
        bucket = self.bucket("mine/a", "theirs/b")
        self.user(allow("s3:ListBucket", bucket,
                        Condition={"StringLike": {"s3:prefix": "${aws:username}/*"}}))
        s3 = self.own("s3")
        s3.list_objects_v2(Bucket=self.name, Prefix=f"{self.name}/")
        self.refuses("AccessDenied", s3.list_objects_v2, Bucket=self.name, Prefix="theirs/")
        self.refuses("AccessDenied", s3.list_objects_v2, Bucket=self.name)

    def test_each_key_of_a_multiple_delete_is_asked_for(self):
        bucket = self.bucket("mine/a", "theirs/b")
        self.user(allow("s3:DeleteObject", f"{bucket}/mine/*"))
        done = self.own("s3").delete_objects(
            Bucket=self.name, Delete={"Objects": [{"Key": "mine/a"}, {"Key": "theirs/b"}]})
        self.assertEqual([each["Key"] for each in done["Deleted"]], ["mine/a"])
        self.assertEqual([(each["Key"], each["Code"]) for each in done["Errors"]],
                         [("theirs/b", "AccessDenied")])

    def test_an_explicit_deny_wins(self):
        bucket = self.bucket("a", "secret/b")
        self.user(allow("s3:*"), deny("s3:*", f"{bucket}/secret/*"))
        self.own("s3").get_object(Bucket=self.name, Key="a")
        refused = self.refuses("AccessDenied", self.own("s3").get_object, Bucket=self.name,
                               Key="secret/b")
        self.assertIn("with an explicit deny in an identity-based policy",
                      refused["Error"]["Message"])

    def test_a_bucket_may_allow_whom_no_identity_policy_allows(self):
        bucket = self.bucket("k")
        self.user()
        me = f"arn:aws:iam::{ACCOUNT}:user/{self.name}"
        self.s3.put_bucket_policy(Bucket=self.name, Policy=document(
            {"Effect": "Allow", "Principal": {"AWS": me}, "Action": "s3:GetObject",
             "Resource": f"{bucket}/*"}))
        self.own("s3").get_object(Bucket=self.name, Key="k")
        self.refuses("AccessDenied", self.own("s3").delete_object, Bucket=self.name, Key="k")
        self.s3.put_bucket_policy(Bucket=self.name, Policy=document(
            {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "s3:GetObject",
             "Resource": f"{bucket}/*"}))
        self.refuses("AccessDenied", self.own("s3").get_object, Bucket=self.name, Key="k")

    def test_a_bucket_may_deny_whom_identity_policies_allow(self):
        bucket = self.bucket("k")
        self.user(allow("s3:*"))
        self.s3.put_bucket_policy(Bucket=self.name, Policy=document(
            {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
             "Resource": f"{bucket}/*"}))
        refused = self.refuses("AccessDenied", self.own("s3").get_object, Bucket=self.name, Key="k")
        self.assertIn("with an explicit deny in a resource-based policy",
                      refused["Error"]["Message"])

    def test_presigned_urls_and_forms_can_do_what_their_signer_may(self):
        bucket = self.bucket("k")
        self.user()
        s3 = self.own("s3")
        url = s3.generate_presigned_url("get_object", {"Bucket": self.name, "Key": "k"})
        form = s3.generate_presigned_post(self.name, "form")

        def post():
            return requests.post(form["url"], data=form["fields"], files={"file": b"x"},
                                 timeout=10).status_code

        self.assertEqual(requests.get(url, timeout=10).status_code, 403)
        self.assertEqual(post(), 403)
        self.may(allow(["s3:GetObject", "s3:PutObject"], f"{bucket}/*"))
        self.assertEqual(requests.get(url, timeout=10).status_code, 200)
        self.assertEqual(post(), 204)

    def test_a_queue_and_its_users(self):
        url, arn = self.queue()
        self.user(allow(["sqs:SendMessage", "sqs:GetQueueUrl"], arn))
        sqs = self.own("sqs")
        self.assertEqual(sqs.get_queue_url(QueueName=self.name)["QueueUrl"], url)
        sqs.send_message(QueueUrl=url, MessageBody="m")
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "m"}])
        self.refuses("AccessDenied", sqs.receive_message, QueueUrl=url)
        self.refuses("AccessDenied", sqs.purge_queue, QueueUrl=url)
        me = f"arn:aws:iam::{ACCOUNT}:user/{self.name}"
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(
            {"Effect": "Allow", "Principal": {"AWS": me}, "Action": "sqs:ReceiveMessage",
             "Resource": arn},
            {"Effect": "Deny", "Principal": {"AWS": me}, "Action": "sqs:SendMessage",
             "Resource": arn})})
        self.assertEqual(len(sqs.receive_message(QueueUrl=url)["Messages"]), 1)
        self.refuses("AccessDenied", sqs.send_message, QueueUrl=url, MessageBody="m")

    def test_old_clients_are_denied_in_the_query_protocol(self):
        self.user()
        done = boto3.Session(self.key["AccessKeyId"], self.key["SecretAccessKey"]).client(
            "sts", region_name="us-east-1", endpoint_url=self.region.endpoint,
            config=Config(retries={"max_attempts": 0}))
        refused = self.refuses("AccessDenied", done.get_federation_token, Name="bob")
        self.assertEqual(refused["ResponseMetadata"]["HTTPStatusCode"], 403)

    def test_conditions_on_the_common_keys(self):
        self.bucket("k")
        self.user()
        for condition, allowed in [
                ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
                ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, False),
                ({"Bool": {"aws:SecureTransport": "true"}}, False),
                ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
                ({"StringEquals": {"aws:username": self.name}}, True),
                ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, False),
                ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, False),
                ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}, True),
                ({"Null": {"aws:TokenIssueTime": "true"}}, False)]:
            self.may(allow("s3:GetObject", Condition=condition))
            with self.subTest(condition=condition):
                call = self.own("s3").get_object
                if allowed:
                    call(Bucket=self.name, Key="k")
                else:
                    self.refuses("AccessDenied", call, Bucket=self.name, Key="k")

    def test_groups_and_managed_policies_count_and_changes_count_at_once(self):
        self.bucket("k")
        self.user()
        s3 = self.own("s3")
        self.refuses("AccessDenied", s3.get_object, Bucket=self.name, Key="k")
        self.iam.create_group(GroupName=self.name)
        self.iam.add_user_to_group(GroupName=self.name, UserName=self.name)
        made = self.iam.create_policy(PolicyName=self.name, PolicyDocument=document(
            allow("s3:GetObject")))["Policy"]["Arn"]
        self.iam.attach_group_policy(GroupName=self.name, PolicyArn=made)
        s3.get_object(Bucket=self.name, Key="k")
        self.iam.create_policy_version(PolicyArn=made, PolicyDocument=document(
            deny("s3:GetObject")), SetAsDefault=True)
        self.refuses("AccessDenied", s3.get_object, Bucket=self.name, Key="k")
        self.iam.set_default_policy_version(PolicyArn=made, VersionId="v1")
        s3.get_object(Bucket=self.name, Key="k")
        self.iam.remove_user_from_group(GroupName=self.name, UserName=self.name)
        self.refuses("AccessDenied", s3.get_object, Bucket=self.name, Key="k")
        self.iam.attach_user_policy(UserName=self.name,
                                    PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
        s3.get_object(Bucket=self.name, Key="k")
        self.refuses("AccessDenied", s3.put_object, Bucket=self.name, Key="k")

    def test_a_boundary_narrows(self):
        self.bucket("k")
        url, _ = self.queue()
        boundary = self.iam.create_policy(PolicyName=self.name, PolicyDocument=document(
            allow("s3:*")))["Policy"]["Arn"]
        self.user(allow("*"), PermissionsBoundary=boundary)
        self.own("s3").get_object(Bucket=self.name, Key="k")
        refused = self.refuses("AccessDenied", self.own("sqs").purge_queue, QueueUrl=url)
        self.assertIn("because no permissions boundary allows the sqs:PurgeQueue action",
                      refused["Error"]["Message"])
        self.iam.delete_user_permissions_boundary(UserName=self.name)
        self.own("sqs").purge_queue(QueueUrl=url)

    def test_a_roles_session_has_its_policies_and_no_more_than_its_session_policy(self):
        self.bucket("k")
        self.role()
        refused = self.refuses("AccessDenied", self.session("s3").get_object, Bucket=self.name,
                               Key="k")
        self.assertIn(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{self.name}/ss is not authorized",
                      refused["Error"]["Message"])
        self.iam.put_role_policy(RoleName=self.name, PolicyName="p",
                                 PolicyDocument=document(allow("s3:*")))
        self.session("s3").put_object(Bucket=self.name, Key="k")
        narrowed = self.session("s3", Policy=document(allow("s3:GetObject")))
        narrowed.get_object(Bucket=self.name, Key="k")
        refused = self.refuses("AccessDenied", narrowed.put_object, Bucket=self.name, Key="k")
        self.assertIn("because no session policy allows the s3:PutObject action",
                      refused["Error"]["Message"])
        managed = self.session("s3", PolicyArns=[
            {"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}])
        self.refuses("AccessDenied", managed.put_object, Bucket=self.name, Key="k")

    def test_sessions_of_a_deleted_role_have_no_rights_even_when_its_name_comes_back(self):
        self.bucket("k")
        self.role(allow("s3:*"))
        s3 = self.session("s3")
        s3.get_object(Bucket=self.name, Key="k")
        self.iam.delete_role_policy(RoleName=self.name, PolicyName="p")
        self.iam.delete_role(RoleName=self.name)
        self.refuses("AccessDenied", s3.get_object, Bucket=self.name, Key="k")
        self.role(allow("s3:*"))
        self.refuses("AccessDenied", s3.get_object, Bucket=self.name, Key="k")
        self.session("s3").get_object(Bucket=self.name, Key="k")

    def test_assuming_a_role_needs_trust_and_for_the_accounts_trust_a_policy_too(self):
        role = self.role()
        self.user()
        call = {"RoleArn": role, "RoleSessionName": "ss"}
        self.refuses("AccessDenied", self.own("sts").assume_role, **call)
        self.may(allow("sts:AssumeRole", role))
        self.own("sts").assume_role(**call)
        self.may(allow("s3:*"))
        self.refuses("AccessDenied", self.own("sts").assume_role, **call)
        me = f"arn:aws:iam::{ACCOUNT}:user/{self.name}"
        self.iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=trust({"AWS": me}))
        self.own("sts").assume_role(**call)
        self.may(deny("sts:AssumeRole"))
        self.refuses("AccessDenied", self.own("sts").assume_role, **call)

    def test_federated_users_have_what_both_policies_allow(self):
        self.bucket("k")
        self.user(allow(["s3:GetObject", "sts:GetFederationToken"]))
        sts = self.own("sts")
        none = sts.get_federation_token(Name="bob")["Credentials"]
        self.refuses("AccessDenied", session_client(self.region, "s3", none).get_object,
                     Bucket=self.name, Key="k")
        some = sts.get_federation_token(Name="bob", Policy=document(allow("s3:*")))["Credentials"]
        s3 = session_client(self.region, "s3", some)
        s3.get_object(Bucket=self.name, Key="k")
        self.refuses("AccessDenied", s3.put_object, Bucket=self.name, Key="k")

    def test_a_log_group_is_a_resource(self):
        logs = self.region.client("logs")
        logs.create_log_group(logGroupName=self.name)
        arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{self.name}:*"
        self.user(allow(["logs:CreateLogStream", "logs:PutLogEvents", "logs:GetLogEvents"], arn))
        own = self.own("logs")
        own.create_log_stream(logGroupName=self.name, logStreamName="s")
        own.put_log_events(logGroupName=self.name, logStreamName="s",
                           logEvents=[{"timestamp": 1_700_000_000_000, "message": "m"}])
        own.get_log_events(logGroupName=self.name, logStreamName="s")
        self.refuses("AccessDeniedException", own.delete_log_group, logGroupName=self.name)
        refused = self.refuses("AccessDeniedException", own.create_log_stream,
                               logGroupName="other", logStreamName="s")
        self.assertEqual(refused["ResponseMetadata"]["HTTPStatusCode"], 400)

    def test_ec2_resources_by_arn_tag_and_type(self):
        root = self.region.client("ec2")
        mine, other = (root.create_vpc(CidrBlock=cidr, TagSpecifications=[
            {"ResourceType": "vpc", "Tags": [{"Key": "team", "Value": team}]}])["Vpc"]["VpcId"]
            for cidr, team in (("10.1.0.0/16", "a"), ("10.2.0.0/16", "b")))
        image = root.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        self.user()
        ec2 = self.own("ec2")

        def refuses(code, call, **arguments):
            self.refuses(code, call, DryRun=True, **arguments)

        for statement in (allow("ec2:DeleteVpc", f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/{mine}"),
                          allow("ec2:*", Condition={"StringEquals": {"ec2:ResourceTag/team": "a"}}),
                          allow("ec2:*", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}})):
            self.may(statement)
            refuses("DryRunOperation", ec2.delete_vpc, VpcId=mine)
            refuses("UnauthorizedOperation", ec2.delete_vpc, VpcId=other)
        self.may(allow("ec2:*"), deny(
            "ec2:RunInstances", f"arn:aws:ec2:*:{ACCOUNT}:instance/*",
            Condition={"StringNotEquals": {"ec2:InstanceType": "t2.nano"}}))
        for kind, code in (("t2.nano", "DryRunOperation"), ("t2.micro", "UnauthorizedOperation")):
            refuses(code, ec2.run_instances, ImageId=image, InstanceType=kind, MinCount=1,
                    MaxCount=1)

    def test_a_users_own_keys(self):
        self.user(allow("iam:*AccessKey*", f"arn:aws:iam::{ACCOUNT}:user/team/${{aws:username}}"),
                  Path="/team/")
        iam = self.own("iam")
        made = iam.create_access_key(UserName=self.name)["AccessKey"]["AccessKeyId"]
        self.assertEqual(len(iam.list_access_keys()["AccessKeyMetadata"]), 2)
        iam.delete_access_key(AccessKeyId=made)
        self.iam.create_user(UserName=self.name + "-2", Path="/team/")
        self.refuses("AccessDenied", iam.create_access_key, UserName=self.name + "-2")
        self.refuses("AccessDenied", iam.put_user_policy, UserName=self.name, PolicyName="p",
                     PolicyDocument=document(allow("*")))

    def function(self, client, role):
        client.create_function(FunctionName=self.name, Runtime="provided.al2", Role=role,
                               Handler="bootstrap", Code={"ZipFile": package()}, Timeout=3)
        client.get_waiter("function_active_v2").wait(FunctionName=self.name,
                                                     WaiterConfig={"Delay": 1})
        return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{self.name}"

    def test_functions_and_their_roles(self):
        role = self.role(trusted={"Service": "lambda.amazonaws.com"})
        self.user(allow("lambda:*"))
        own = self.own("lambda")
        refused = self.refuses("AccessDeniedException", self.function, client=own, role=role)
        self.assertIn(f"iam:PassRole on resource: {role}", refused["Error"]["Message"])
        self.assertEqual(refused["ResponseMetadata"]["HTTPStatusCode"], 403)
        self.may(allow("lambda:*"), allow("iam:PassRole", role))
        arn = self.function(own, role)
        own.invoke(FunctionName=self.name, Payload=b"{}")
        self.may(allow("s3:*"))
        for name in (self.name, arn):
            self.refuses("AccessDeniedException", own.invoke, FunctionName=name)
        self.refuses("AccessDeniedException", own.get_function, FunctionName=self.name)
        self.region.client("lambda").add_permission(
            FunctionName=self.name, StatementId="s", Action="lambda:InvokeFunction",
            Principal=f"arn:aws:iam::{ACCOUNT}:user/{self.name}")
        own.invoke(FunctionName=self.name, Payload=b"{}")

    def test_a_role_that_lambda_cannot_have_is_refused(self):
        client = self.region.client("lambda")
        missing = f"arn:aws:iam::{ACCOUNT}:role/{self.name}"
        for _ in range(2):
            refused = self.refuses("InvalidParameterValueException", self.function, client=client,
                                   role=missing)
            self.assertEqual(refused["Error"]["Message"],
                             "The role defined for the function cannot be assumed by Lambda.")
            if _ == 0:
                self.role(trusted={"Service": "ec2.amazonaws.com"})

    def test_a_mapping_needs_its_roles_permissions_on_the_queue(self):
        _, queue = self.queue()
        role = self.role(trusted={"Service": "lambda.amazonaws.com"})
        client = self.region.client("lambda")
        self.function(client, role)
        for actions, wanted in [
                ([], "ReceiveMessage"), (["sqs:ReceiveMessage"], "DeleteMessage"),
                (["sqs:ReceiveMessage", "sqs:DeleteMessage"], "GetQueueAttributes")]:
            if actions:
                self.iam.put_role_policy(RoleName=self.name, PolicyName="p",
                                         PolicyDocument=document(allow(actions, queue)))
            refused = self.refuses("InvalidParameterValueException",
                                   client.create_event_source_mapping, FunctionName=self.name,
                                   EventSourceArn=queue)
            self.assertEqual(refused["Error"]["Message"],
                             "The provided execution role does not have permissions to call "
                             f"{wanted} on SQS")


if __name__ == "__main__":
    unittest.main()
