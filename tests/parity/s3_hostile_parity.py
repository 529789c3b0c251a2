"""S3 under requests that no client sends by mistake. Each is answered or its connection ends, nothing
of it is kept, the daemon's memory stays where it was, and the next request is served.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import socket
import threading
import time
import unittest
import urllib.parse

from harness import RegionTest, eventually

CONNECTIONS = 10_000
# What they may cost together; each also has buffers in the kernel.
MEMORY_MIB = 200


class S3Hostile(RegionTest):
    def setUp(self):
        self.s3 = self.region.client("s3")
        self.bucket = "hostile-" + hashlib.md5(self.id().encode()).hexdigest()[:10]
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.delete_public_access_block(Bucket=self.bucket)
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": "*", "Action": "s3:*Object*",
                "Resource": f"arn:aws:s3:::{self.bucket}/*"}]}))
        self.addCleanup(self.still_serves)

    def still_serves(self):
        self.s3.put_object(Bucket=self.bucket, Key="after", Body=b"served")
        self.assertEqual(self.s3.get_object(Bucket=self.bucket, Key="after")["Body"].read(),
                         b"served")
        self.s3.delete_object(Bucket=self.bucket, Key="after")

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.region.port), 20)

    def sent(self, request, end=True):
        """All that comes back until the connection ends."""
        with self.connect() as raw:
            answer = b""
            try:
                raw.sendall(request)
                if end:
                    raw.shutdown(socket.SHUT_WR)
                while more := raw.recv(65536):
                    answer += more
            except (ConnectionResetError, BrokenPipeError):
                pass
            return answer

    def head(self, key, *lines, method="PUT"):
        text = [f"{method} /{self.bucket}/{key} HTTP/1.1", "Host: x", *lines, "", ""]
        return "\r\n".join(text).encode("latin-1")

    def refused(self, request, *codes, end=True):
        answer = self.sent(request, end)
        self.assertNotRegex(answer[:20], rb"^HTTP/1.1 2", request[:200])
        if codes:
            found = re.search(rb"<Code>(.*?)</Code>", answer)
            self.assertIn(found and found[1].decode(), codes, answer[:500])
        return answer

    def keys(self):
        return [entry["Key"]
                for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
                for entry in page.get("Contents", [])]

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.region.daemon.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def test_bodies_that_break_off_or_lie_leave_nothing(self):
        chunked = "Transfer-Encoding: chunked"
        for lines, body in (
                ([chunked], b"5\r\nab"), ([chunked], b"5\r\nabcde\r\n"), ([chunked], b"zz\r\nab"),
                ([chunked], b"-1\r\nab"), ([chunked], b"ffffffffffffffffff\r\nab"),
                ([chunked], b"2\r\nabX\r\n0\r\n\r\n"), ([chunked], b"2;" + b"e" * 100_000),
                ([chunked], b"1\r\na\r\n0\r\n" + b"T: x\r\n" * 20_000),
                (["Content-Length: 10"], b"abc"), (["Content-Length: -1"], b""),
                (["Content-Length: 1e3"], b"abc"), (["Content-Length: 99999999999999999999"], b""),
                (["Content-Length: 3", "Content-Length: 4"], b"abcd"),
                (["Content-Length: 3", chunked], b"0\r\n\r\n"),
                (["Transfer-Encoding: gzip"], b"abc"), ([f"{chunked}, chunked"], b"0\r\n\r\n"),
                ([], b"a body without a length")):
            with self.subTest(lines=lines, body=body[:40]):
                self.refused(self.head("broken", *lines) + body)
        # Signed chunks, as SDKs stream them.
        lines = ["x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Length: 20",
                 "x-amz-decoded-content-length: 4", "Content-Encoding: aws-chunked"]
        for body in (b"4\r\nabcd\r\n0\r\n\r\n\r\n\r\n\r\n", b"9\r\nabcdefghi\r\n0\r\n\r\n",
                     b"zz\r\nabcd\r\n0\r\n\r\n\r\n\r\n\r\n", b"4\r\nab"):
            with self.subTest(body=body):
                self.sent(self.head("broken", *lines) + body)
        self.assertNotIn(b"broken!", b"".join(key.encode() for key in self.keys()))
        self.refused(self.head("short", "Content-Length: 10") + b"abc", "IncompleteBody")
        self.assertLessEqual(set(self.keys()), {"broken"})

    def test_heads_that_are_too_large_or_mean_two_things_are_refused(self):
        for request in (
                b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                self.head("k", *[f"x-amz-meta-{n}: {'v' * 60}" for n in range(5_000)]),
                self.head("k", "x-amz-meta-a: " + "v" * 100_000),
                self.head("k", "Host: y", "Content-Length: 0"),
                b"PUT /k HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
                self.head("k", "x-amz-meta-a: b\0c", "Content-Length: 0"),
                self.head("k", "name without a colon", "Content-Length: 0"),
                self.head("k", " folded: line", "Content-Length: 0"),
                self.head("k", "name : space", "Content-Length: 0"),
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500),
                b"PUT /k HTTP/9.9\r\nHost: x\r\n\r\n", b"\0" * 70_000, b"\r\n" * 70_000):
            with self.subTest(request=request[:60]):
                self.refused(request)
        for double in ("x-amz-tagging: a=1", "If-Match: \"x\"", "x-amz-acl: private"):
            with self.subTest(double=double):
                answer = self.sent(self.head("double", double, double, "Content-Length: 0"))
                self.assertNotIn(b" 500 ", answer[:20])
        self.assertLessEqual(set(self.keys()), {"double"})

    def test_keys_never_lead_out_of_the_bucket(self):
        before = {path for path in self.region.state.rglob("*") if "objects" not in path.parts}
        inside = ("../../../../etc/passwd", "..%2f..%2fescape", "%2e%2e/%2e%2e/escape", "a/../../b",
                  "./x", "//x", "%5c..%5cx", "a%0d%0ab", "%e2%80%ae", "k" * 1024)
        for key in inside:
            with self.subTest(key=key[:40]):
                answer = self.sent(self.head(key, "Content-Length: 20000", "Connection: close") +
                                   b"x" * 20_000)
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer[:400])
        self.assertEqual(set(self.keys()), {urllib.parse.unquote(key) for key in inside})
        for key, codes in (("k" * 1025, ("KeyTooLongError",)), ("%00", ()), ("a%00b", ()),
                           ("%ff%fe", ()), ("%c0%ae%c0%ae/x", ()), ("%", ()), ("%zz", ()),
                           ("%e4", ()), ("\xe4", ())):
            with self.subTest(key=key[:40]):
                self.assertNotIn(b" 500 ", self.sent(self.head(key, "Content-Length: 1",
                                                               "Connection: close") + b"x")[:20])
        grown = {path for path in self.region.state.rglob("*") if "objects" not in path.parts}
        self.assertEqual({path for path in grown - before if "store" not in path.parts}, set())

    def test_documents_that_grow_are_not_read(self):
        bombs = ['<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' +
                 "".join(f'<!ENTITY {b} "&{a};&{a};&{a};&{a};&{a};&{a};">'
                         for a, b in zip("abcdefghijk", "bcdefghijkl")) + "]><Delete>&l;</Delete>",
                 '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&a;'
                 "</Key></Object></Delete>", "<Delete>" + "<a>" * 200_000,
                 "<Delete " + "".join(f'a{n}="1" ' for n in range(50_000)) + "/>",
                 "<Delete>" + "<Object><Key>k</Key></Object>" * 70_000 + "</Delete>"]
        before = self.resident_mib()
        for bomb in bombs:
            with self.subTest(bomb=bomb[:60]):
                body = bomb.encode()
                digest = base64.b64encode(hashlib.md5(body).digest()).decode()
                self.refused(f"POST /{self.bucket}?delete HTTP/1.1\r\nHost: x\r\nContent-MD5: "
                             f"{digest}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body,
                             "MalformedXML", "MaxMessageLengthExceeded", "AccessDenied")
        self.assertLess(self.resident_mib() - before, 50)
        refused = self.s3.delete_objects(Bucket=self.bucket,
                                         Delete={"Objects": [{"Key": "&" * 500_000}]})
        self.assertEqual([error["Code"] for error in refused["Errors"]], ["KeyTooLongError"])

    def test_slow_clients_hold_nobody_up(self):
        slow = [self.connect() for _ in range(200)]
        stopping = threading.Event()

        def drip():
            for raw in slow:
                raw.sendall(self.head("slow", "Content-Length: 1000000"))
            while not stopping.wait(0.05):
                for raw in slow:
                    raw.sendall(b"x")
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            began = time.monotonic()
            for n in range(200):
                self.s3.put_object(Bucket=self.bucket, Key=f"quick/{n % 10}", Body=b"x" * 1000)
            self.assertLess(time.monotonic() - began, 60)
        finally:
            stopping.set()
            dripping.join()
            for raw in slow:
                raw.close()
        self.assertNotIn("slow", self.keys())

    def test_ten_thousand_idle_connections_hold_nobody_up(self):
        before = self.resident_mib()
        idle = []
        try:
            for n in range(CONNECTIONS):
                raw = self.connect()
                # Half of them have begun a request, and stop there.
                if n % 2:
                    raw.sendall(self.head("idle", "Content-Length: 100000")[:-2 if n % 4 == 1
                                                                             else None])
                idle.append(raw)
            eventually(lambda: self.served() >= CONNECTIONS, 20, "connections were not taken")
            rates = []
            for n in range(3):
                began = time.monotonic()
                for m in range(100):
                    self.s3.put_object(Bucket=self.bucket, Key=f"busy/{m}", Body=b"x" * 1000)
                rates.append(100 / (time.monotonic() - began))
            cost = self.resident_mib() - before
        finally:
            for raw in idle:
                raw.close()
        print(f"{len(idle)} idle connections: {cost:.0f} MiB more resident; beside them one boto3 "
              f"client put {max(rates):.0f} objects/s")
        self.assertLess(cost, MEMORY_MIB)
        self.assertNotIn("idle", self.keys())

    def served(self):
        descriptors = pathlib.Path(f"/proc/{self.region.daemon.pid}/fd")
        return sum(1 for _ in descriptors.iterdir())


if __name__ == "__main__":
    unittest.main()
