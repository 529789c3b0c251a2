"""What was acknowledged is there after kill -9, again and again, under load. Each worker keeps a
ledger of what the region told it; what was under way when the daemon died may have happened or not.
"""
import hashlib
import random
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from harness import Region

ROUNDS = 4
ROUND_SECONDS = (1, 3)
WORKERS = 3  # of each kind
DRAIN_SECONDS = 60


class Worker:
    """Works until told to stop or until the daemon is gone."""

    def __init__(self, region, number, seed):
        self.number = number
        self.random = random.Random(seed)
        self.region = region

    def run(self, ready, stopping):
        self.connect()
        ready.wait(60)
        try:
            while not stopping.is_set():
                self.step()
        except (BotoCoreError, ClientError) as error:
            # A daemon that dies answers nothing; one that lives must not answer an error.
            if isinstance(error, ClientError):
                raise


class Objects(Worker):
    """Objects of its own: key -> the contents that may be there, None for no object."""
    keys = 30

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.possible = {f"{self.number}/{n}": {None} for n in range(self.keys)}

    def connect(self):
        self.s3 = self.region.client("s3")

    def step(self):
        key = self.random.choice(list(self.possible))
        if self.random.random() < 0.3:
            self.possible[key].add(None)
            self.s3.delete_object(Bucket="kept", Key=key)
            self.possible[key] = {None}
            return
        # On both sides of what is kept beside its metadata and what has a file of its own.
        content = self.random.randbytes(self.random.choice((10, 1000, 20_000, 200_000)))
        digest = hashlib.sha256(content).hexdigest()
        self.possible[key].add(digest)
        self.s3.put_object(Bucket="kept", Key=key, Body=content)
        self.possible[key] = {digest}

    def check(self, test):
        s3 = self.region.client("s3")
        listed = set()
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="kept",
                                                                 Prefix=f"{self.number}/"):
            listed.update(entry["Key"] for entry in page.get("Contents", []))
        for key, possible in self.possible.items():
            try:
                body = s3.get_object(Bucket="kept", Key=key)["Body"].read()
                found = hashlib.sha256(body).hexdigest()
            except s3.exceptions.NoSuchKey:
                found = None
            test.assertIn(found, possible, key)
            test.assertEqual(key in listed, found is not None, key)
            self.possible[key] = {found}


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


