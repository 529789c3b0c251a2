"""A region of a test's own: `terrarium serve` on a free port with a fresh state folder, ended and
removed with the test, whatever happens. Used by every test in this folder.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD_FOLDER", ROOT / "build/release"))
TERRARIUM = BUILD / "bin/terrarium"
PHOTO_FOLDER = BUILD / "messageboard/anonymise_image/samples"


def free_port():
    """One that no outgoing connection is given: a daemon that starts again must get it back."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(100):
        port = random.randrange(min(first, 20_000) - 10_000, first)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError(f"no free port below {first}")


def eventually(predicate, seconds, what, pause=0.02):
    """Waits until predicate() is true, and returns its value; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s: {what}")
        time.sleep(pause)


def get_json(url, timeout=5):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return json.load(answer)


class Region:
    def __init__(self, account="000000000000"):
        self.port = free_port()
        self.account = account
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="terrarium-test-"))
        self.state.chmod(0o755)
        self.daemon = None

    def arguments(self, command):
        return [str(TERRARIUM), command, "--port", str(self.port), "--state", str(self.state),
                "--account", self.account]

    def start(self):
        """Starts the daemon; returns the seconds until its first answer."""
        log = open(self.state / "daemon.log", "ab")
        began = time.monotonic()
        self.daemon = subprocess.Popen(self.arguments("serve"), stdout=log, stderr=log)
        log.close()
        eventually(self.answers, 20, f"no answer from the daemon:\n{self.log()}",
                   pause=0.001)
        return time.monotonic() - began

    def answers(self):
        if self.daemon.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.daemon.returncode}:\n{self.log()}")
        try:
            return "terrarium" in get_json(f"{self.endpoint}/_terrarium/health", timeout=1)
        except (urllib.error.URLError, OSError):
            return False

    def log(self):
        return (self.state / "daemon.log").read_text()[-4000:]

    def kill(self):
        """As a crash: nothing is flushed, nothing is told."""
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait(10)

    def stop(self):
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.terminate()
            try:
                self.daemon.wait(60)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait(10)
        # Ends what a killed daemon left running.
        subprocess.run(self.arguments("down"), stdout=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.state, ignore_errors=True)

    def client(self, service, region="us-east-1", key="test", secret="test", **options):
        options.setdefault("retries", {"max_attempts": 0})
        options.setdefault("read_timeout", 70)
        return boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret,
                             region_name=region).client(
            service, endpoint_url=self.endpoint,
            config=Config(s3={"addressing_style": "path"}, **options))

    def role(self, name, service, actions="*"):
        """The ARN of a role that `service` may have, allowed `actions` on everything."""
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [trust]}))
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(
            {"Version": "2012-10-17",
             "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
        return made["Role"]["Arn"]

    def cli(self, *arguments, check=True):
        """The AWS CLI of Debian; its output as text."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.state),
                       "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                       "AWS_DEFAULT_REGION": "us-east-1", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["/usr/bin/aws", "--endpoint-url", self.endpoint, *arguments],
                              env=environment, text=True, capture_output=True, timeout=120,
                              check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"aws {' '.join(arguments)}: {done.stderr}")
        return done.stdout if check else done


class RegionTest(unittest.TestCase):
    """A test case whose class shares one region."""

    @classmethod
    def setUpClass(cls):
        cls.region = Region()
        cls.addClassCleanup(cls.region.stop)
        cls.region.start()

    def refuses(self, code, call, **arguments):
        """The call fails with AWS's error `code`; returns the error's response."""
        with self.assertRaises(boto3.exceptions.botocore.exceptions.ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response
