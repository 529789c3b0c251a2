"""IAM and STS as boto3 and the AWS CLI use them; credentials that work, expire and survive kill -9."""
import json
import unittest

import boto3
from botocore import UNSIGNED

from harness import Region, RegionTest

ACCOUNT = "000000000000"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


def trust(principal, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
         "Principal": principal, **more}]})


def session_client(region, service, credentials):
    """A client with temporary credentials."""
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name="us-east-1").client(service, endpoint_url=region.endpoint)


class IamParity(RegionTest):
    def setUp(self):
        self.iam = self.region.client("iam")
        self.sts = self.region.client("sts")
        self.name = self.id().rsplit(".", 1)[1][:40]

    def assume(self, **options):
        return self.sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{self.name}",
                                    RoleSessionName="ss", **options)

    def test_identity_tokens_are_refused_in_the_words_of_aws(self):
        sts = self.region.client("sts", signature_version=UNSIGNED)
        role = f"arn:aws:iam::{ACCOUNT}:role/{self.name}"
        answer = self.refuses("InvalidIdentityToken", sts.assume_role_with_web_identity,
                              RoleArn=role, RoleSessionName="ss", WebIdentityToken="no token")
        self.assertIn("not a valid JWT", answer["Error"]["Message"])
        self.refuses("InvalidIdentityToken", sts.assume_role_with_saml, RoleArn=role,
                     PrincipalArn=f"arn:aws:iam::{ACCOUNT}:saml-provider/p",
                     SAMLAssertion="PHNhbWw+")
        self.refuses("MissingAuthenticationToken", sts.get_caller_identity)

    def test_a_users_life(self):
        self.iam.create_user(UserName=self.name, Path="/x/", Tags=[{"Key": "a", "Value": ""}])
        self.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=POLICY)
        kept = self.iam.get_user_policy(UserName=self.name, PolicyName="p")
        self.assertEqual(kept["PolicyDocument"], json.loads(POLICY))
        key = self.iam.create_access_key(UserName=self.name)["AccessKey"]
        own = self.region.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
        self.assertEqual(own.get_caller_identity()["Arn"],
                         f"arn:aws:iam::{ACCOUNT}:user/x/{self.name}")
        used = self.iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
        self.assertEqual(used["AccessKeyLastUsed"]["ServiceName"], "sts")
        refused = self.refuses("DeleteConflict", self.iam.delete_user, UserName=self.name)
        self.assertEqual(refused["Error"]["Message"],
                         "Cannot delete entity, must delete access keys first.")
        self.assertEqual(refused["ResponseMetadata"]["HTTPStatusCode"], 409)
        self.iam.delete_access_key(UserName=self.name, AccessKeyId=key["AccessKeyId"])
        self.refuses("InvalidClientTokenId", own.get_caller_identity)
        self.iam.delete_user_policy(UserName=self.name, PolicyName="p")
        self.iam.delete_user(UserName=self.name)
        refused = self.refuses("NoSuchEntity", self.iam.get_user, UserName=self.name)
        self.assertEqual(refused["Error"]["Message"],
                         f"The user with name {self.name} cannot be found.")

    def test_a_role_with_managed_policies_and_a_profile(self):
        made = self.iam.create_role(RoleName=self.name, Description="d",
                                    AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
        self.assertNotIn("MaxSessionDuration", made["Role"])
        role = self.iam.get_role(RoleName=self.name)["Role"]
        self.assertEqual((role["MaxSessionDuration"], role["RoleLastUsed"]), (3600, {}))
        own = self.iam.create_policy(PolicyName=self.name, PolicyDocument=POLICY)["Policy"]["Arn"]
        aws = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        for arn in (own, aws):
            self.iam.attach_role_policy(RoleName=self.name, PolicyArn=arn)
        attached = self.iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]
        self.assertEqual([policy["PolicyArn"] for policy in attached], [own, aws])
        self.assertEqual(self.iam.get_policy(PolicyArn=own)["Policy"]["AttachmentCount"], 1)
        document = self.iam.get_policy_version(PolicyArn=aws, VersionId="v1")["PolicyVersion"]
        self.assertIn("logs:PutLogEvents", document["Document"]["Statement"][0]["Action"])
        self.iam.create_instance_profile(InstanceProfileName=self.name)
        self.iam.add_role_to_instance_profile(InstanceProfileName=self.name, RoleName=self.name)
        profile = self.iam.get_instance_profile(InstanceProfileName=self.name)["InstanceProfile"]
        self.assertEqual(profile["Roles"][0]["RoleName"], self.name)
        details = self.iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
        [detail] = [each for each in details if each["RoleName"] == self.name]
        self.assertEqual(detail["InstanceProfileList"][0]["InstanceProfileName"], self.name)

    def test_documents_are_refused_in_awss_words(self):
        for document, message in [
                ("no json", "Syntax errors in policy."),
                (POLICY.replace("2012-10-17", "2008-10-17"),
                 "Policy document must be version 2012-10-17 or greater."),
                (POLICY.replace('"*"', '"b"'), 'Resource b must be in ARN format or "*".'),
                (POLICY.replace("s3:*", "s3"),
                 "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]:
            refused = self.refuses("MalformedPolicyDocument", self.iam.create_policy,
                                   PolicyName=self.name, PolicyDocument=document)
            self.assertEqual(refused["Error"]["Message"], message)

    def test_lists_come_in_pages(self):
        for i in range(5):
            self.iam.create_group(GroupName=f"{self.name}-{i}", Path=f"/{self.name}/")
        pages = self.iam.get_paginator("list_groups").paginate(
            PathPrefix=f"/{self.name}/", PaginationConfig={"PageSize": 2})
        self.assertEqual([len(page["Groups"]) for page in pages], [2, 2, 1])

    def test_a_role_is_assumed_by_whom_it_trusts(self):
        self.refuses("AccessDenied", self.assume)
        self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=trust(
            {"AWS": ACCOUNT}, Condition={"StringEquals": {"sts:ExternalId": "secret"}}))
        refused = self.refuses("AccessDenied", self.assume)
        self.assertEqual(refused["Error"]["Message"],
                         f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: "
                         f"sts:AssumeRole on resource: arn:aws:iam::{ACCOUNT}:role/{self.name}")
        self.iam.put_role_policy(RoleName=self.name, PolicyName="p",
                                 PolicyDocument=POLICY.replace("s3:*", "sqs:*"))
        made = self.assume(ExternalId="secret", Tags=[{"Key": "a", "Value": "1"}])
        session = made["Credentials"]
        identity = session_client(self.region, "sts", session).get_caller_identity()
        self.assertEqual(identity["Arn"],
                         f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.name}/ss")
        self.assertEqual(identity["UserId"], made["AssumedRoleUser"]["AssumedRoleId"])
        session_client(self.region, "sqs", session).list_queues()
        self.refuses("ValidationError", self.assume, ExternalId="secret", DurationSeconds=7200)
        self.refuses("AccessDenied", session_client(self.region, "sts", session).get_session_token)
        self.refuses("InvalidClientTokenId",
                     self.region.client("sts", key=session["AccessKeyId"],
                                        secret=session["SecretAccessKey"]).get_caller_identity)

    def test_tokens_of_users_and_federated_users(self):
        token = self.sts.get_session_token()["Credentials"]
        self.assertEqual(session_client(self.region, "sts", token).get_caller_identity()["Arn"],
                         f"arn:aws:iam::{ACCOUNT}:root")
        made = self.sts.get_federation_token(Name="bob")
        self.assertEqual(made["FederatedUser"]["Arn"],
                         f"arn:aws:sts::{ACCOUNT}:federated-user/bob")
        self.assertEqual(
            session_client(self.region, "sts", made["Credentials"]).get_caller_identity()["UserId"],
            f"{ACCOUNT}:bob")

    def test_the_cli_reads_what_it_wrote(self):
        self.region.cli("iam", "create-role", "--role-name", self.name,
                        "--assume-role-policy-document", trust({"Service": "ec2.amazonaws.com"}))
        shown = json.loads(self.region.cli("iam", "get-role", "--role-name", self.name))
        self.assertEqual(shown["Role"]["AssumeRolePolicyDocument"],
                         json.loads(trust({"Service": "ec2.amazonaws.com"})))
        summary = json.loads(self.region.cli("iam", "get-account-summary"))
        self.assertGreaterEqual(summary["SummaryMap"]["Roles"], 1)


class IamDurability(unittest.TestCase):
    def test_credentials_survive_kill_9(self):
        region = Region()
        self.addCleanup(region.stop)
        region.start()
        region.client("iam").create_user(UserName="ann")
        key = region.client("iam").create_access_key(UserName="ann")["AccessKey"]
        token = region.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"]
                              ).get_session_token()["Credentials"]
        region.kill()
        region.start()
        for client in (region.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"]),
                       session_client(region, "sts", token)):
            self.assertEqual(client.get_caller_identity()["Arn"],
                             "arn:aws:iam::000000000000:user/ann")


if __name__ == "__main__":
    unittest.main()
