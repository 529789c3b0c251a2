"""SQS under load: send, receive and delete by many connections, every send on disk, in a queue of ten
messages and in one of a million. Requests are signed beforehand, so that wrk's one thread is the
load generator and not its Python; what is signed is AWS's JSON protocol.
"""
import datetime
import hashlib
import hmac
import http.client
import json
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

CONNECTIONS = 256
SECONDS = 2
ROUNDS = 3
DELETES = 40_000  # more than a round can use up
MILLION = 1_000_000
SCRIPT = """
local requests = {}
for line in io.lines("%s") do
  local date, signature, body = line:match("^(%%S+) (%%S+) (.*)$")
  requests[#requests + 1] = wrk.format("POST", "/", {
    ["Host"] = "%s", ["Content-Type"] = "application/x-amz-json-1.0", ["X-Amz-Target"] = "AmazonSQS.%s",
    ["X-Amz-Date"] = date, ["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/" ..
    date:sub(1, 8) .. "/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, " ..
    "Signature=" .. signature}, body)
end
local next = 0
function request()
  next = next %% #requests + 1
  return requests[next]
end
"""


class Client:
    def __init__(self, port):
        self.host = f"127.0.0.1:{port}"
        self.connection = http.client.HTTPConnection(self.host)
        self.folder = tempfile.TemporaryDirectory()

    def sign(self, operation, body):
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        key = b"AWS4test"
        for part in (date[:8], "us-east-1", "sqs", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        canonical = "\n".join([
            "POST", "/", "", f"host:{self.host}", f"x-amz-date:{date}",
            f"x-amz-target:AmazonSQS.{operation}", "", "host;x-amz-date;x-amz-target",
            hashlib.sha256(body).hexdigest()])
        to_sign = "\n".join(["AWS4-HMAC-SHA256", date, f"{date[:8]}/us-east-1/sqs/aws4_request",
                             hashlib.sha256(canonical.encode()).hexdigest()])
        return date, hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()

    def call(self, operation, **parameters):
        body = json.dumps(parameters).encode()
        date, signature = self.sign(operation, body)
        self.connection.request("POST", "/", body, {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Date": date,
            "X-Amz-Target": f"AmazonSQS.{operation}",
            "Authorization": "AWS4-HMAC-SHA256 "
            f"Credential=test/{date[:8]}/us-east-1/sqs/aws4_request, "
            f"SignedHeaders=host;x-amz-date;x-amz-target, Signature={signature}"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{operation}: {answer.status} {text.decode()}")
        return json.loads(text)

    def load(self, operation, parameters, seconds=SECONDS):
        """Calls a second; the requests take turns."""
        lines = []
        for one in parameters:
            body = json.dumps(one)
            lines.append(" ".join([*self.sign(operation, body.encode()), body]))
        requests = pathlib.Path(self.folder.name, "requests")
        requests.write_text("\n".join(lines) + "\n")
        script = pathlib.Path(self.folder.name, "script.lua")
        script.write_text(SCRIPT % (requests, self.host, operation))
        out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script),
                              f"http://{self.host}/"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        if "Non-2xx" in out or "Socket errors" in out:
            raise SystemExit(f"{operation} was answered with errors:\n{out}")
        return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def measure(client, url, visibility):
    """Rates of send, receive and delete; the queue is as deep afterwards as before, or deeper."""
    send = client.load("SendMessage", [{"QueueUrl": url, "MessageBody": "x" * 100}])
    receive = client.load("ReceiveMessage", [{"QueueUrl": url, "VisibilityTimeout": visibility}])
    handles = []
    while len(handles) < DELETES:
        got = client.call("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10,
                          VisibilityTimeout=20).get("Messages")
        if not got:
            entries = [{"Id": str(i), "MessageBody": "x" * 100} for i in range(10)]
            client.call("SendMessageBatch", QueueUrl=url, Entries=entries)
        handles += [message["ReceiptHandle"] for message in got or []]
    delete = client.load("DeleteMessage",
                         [{"QueueUrl": url, "ReceiptHandle": handle} for handle in handles])
    return send, receive, delete


def bench(region):
    region.start()
    client = Client(region.port)
    memory = pathlib.Path(f"/proc/{region.daemon.pid}/status")
    for depth in (10, MILLION):
        url = client.call("CreateQueue", QueueName=f"depth-{depth}")["QueueUrl"]
        entries = [{"Id": str(i), "MessageBody": "x" * 100} for i in range(10)]
        while depth == MILLION:
            attributes = client.call("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
            if int(attributes["Attributes"]["ApproximateNumberOfMessages"]) >= depth:
                break
            client.load("SendMessageBatch", [{"QueueUrl": url, "Entries": entries}], seconds=5)
        # In the deep queue every receive is of another message.
        rounds = [measure(client, url, 2 if depth == MILLION else 0) for _ in range(ROUNDS)]
        resident = int(re.search(r"VmRSS:\s+(\d+)", memory.read_text())[1]) / 1024
        print(f"\nSQS, {CONNECTIONS} connections, a queue of {depth:,} messages and more, "
              f"{resident:.0f} MiB resident")
        for name, rates in zip(("send", "receive", "delete"), zip(*rounds)):
            print(f"  {name:34} {statistics.median(rates):12.1f}/s")
    region.kill()
    began = time.monotonic()
    region.start()
    print(f"  start with both queues             {time.monotonic() - began:12.2f} s")
