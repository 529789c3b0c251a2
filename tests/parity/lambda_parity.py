"""Lambda and CloudWatch Logs as boto3 and the AWS CLI use them."""
import base64
import hashlib
import io
import json
import pathlib
import unittest
import urllib.error
import urllib.request
import zipfile

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness import RegionTest, eventually

ROLE = "arn:aws:iam::000000000000:role/tests"
# A custom runtime in a shell script: what the Runtime API's documentation shows.
ECHO = r"""#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  headers=$(mktemp)
  event=$(curl -sS -D "$headers" "$api/next") || exit 1
  id=$(grep -i lambda-runtime-aws-request-id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  case "$event" in
    *slow*) sleep 30 ;;
    *fail*) curl -sS -o /dev/null -d '{"errorMessage":"asked to","errorType":"Asked"}' \
              "$api/$id/error"; continue ;;
    *whoami*) event="\"$(id -u)\"" ;;
  esac
  echo "got $event"
  curl -sS -o /dev/null -d "$event" "$api/$id/response"
done
"""


def package(script=ECHO):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, script)
    return out.getvalue()


class LambdaBase(RegionTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.region.role("tests", "lambda.amazonaws.com")

    def setUp(self):
        self.client = self.region.client("lambda")
        self.name = "f-" + hashlib.md5(self.id().encode()).hexdigest()[:10]

    def create(self, **options):
        settings = {"FunctionName": self.name, "Runtime": "provided.al2", "Role": ROLE,
                    "Handler": "bootstrap", "Code": {"ZipFile": package()}, "Timeout": 3}
        made = self.client.create_function(**{**settings, **options})
        self.client.get_waiter("function_active_v2").wait(
            FunctionName=self.name, WaiterConfig={"Delay": 1})
        return made

    def invoke(self, payload, **options):
        return self.client.invoke(FunctionName=self.name, Payload=json.dumps(payload), **options)


class LambdaParity(LambdaBase):
    def test_a_function_answers_and_logs(self):
        made = self.create()
        self.assertEqual(made["CodeSha256"],
                         base64.b64encode(hashlib.sha256(package()).digest()).decode())
        answer = self.invoke({"x": 1}, LogType="Tail")
        self.assertEqual(json.load(answer["Payload"]), {"x": 1})
        self.assertNotIn("FunctionError", answer)
        tail = base64.b64decode(answer["LogResult"]).decode()
        for line in ("START RequestId: ", "got ", "END RequestId: ", "REPORT RequestId: "):
            self.assertIn(line, tail)
        logs = self.region.client("logs")
        eventually(lambda: "got " in json.dumps(logs.filter_log_events(
            logGroupName=f"/aws/lambda/{self.name}")["events"]), 10, "nothing logged")

    def test_errors_and_timeouts_are_the_functions(self):
        self.create()
        failed = self.invoke("fail")
        self.assertEqual(failed["FunctionError"], "Unhandled")
        self.assertEqual(json.load(failed["Payload"])["errorType"], "Asked")
        late = self.invoke("slow")
        self.assertEqual(late["FunctionError"], "Unhandled")
        self.assertIn("Task timed out after 3.00 seconds",
                      json.load(late["Payload"])["errorMessage"])
        self.assertEqual(json.load(self.invoke("again")["Payload"]), "again")

    def test_a_function_is_not_root(self):
        self.create()
        self.assertNotEqual(json.load(self.invoke("whoami")["Payload"]), "0")

    def test_what_cannot_run_is_refused(self):
        self.refuses("ResourceNotFoundException", self.client.invoke, FunctionName="none")
        with self.assertRaises(self.client.exceptions.InvalidParameterValueException) as caught:
            self.create(Runtime="java11")
        self.assertIn("provided.al2", str(caught.exception))
        self.create()
        self.refuses("ResourceConflictException", self.create)

    def test_a_queue_feeds_it_and_a_failing_message_ends_dead(self):
        self.create(Timeout=3)
        sqs = self.region.client("sqs")
        dead = sqs.create_queue(QueueName=self.name + "-dead")["QueueUrl"]
        dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])[
            "Attributes"]["QueueArn"]
        url = sqs.create_queue(QueueName=self.name, Attributes={
            "VisibilityTimeout": "3", "RedrivePolicy": json.dumps(
                {"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])[
            "Attributes"]["QueueArn"]
        mapping = self.client.create_event_source_mapping(
            EventSourceArn=arn, FunctionName=self.name, BatchSize=1)
        self.assertIn(mapping["State"], ("Creating", "Enabled"))
        sqs.send_message(QueueUrl=url, MessageBody="good")
        sqs.send_message(QueueUrl=url, MessageBody="fail")
        [message] = eventually(
            lambda: sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5).get("Messages"), 30,
            "the failing message is not in the dead-letter queue")
        self.assertEqual(message["Body"], "fail")

        def empty():
            counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return (counts["ApproximateNumberOfMessages"],
                    counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")
        eventually(empty, 20, "the good message was not deleted")

    def test_the_aws_cli_invokes(self):
        self.create()
        out = self.region.state / "out.json"
        self.region.cli("lambda", "invoke", "--function-name", self.name, "--payload",
                        base64.b64encode(b'{"from":"cli"}').decode(), str(out))
        self.assertEqual(json.loads(pathlib.Path(out).read_text()), {"from": "cli"})
        self.assertIn(self.name, self.region.cli("lambda", "list-functions"))


class LambdaEvents(LambdaBase):
    """What invokes functions by itself: event source mappings and asynchronous invocation."""

    def queue(self, name, **attributes):
        """URL and ARN of a new queue."""
        sqs = self.region.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])[
            "Attributes"]["QueueArn"]

    def events(self):
        """What the function printed: the events that it got."""
        try:
            logged = self.region.client("logs").filter_log_events(
                logGroupName=f"/aws/lambda/{self.name}", filterPattern="got")["events"]
        except self.region.client("logs").exceptions.ResourceNotFoundException:
            return []
        return [json.loads(event["message"].split("got ", 1)[1]) for event in logged
                if event["message"].startswith("got ")]

    def bodies(self):
        return [record["body"] for event in self.events() for record in event["Records"]]

    def state(self, uuid):
        try:
            return self.client.get_event_source_mapping(UUID=uuid)["State"]
        except self.client.exceptions.ResourceNotFoundException:
            return "gone"

    def test_a_filter_lets_through_what_it_names_and_drops_the_rest(self):
        self.create()
        url, arn = self.queue(self.name)
        sqs = self.region.client("sqs")
        for number in range(20):
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"number": number}))
        sqs.send_message(QueueUrl=url, MessageBody="no document")
        pattern = json.dumps({"body": {"number": [{"numeric": [">=", 5, "<", 8]}]}})
        made = self.client.create_event_source_mapping(
            EventSourceArn=arn, FunctionName=self.name,
            FilterCriteria={"Filters": [{"Pattern": pattern}]})
        self.assertEqual(made["State"], "Creating")
        self.assertEqual(made["FilterCriteria"], {"Filters": [{"Pattern": pattern}]})
        eventually(lambda: self.state(made["UUID"]) == "Enabled", 5, "not enabled")

        def empty():
            counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return (counts["ApproximateNumberOfMessages"],
                    counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")
        eventually(empty, 20, "messages are left")
        eventually(lambda: len(self.bodies()) == 3, 10, "not three messages passed")
        self.assertEqual(sorted(json.loads(body)["number"] for body in self.bodies()), [5, 6, 7])
        with self.assertRaises(self.client.exceptions.ResourceConflictException) as caught:
            self.client.create_event_source_mapping(EventSourceArn=arn, FunctionName=self.name)
        self.assertIn(made["UUID"], str(caught.exception))
        self.client.delete_event_source_mapping(UUID=made["UUID"])
        eventually(lambda: self.state(made["UUID"]) == "gone", 5, "not deleted")

    def test_a_fifo_queue_keeps_the_order_of_each_group(self):
        self.create()
        url, arn = self.queue(self.name + ".fifo", FifoQueue="true",
                              ContentBasedDeduplication="true")
        sqs = self.region.client("sqs")
        self.client.create_event_source_mapping(EventSourceArn=arn, FunctionName=self.name,
                                                BatchSize=2)
        sent = {group: [f"{group}{number}" for number in range(12)] for group in "abc"}
        for number in range(12):
            for group in "abc":
                sqs.send_message(QueueUrl=url, MessageBody=f"{group}{number}",
                                 MessageGroupId=group)
        eventually(lambda: len(self.bodies()) >= 36, 30, "not all arrived")
        got = self.bodies()
        for group, bodies in sent.items():
            self.assertEqual([body for body in got if body[0] == group], bodies)
        first = self.events()[0]["Records"][0]["attributes"]
        for name in ("MessageGroupId", "MessageDeduplicationId", "SequenceNumber"):
            self.assertIn(name, first)

    def test_outcomes_reach_their_queues(self):
        url, arn = self.queue(self.name)
        dead_url, dead_arn = self.queue(self.name + "-dead")
        self.create(DeadLetterConfig={"TargetArn": dead_arn})
        self.client.put_function_event_invoke_config(
            FunctionName=self.name, MaximumRetryAttempts=0, DestinationConfig={
                "OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": arn}})
        for payload in ("good", "fail"):
            self.assertEqual(self.client.invoke(
                FunctionName=self.name, InvocationType="Event",
                Payload=json.dumps(payload))["StatusCode"], 202)
        sqs = self.region.client("sqs")
        records = {}

        def both():
            for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages", []):
                record = json.loads(message["Body"])
                records[record["requestPayload"]] = record
            return len(records) == 2
        eventually(both, 20, "not both outcomes came")
        self.assertEqual(records["good"]["requestContext"]["condition"], "Success")
        self.assertEqual(records["good"]["responsePayload"], "good")
        self.assertEqual(records["fail"]["requestContext"]["condition"], "RetriesExhausted")
        self.assertEqual(records["fail"]["responseContext"]["functionError"], "Unhandled")
        [dead] = eventually(
            lambda: sqs.receive_message(QueueUrl=dead_url, WaitTimeSeconds=2,
                                        MessageAttributeNames=["All"]).get("Messages"), 20,
            "no dead letter")
        self.assertEqual(dead["Body"], '"fail"')
        self.assertEqual(dead["MessageAttributes"]["ErrorMessage"]["StringValue"], "asked to")


