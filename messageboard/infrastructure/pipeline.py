"""The picture pipeline: buckets, queues, notification, function. Made through the public AWS APIs;
what is as it should be is left alone.
"""
import base64
import hashlib
import json
import sys
import time

from botocore.exceptions import ClientError

RAW_BUCKET = "messageboard-raw-images"
PROCESSED_BUCKET = "messageboard-processed-images"
QUEUE = "messageboard-raw-images"
DEAD_LETTER_QUEUE = "messageboard-raw-images-dead-letter"
FUNCTION = "anonymise_image"
FUNCTION_ROLE = "messageboard-anonymise-image"
# As the original system: 1024 MB, 60 s, one picture a call.
FUNCTION_MEMORY_MB = 1024
FUNCTION_TIMEOUT_S = 60
BATCH_SIZE = 1
# AWS advises six times the function's timeout.
VISIBILITY_TIMEOUT_S = 6 * FUNCTION_TIMEOUT_S
MAX_RECEIVE_COUNT = 3
ZIP_INLINE_BYTES_MAX = 50 * 1024 * 1024


class Pipeline:
    def __init__(self, region):
        self.region = region

    def buckets(self):
        s3 = self.region.clients["s3"]
        for bucket in (RAW_BUCKET, PROCESSED_BUCKET):
            try:
                s3.head_bucket(Bucket=bucket)
            except ClientError:
                where = {} if self.region.name == "us-east-1" else {
                    "CreateBucketConfiguration": {"LocationConstraint": self.region.name}}
                s3.create_bucket(Bucket=bucket, **where)
        # Only anonymised pictures are for everyone; the raw bucket keeps AWS's default: private.
        s3.put_public_access_block(Bucket=PROCESSED_BUCKET, PublicAccessBlockConfiguration={
            "BlockPublicAcls": True, "IgnorePublicAcls": True,
            "BlockPublicPolicy": False, "RestrictPublicBuckets": False})
        s3.put_bucket_policy(Bucket=PROCESSED_BUCKET, Policy=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Sid": "AnonymisedPicturesAreForEveryone", "Effect": "Allow",
                           "Principal": "*", "Action": "s3:GetObject",
                           "Resource": f"arn:aws:s3:::{PROCESSED_BUCKET}/*"}]}))

    def queue(self, name, attributes):
        sqs = self.region.clients["sqs"]
        try:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        except sqs.exceptions.QueueDoesNotExist:
            url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])[
            "Attributes"]["QueueArn"]

    def queues(self):
        dead_letters = self.queue(DEAD_LETTER_QUEUE, {"MessageRetentionPeriod": "1209600"})
        arn = f"arn:aws:sqs:{self.region.name}:{self.region.account}:{QUEUE}"
        policy = {"Version": "2012-10-17", "Statement": [{
            "Sid": "RawBucketSends", "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{RAW_BUCKET}"},
                          "StringEquals": {"aws:SourceAccount": self.region.account}}}]}
        return self.queue(QUEUE, {
            "VisibilityTimeout": str(VISIBILITY_TIMEOUT_S),
            "ReceiveMessageWaitTimeSeconds": "20",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_letters,
                                         "maxReceiveCount": MAX_RECEIVE_COUNT}),
            "Policy": json.dumps(policy)})

    def notification(self, queue_arn):
        s3 = self.region.clients["s3"]
        wanted = [{"Id": "pictures", "QueueArn": queue_arn, "Events": ["s3:ObjectCreated:*"],
                   "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "pictures/"}]}}}]
        # Put only when it changes: each put sends an s3:TestEvent.
        now = s3.get_bucket_notification_configuration(Bucket=RAW_BUCKET)
        now = [{**entry, "Filter": {"Key": {"FilterRules": [
            {"Name": rule["Name"].lower(), "Value": rule["Value"]}
            for rule in entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])]}}}
            for entry in now.get("QueueConfigurations", [])]
        if now != wanted:
            s3.put_bucket_notification_configuration(
                Bucket=RAW_BUCKET, NotificationConfiguration={"QueueConfigurations": wanted})

    def function_role(self):
        iam = self.region.clients["iam"]
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole"}]}
        try:
            arn = iam.get_role(RoleName=FUNCTION_ROLE)["Role"]["Arn"]
        except iam.exceptions.NoSuchEntityException:
            arn = iam.create_role(RoleName=FUNCTION_ROLE, AssumeRolePolicyDocument=json.dumps(trust)
                                  )["Role"]["Arn"]
        iam.put_role_policy(RoleName=FUNCTION_ROLE, PolicyName="pictures", PolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "s3:GetObject",
                 "Resource": f"arn:aws:s3:::{RAW_BUCKET}/*"},
                # Without it S3 answers 403 where a picture is gone, as to whoever may not know.
                {"Effect": "Allow", "Action": "s3:ListBucket",
                 "Resource": f"arn:aws:s3:::{RAW_BUCKET}"},
                {"Effect": "Allow", "Action": "s3:PutObject",
                 "Resource": [f"arn:aws:s3:::{PROCESSED_BUCKET}/*",
                              f"arn:aws:s3:::{RAW_BUCKET}/failed/*"]},
                {"Effect": "Allow",
                 "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                 "Resource": f"arn:aws:sqs:{self.region.name}:{self.region.account}:{QUEUE}"},
                {"Effect": "Allow",
                 "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                 "Resource": "*"}]}))
        return arn

    def function(self, role_arn):
        client = self.region.clients["lambda"]
        package = (self.region.build / "anonymise_image.zip").read_bytes()
        if len(package) > ZIP_INLINE_BYTES_MAX:
            sys.exit(f"error: the function's package has {len(package)} bytes; "
                     f"{ZIP_INLINE_BYTES_MAX} can be sent")
        settings = {"FunctionName": FUNCTION, "Role": role_arn, "Handler": "bootstrap",
                    "Runtime": "provided.al2023", "Timeout": FUNCTION_TIMEOUT_S,
                    "MemorySize": FUNCTION_MEMORY_MB,
                    "Environment": {"Variables": {
                        "AWS_PROCESSED_BUCKET_NAME": PROCESSED_BUCKET,
                        "MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT)}}}
        digest = base64.b64encode(hashlib.sha256(package).digest()).decode()
        try:
            now = client.get_function(FunctionName=FUNCTION)["Configuration"]
        except client.exceptions.ResourceNotFoundException:
            client.create_function(Code={"ZipFile": package}, **settings)
            return self.wait_for_function()
        if now["CodeSha256"] != digest:
            client.update_function_code(FunctionName=FUNCTION, ZipFile=package)
            self.wait_for_function()
        if any(now.get(name) != value for name, value in settings.items()):
            client.update_function_configuration(**settings)
        return self.wait_for_function()

    def wait_for_function(self):
        for _ in range(200):
            now = self.region.clients["lambda"].get_function(FunctionName=FUNCTION)["Configuration"]
            if now["State"] == "Active" and now.get("LastUpdateStatus") == "Successful":
                return
            if now["State"] == "Failed" or now.get("LastUpdateStatus") == "Failed":
                sys.exit(f"error: the function can't be used: {now}")
            time.sleep(0.1)
        sys.exit("error: the function did not become active")

    def event_source_mapping(self, queue_arn):
        client = self.region.clients["lambda"]
        found = client.list_event_source_mappings(
            EventSourceArn=queue_arn, FunctionName=FUNCTION)["EventSourceMappings"]
        if not found:
            client.create_event_source_mapping(
                EventSourceArn=queue_arn, FunctionName=FUNCTION, BatchSize=BATCH_SIZE,
                FunctionResponseTypes=["ReportBatchItemFailures"])

    def run(self):
        self.buckets()
        queue_arn = self.queues()
        self.notification(queue_arn)
        self.function(self.function_role())
        self.event_source_mapping(queue_arn)
