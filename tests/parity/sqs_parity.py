"""SQS as boto3 (query protocol) and the AWS CLI use it; durability across kill -9."""
import hashlib
import json
import socket
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import Region, RegionTest


class SqsParity(RegionTest):
    def setUp(self):
        self.sqs = self.region.client("sqs")
        name = "queue-" + hashlib.md5(self.id().encode()).hexdigest()[:10]
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]

    def receive(self, **options):
        return self.sqs.receive_message(QueueUrl=self.url, **options).get("Messages", [])

    def test_a_message_is_received_deleted_and_gone(self):
        sent = self.sqs.send_message(QueueUrl=self.url, MessageBody="hello ü", MessageAttributes={
            "n": {"DataType": "Number", "StringValue": "1"}})
        self.assertEqual(sent["MD5OfMessageBody"], hashlib.md5("hello ü".encode()).hexdigest())
        [message] = self.receive(AttributeNames=["All"], MessageAttributeNames=["All"])
        self.assertEqual(message["Body"], "hello ü")
        self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "1")
        self.assertEqual(message["MessageAttributes"]["n"]["StringValue"], "1")
        self.assertEqual(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"])
        self.assertEqual(self.receive(), [])
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        counts = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        self.assertEqual(counts["Attributes"]["ApproximateNumberOfMessagesNotVisible"], "0")

    def test_an_undeleted_message_comes_back_and_ends_in_the_dead_letter_queue(self):
        dead = self.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={
            "VisibilityTimeout": "0",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn["Attributes"]["QueueArn"],
                                         "maxReceiveCount": 2})})
        self.sqs.send_message(QueueUrl=self.url, MessageBody="poison")
        self.assertEqual([len(self.receive()) for _ in range(3)], [1, 1, 0])
        [message] = self.sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5)["Messages"]
        self.assertEqual(message["Body"], "poison")

    def test_a_long_poll_wakes_at_once(self):
        with ThreadPoolExecutor() as pool:
            poll = pool.submit(self.receive, WaitTimeSeconds=20)
            time.sleep(0.5)
            began = time.monotonic()
            self.sqs.send_message(QueueUrl=self.url, MessageBody="now")
            self.assertEqual(len(poll.result(timeout=10)), 1)
            self.assertLess(time.monotonic() - began, 1)

    def test_a_poll_whose_client_has_left_takes_no_message(self):
        signed = self.sqs.generate_presigned_url("receive_message", Params={
            "QueueUrl": self.url, "WaitTimeSeconds": 20}, HttpMethod="GET")
        target = signed[len(self.region.endpoint):]
        with socket.create_connection(("127.0.0.1", self.region.port)) as left:
            left.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.region.port}\r\n\r\n"
                         .encode())
            left.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                left.recv(1)
        self.sqs.send_message(QueueUrl=self.url, MessageBody="kept")
        self.assertEqual([message["Body"] for message in self.receive()], ["kept"])

    def test_batches_report_each_entry(self):
        sent = self.sqs.send_message_batch(QueueUrl=self.url, Entries=[
            {"Id": "good", "MessageBody": "x"}, {"Id": "bad", "MessageBody": "\x01"}])
        self.assertEqual([entry["Id"] for entry in sent["Successful"]], ["good"])
        self.assertEqual([entry["Id"] for entry in sent["Failed"]], ["bad"])

    def fifo(self, name, **attributes):
        return self.sqs.create_queue(QueueName=name, Attributes={
            "FifoQueue": "true", "ContentBasedDeduplication": "true", **attributes})["QueueUrl"]

    def test_fifo_groups_come_in_order_and_duplicates_never(self):
        url = self.fifo("groups.fifo", VisibilityTimeout="2")
        sent = [self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[0])
                for body in ("a1", "b1", "a2", "a1", "a3")]
        self.assertEqual(sent[0]["MessageId"], sent[3]["MessageId"])
        self.assertEqual(len(sent[0]["SequenceNumber"]), 20)
        first = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2)["Messages"]
        self.assertEqual([message["Body"] for message in first], ["a1", "a2"])
        other = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10,
                                         AttributeNames=["All"])["Messages"]
        self.assertEqual([message["Body"] for message in other], ["b1"])
        self.assertEqual(other[0]["Attributes"]["MessageGroupId"], "b")
        time.sleep(2.1)
        with self.assertRaises(self.sqs.exceptions.ClientError) as late:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
        self.assertIn("The receipt handle has expired", str(late.exception))
        again = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        self.assertEqual([message["Body"] for message in again], ["a1", "a2", "a3", "b1"])

    def test_fifo_refuses_in_the_words_of_aws(self):
        url = self.fifo("refusals.fifo")
        self.refuses("MissingParameter", self.sqs.send_message, QueueUrl=url, MessageBody="x")
        self.refuses("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                     MessageBody="x", MessageGroupId="g", DelaySeconds=1)
        self.refuses("InvalidParameterValue", self.sqs.create_queue, QueueName="plain",
                     Attributes={"FifoQueue": "true"})
        self.refuses("InvalidAttributeName", self.sqs.set_queue_attributes, QueueUrl=self.url,
                     Attributes={"ContentBasedDeduplication": "true"})

    def test_a_deleted_name_is_held(self):
        url = self.sqs.create_queue(QueueName="short-lived")["QueueUrl"]
        self.sqs.delete_queue(QueueUrl=url)
        self.refuses("AWS.SimpleQueueService.QueueDeletedRecently", self.sqs.create_queue,
                     QueueName="short-lived")

    def test_errors_carry_the_codes_of_aws(self):
        self.refuses("AWS.SimpleQueueService.NonExistentQueue", self.sqs.get_queue_url,
                     QueueName="none")
        self.refuses("InvalidClientTokenId", self.region.client("sqs", key="AKIANONE").list_queues)
        self.refuses("SignatureDoesNotMatch", self.region.client("sqs", secret="no").list_queues)

    def test_regions_are_separate(self):
        other = self.region.client("sqs", region="eu-central-1")
        self.assertEqual(other.list_queues().get("QueueUrls", []), [])

    def test_the_aws_cli_sends_and_receives(self):
        self.region.cli("sqs", "send-message", "--queue-url", self.url, "--message-body", "cli")
        got = json.loads(self.region.cli("sqs", "receive-message", "--queue-url", self.url))
        self.assertEqual(got["Messages"][0]["Body"], "cli")


class SqsDurability(unittest.TestCase):
    def test_what_was_acknowledged_survives_kill_9(self):
        region = Region()
        self.addCleanup(region.stop)
        region.start()
        url = region.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
        acknowledged = set()

        def send(worker):
            sqs = region.client("sqs")
            for number in range(10_000):
                body = f"{worker}-{number}"
                try:
                    sqs.send_message(QueueUrl=url, MessageBody=body)
                except Exception:  # the daemon was killed: this one is not acknowledged
                    return
                acknowledged.add(body)

        with ThreadPoolExecutor() as pool:
            workers = [pool.submit(send, worker) for worker in range(4)]
            time.sleep(2)
            region.kill()
            for worker in workers:
                worker.result(timeout=30)
        region.start()
        sqs = region.client("sqs")
        found = set()
        while True:
            got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            if not got:
                break
            found.update(message["Body"] for message in got)
        self.assertGreater(len(acknowledged), 50)
        self.assertEqual(acknowledged - found, set())

    def test_duplicates_are_known_after_kill_9(self):
        region = Region()
        self.addCleanup(region.stop)
        region.start()
        sqs = region.client("sqs")
        url = sqs.create_queue(QueueName="once.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

        def send():
            return sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="g",
                                    MessageDeduplicationId="once")["MessageId"]

        sent = send()
        [message] = sqs.receive_message(QueueUrl=url)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        region.kill()
        region.start()
        self.assertEqual(send(), sent)
        self.assertNotIn("Messages", sqs.receive_message(QueueUrl=url))


if __name__ == "__main__":
    unittest.main()
