"""Events of a bucket as a Lambda function receives them."""
import json
import unittest
import urllib.parse

from harness import eventually
from lambda_parity import LambdaBase


class S3EventsParity(LambdaBase):
    def setUp(self):
        super().setUp()
        self.s3 = self.region.client("s3")
        self.logs = self.region.client("logs")
        self.bucket = "events-" + self.name
        self.s3.create_bucket(Bucket=self.bucket)
        self.create()
        self.arn = self.client.get_function_configuration(FunctionName=self.name)["FunctionArn"]

    def notify(self, *events, **options):
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [
                {"Id": "rule", "LambdaFunctionArn": self.arn, "Events": list(events), **options}]})

    def permit(self, **options):
        self.client.add_permission(FunctionName=self.name, StatementId="s3",
                                   Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
                                   SourceArn=f"arn:aws:s3:::{self.bucket}", **options)

    def received(self, count):
        """The records that the function has logged, once there are so many."""
        def records():
            try:
                events = self.logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}",
                                                     filterPattern='"got "')["events"]
            except self.logs.exceptions.ResourceNotFoundException:
                return None  # the first invocation makes the group
            found = [json.loads(event["message"][4:])["Records"][0] for event in events]
            return found if len(found) >= count else None
        return eventually(records, 20, f"the function did not get {count} events", pause=0.2)

    def test_a_function_without_permission_is_refused(self):
        with self.assertRaises(self.s3.exceptions.ClientError) as caught:
            self.notify("s3:ObjectCreated:*")
        self.assertIn("Unable to validate the following destination configurations",
                      str(caught.exception))

    def test_versions_and_markers_arrive_with_their_order(self):
        self.permit()
        self.s3.put_bucket_versioning(Bucket=self.bucket,
                                      VersioningConfiguration={"Status": "Enabled"})
        self.notify("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
        key = "pictures/a b+ü.jpg"
        first = self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"one")
        second = self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"three")
        marker = self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=first["VersionId"])
        records = sorted(self.received(4), key=lambda r: r["s3"]["object"]["sequencer"])
        self.assertEqual(
            [(r["eventName"], r["s3"]["object"]["versionId"]) for r in records],
            [("ObjectCreated:Put", first["VersionId"]), ("ObjectCreated:Put", second["VersionId"]),
             ("ObjectRemoved:DeleteMarkerCreated", marker["VersionId"]),
             ("ObjectRemoved:Delete", first["VersionId"])])
        for record in records:
            self.assertEqual(urllib.parse.unquote_plus(record["s3"]["object"]["key"]), key)
            self.assertEqual((record["eventSource"], record["s3"]["configurationId"]),
                             ("aws:s3", "rule"))
            self.assertRegex(record["s3"]["object"]["sequencer"], "^[0-9A-F]+$")
            self.assertEqual(record["s3"]["bucket"]["arn"], f"arn:aws:s3:::{self.bucket}")
        self.assertEqual((records[1]["s3"]["object"]["size"], records[1]["s3"]["object"]["eTag"]),
                         (5, second["ETag"].strip('"')))
        self.assertNotIn("size", records[2]["s3"]["object"])

    def test_only_what_the_filter_lets_through_arrives(self):
        self.permit()
        self.notify("s3:ObjectCreated:Copy", Filter={"Key": {"FilterRules": [
            {"Name": "prefix", "Value": "out/"}, {"Name": "suffix", "Value": ".txt"}]}})
        for key in ("out/a.txt", "source"):
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x")
        for key in ("other/a.txt", "out/a.jpg", "out/b.txt"):
            self.s3.copy_object(Bucket=self.bucket, Key=key, CopySource=f"{self.bucket}/source")
        [record] = self.received(1)
        self.assertEqual((record["eventName"], record["s3"]["object"]["key"]),
                         ("ObjectCreated:Copy", "out/b.txt"))
        self.assertNotIn("versionId", record["s3"]["object"])


if __name__ == "__main__":
    unittest.main()