class Versions(Worker):
    """Keys of its own in a bucket with versioning: key -> {version id: the digest of its contents,
    None for a delete marker} as acknowledged, and what was under way: a new version's digest, or
    the id of a version that was being removed."""
    keys = 4

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.kept = {f"{self.number}/{n}": {} for n in range(self.keys)}
        self.writing = {}
        self.removing = {}
        self.part = self.random.randbytes(5 << 20)

    def connect(self):
        self.s3 = self.region.client("s3")

    def step(self):
        key = self.random.choice(list(self.kept))
        chance = self.random.random()
        objects = [(other, version) for other, versions in self.kept.items()
                   for version, digest in versions.items() if digest and other != key]
        if chance < 0.2 and objects:
            source, version = self.random.choice(objects)
            self.write(key, self.kept[source][version], self.s3.copy_object, CopySource={
                "Bucket": "versions", "Key": source, "VersionId": version})
        elif chance < 0.25:
            self.write(key, digest_of(self.part + b"end"), self.upload_in_parts)
        elif chance < 0.4:
            self.write(key, None, self.s3.delete_object)
        elif chance < 0.6 and self.kept[key]:
            version = self.random.choice(list(self.kept[key]))
            self.removing[key] = version
            self.s3.delete_object(Bucket="versions", Key=key, VersionId=version)
            del self.kept[key][version], self.removing[key]
        else:
            content = self.random.randbytes(self.random.choice((100, 50_000)))
            self.write(key, digest_of(content), self.s3.put_object, Body=content)

    def write(self, key, digest, call, **arguments):
        self.writing[key] = digest
        self.kept[key][call(Bucket="versions", Key=key, **arguments)["VersionId"]] = digest
        del self.writing[key]

    def upload_in_parts(self, **where):
        where["UploadId"] = self.s3.create_multipart_upload(**where)["UploadId"]
        etags = [self.s3.upload_part(PartNumber=number, Body=body, **where)["ETag"]
                 for number, body in ((1, self.part), (2, b"end"))]
        return self.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [
            {"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]})

    def found(self, s3):
        """What is there: key -> {version id: digest of what it reads, None for a marker}."""
        found = {key: {} for key in self.kept}
        for page in s3.get_paginator("list_object_versions").paginate(Bucket="versions",
                                                                      Prefix=f"{self.number}/"):
            for marker in page.get("DeleteMarkers", []):
                found[marker["Key"]][marker["VersionId"]] = None
            for version in page.get("Versions", []):
                body = s3.get_object(Bucket="versions", Key=version["Key"],
                                     VersionId=version["VersionId"])["Body"].read()
                found[version["Key"]][version["VersionId"]] = digest_of(body)
        return found

    def check(self, test):
        for key, found in self.found(self.region.client("s3")).items():
            kept = dict(self.kept[key])
            if key in self.removing and self.removing[key] not in found:
                del kept[self.removing[key]]
            new = {version: digest for version, digest in found.items() if version not in kept}
            test.assertEqual({**found, **kept}, found, f"acknowledged versions of {key} are lost")
            may_be = [self.writing[key]] if key in self.writing else []
            test.assertIn(list(new.values()), ([], may_be), f"{key} has what nobody wrote")
            self.kept[key] = found
        self.writing, self.removing = {}, {}


class Messages(Worker):
    """A queue of its own: sends, receives, deletes."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.sent = set()  # acknowledged
        self.maybe_deleted = set()
        self.deleted = set()  # acknowledged
        self.count = 0
        self.url = self.region.client("sqs").create_queue(
            QueueName=f"kept-{self.number}", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]

    def connect(self):
        self.sqs = self.region.client("sqs")

    def step(self):
        if self.random.random() < 0.6:
            self.count += 1
            body = f"{self.number}-{self.count}"
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)
            self.sent.add(body)
        else:
            self.receive(self.sqs)

    def receive(self, sqs):
        """Deletes what it got; returns the bodies."""
        messages = sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        bodies = [message["Body"] for message in messages]
        again = self.deleted.intersection(bodies)
        if again:
            raise AssertionError(f"deleted messages came back: {again}")
        for message in messages:
            self.maybe_deleted.add(message["Body"])
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            self.deleted.add(message["Body"])
        return bodies

    def check(self, test):
        """Everything that was sent and not deleted comes, in the end."""
        sqs = self.region.client("sqs")
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.sent - self.maybe_deleted and time.monotonic() < deadline:
            self.receive(sqs)
        test.assertEqual(self.sent - self.maybe_deleted, set(), "acknowledged messages are lost")


class LogEvents(Worker):
    """A log stream of its own: every acknowledged event is there once, in order."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.acknowledged = []
        self.count = 0
        self.stream = f"stream-{self.number}"
        self.region.client("logs").create_log_stream(logGroupName="kept", logStreamName=self.stream)

    def connect(self):
        self.logs = self.region.client("logs")

    def step(self):
        messages = [f"event {self.count + n}" for n in range(5)]
        self.count += len(messages)
        self.logs.put_log_events(
            logGroupName="kept", logStreamName=self.stream,
            logEvents=[{"timestamp": int(time.time() * 1000), "message": message}
                       for message in messages])
        self.acknowledged += messages

    def check(self, test):
        logs = self.region.client("logs")
        found, token = [], None
        while True:
            more = {"nextToken": token} if token else {}
            page = logs.get_log_events(logGroupName="kept", logStreamName=self.stream,
                                       startFromHead=True, **more)
            found += [event["message"] for event in page["events"]]
            if page["nextForwardToken"] == token:
                break
            token = page["nextForwardToken"]
        test.assertEqual(len(found), len(set(found)), "an event is there twice")
        missing = set(self.acknowledged) - set(found)
        test.assertEqual(missing, set(), "acknowledged events are lost")


class Durability(unittest.TestCase):
    def setUp(self):
        self.region = Region()
        self.addCleanup(self.region.stop)
        self.region.start()

    def test_acknowledged_survives_kill_9_in_loops_under_load(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        s3 = self.region.client("s3")
        for bucket in ("kept", "versions"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        self.region.client("logs").create_log_group(logGroupName="kept")
        workers = [kind(self.region, number, chance.random())
                   for kind in (Objects, Versions, Messages, LogEvents) for number in range(WORKERS)]
        for turn in range(ROUNDS):
            with self.subTest(seed=seed, turn=turn):
                self.crash_while_working(workers, chance.uniform(*ROUND_SECONDS))
                for worker in workers:
                    worker.check(self)
        self.assertGreater(sum(len(worker.sent) for worker in workers
                               if isinstance(worker, Messages)), 100, "too little was tried")

    def crash_while_working(self, workers, seconds):
        # Making a client takes longer than a round on a busy machine.
        ready = threading.Barrier(len(workers) + 1)
        stopping = threading.Event()
        with ThreadPoolExecutor(len(workers)) as pool:
            running = [pool.submit(worker.run, ready, stopping) for worker in workers]
            ready.wait(60)
            time.sleep(seconds)
            self.region.kill()
            stopping.set()
            for future in running:
                future.result(timeout=60)
        self.region.start()


if __name__ == "__main__":
    unittest.main()