PYTHON = """
import os

def handler(event, context):
    print("got", event)
    if event == "fail":
        raise ValueError("asked to")
    if event == "layer":
        import of_a_layer
        return of_a_layer.VALUE
    if isinstance(event, dict) and "rawPath" in event:
        return {"statusCode": 201, "headers": {"X-Path": event["rawPath"]}, "body": event["body"]}
    return {"version": context.function_version, "greeting": os.environ.get("GREETING")}
"""


def archive(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in files.items():
            made.writestr(name.replace("__", "/") + ".py", text)
    return out.getvalue()


class LambdaVersions(LambdaBase):
    def create(self, **options):
        return super().create(**{"Runtime": "python3.12", "Handler": "main.handler",
                                 "Code": {"ZipFile": archive(main=PYTHON)},
                                 "Environment": {"Variables": {"GREETING": "one"}}, **options})

    def answer(self, payload, **options):
        return json.load(self.invoke(payload, **options)["Payload"])

    def test_python_runs_and_its_errors_are_as_awss(self):
        self.create()
        self.assertEqual(self.answer({}), {"version": "$LATEST", "greeting": "one"})
        failed = self.invoke("fail", LogType="Tail")
        error = json.load(failed["Payload"])
        self.assertEqual((error["errorType"], error["errorMessage"]), ("ValueError", "asked to"))
        self.assertIn('File "/var/task/main.py", line 7, in handler', error["stackTrace"][0])
        self.assertIn("[ERROR] ValueError: asked to\nTraceback (most recent call last):\n",
                      base64.b64decode(failed["LogResult"]).decode())
        self.client.update_function_configuration(FunctionName=self.name, Handler="main.none")
        error = self.answer({})
        self.assertEqual(error["errorType"], "Runtime.HandlerNotFound")
        self.assertEqual(error["errorMessage"], "Handler 'none' missing on module 'main'")

    def test_versions_stay_and_aliases_lead_to_them(self):
        self.create(Publish=True)
        self.client.update_function_configuration(
            FunctionName=self.name, Environment={"Variables": {"GREETING": "two"}})
        second = self.client.publish_version(FunctionName=self.name)
        self.assertEqual(second["Version"], "2")
        self.client.create_alias(FunctionName=self.name, Name="live", FunctionVersion="1")
        for qualifier, greeting in (("1", "one"), ("2", "two"), ("live", "one")):
            got = self.invoke({}, Qualifier=qualifier)
            self.assertEqual(json.load(got["Payload"])["greeting"], greeting)
        self.assertEqual(got["ExecutedVersion"], "1")
        self.refuses("ResourceConflictException", self.client.delete_function,
                     FunctionName=self.name, Qualifier="1")
        self.client.update_alias(FunctionName=self.name, Name="live", FunctionVersion="2")
        self.client.delete_function(FunctionName=self.name, Qualifier="1")
        self.assertEqual([one["Version"] for one in self.client.list_versions_by_function(
            FunctionName=self.name)["Versions"]], ["$LATEST", "2"])
        self.assertEqual(self.answer({}, Qualifier="live")["version"], "2")

    def test_a_layers_files_are_seen(self):
        layer = self.client.publish_layer_version(
            LayerName=self.name, Content={"ZipFile": archive(python__of_a_layer="VALUE = 7")})
        with urllib.request.urlopen(layer["Content"]["Location"]) as link:
            self.assertEqual(len(link.read()), layer["Content"]["CodeSize"])
        self.create(Layers=[layer["LayerVersionArn"]])
        self.assertEqual(self.answer("layer"), 7)

    def test_a_url_serves_whom_the_policy_allows(self):
        self.create()
        made = self.client.create_function_url_config(FunctionName=self.name, AuthType="NONE")
        host = made["FunctionUrl"].split("/")[2]

        def ask():
            request = urllib.request.Request(f"{self.region.endpoint}/some/path", data=b"text",
                                             headers={"Host": host, "Content-Type": "text/plain"})
            return urllib.request.urlopen(request)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            ask()
        self.assertEqual(caught.exception.code, 403)
        caught.exception.close()
        self.client.add_permission(
            FunctionName=self.name, StatementId="all", Action="lambda:InvokeFunctionUrl",
            Principal="*", FunctionUrlAuthType="NONE")
        with ask() as got:
            self.assertEqual((got.status, got.headers["X-Path"], got.read()),
                             (201, "/some/path", b"text"))

    def test_a_url_with_iam_serves_who_signs(self):
        self.create()
        url = self.client.create_function_url_config(
            FunctionName=self.name, AuthType="AWS_IAM")["FunctionUrl"] + "some/path?x=1"
        host = url.split("/")[2]

        def ask(secret):
            signed = AWSRequest("POST", url, data=b"text", headers={
                "Host": host, "Content-Type": "text/plain"})
            if secret:
                SigV4Auth(Credentials("test", secret), "lambda", "us-east-1").add_auth(signed)
            request = urllib.request.Request(f"{self.region.endpoint}/some/path?x=1",
                                             data=b"text", headers=dict(signed.headers))
            return urllib.request.urlopen(request)
        for secret in (None, "wrong"):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                ask(secret)
            self.assertEqual(caught.exception.code, 403)
            self.assertEqual(json.load(caught.exception)["Message"][:9], "Forbidden")
            caught.exception.close()
        with ask("test") as got:
            self.assertEqual((got.status, got.headers["X-Path"], got.read()),
                             (201, "/some/path", b"text"))

    def test_code_comes_from_a_version_of_an_object(self):
        s3 = self.region.client("s3")
        bucket = self.name
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        old = s3.put_object(Bucket=bucket, Key="code.zip", Body=archive(
            main="def handler(event, context): return 'old'"))["VersionId"]
        s3.put_object(Bucket=bucket, Key="code.zip", Body=archive(
            main="def handler(event, context): return 'new'"))
        code = {"S3Bucket": bucket, "S3Key": "code.zip"}
        self.create(Code={**code, "S3ObjectVersion": old})
        self.assertEqual(self.answer({}), "old")
        self.client.update_function_code(FunctionName=self.name, **code)
        self.assertEqual(self.answer({}), "new")
        refused = self.refuses("InvalidParameterValueException", self.client.update_function_code,
                               FunctionName=self.name, S3ObjectVersion="x" * 32, **code)
        self.assertIn("Error occurred while GetObject. S3 Error Code: ",
                      refused["Error"]["Message"])

    def test_a_request_too_large_is_refused_in_lambdas_words(self):
        refused = self.refuses("RequestEntityTooLargeException", self.create,
                               Code={"ZipFile": b"x" * 60_000_000})
        self.assertEqual(refused["Error"]["Message"], "Request must be smaller than 70167211 "
                         "bytes for the CreateFunction operation")
        self.assertEqual(refused["ResponseMetadata"]["HTTPStatusCode"], 413)

    def test_node_runs(self):
        if not pathlib.Path("/usr/bin/node").exists():
            self.refuses("InvalidParameterValueException", self.create, Runtime="nodejs20.x")
            return
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            made.writestr("index.mjs", "import os from 'os';\nexport const handler = async (event,"
                          " context) => ({event, name: context.functionName, on: os.type()});\n")
        self.create(Runtime="nodejs20.x", Handler="index.handler", Code={"ZipFile": out.getvalue()})
        self.assertEqual(self.answer([1]), {"event": [1], "name": self.name, "on": "Linux"})

    def test_what_is_reserved_is_throttled_past(self):
        self.create()
        self.client.put_function_concurrency(FunctionName=self.name,
                                             ReservedConcurrentExecutions=0)
        refused = self.refuses("TooManyRequestsException", self.invoke, payload={})
        self.assertEqual(refused["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded")
        self.assertEqual(refused["ResponseMetadata"]["HTTPStatusCode"], 429)


if __name__ == "__main__":
    unittest.main()
