"""Lambda and CloudWatch Logs as boto3 and the AWS CLI use them."""
import base64
import hashlib
import io
import json
import pathlib
import unittest
import zipfile

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


class LambdaParity(RegionTest):
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
            self.create(Runtime="python3.9")
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


if __name__ == "__main__":
    unittest.main()
