"""S3 under load: small objects through many connections, a page of a million keys, and a GiB streamed
beside what `cp` and `md5sum` need for it."""
import hashlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request

ROUNDS = 5
SECONDS = 4
CONNECTIONS = 64
BIG_BYTES = 1 << 30
KEYS = 1_000_000

# Requests that need no signature: the figures are of S3, not of the one who signs.
POLICY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": ["s3:PutObject", "s3:GetObject"],
     "Resource": "arn:aws:s3:::load/*"},
    {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket",
     "Resource": "arn:aws:s3:::load"}]}

SCRIPT = """
local i = {first}
wrk.method = "{method}"
wrk.body = {body}
request = function()
  i = i + 1
  return wrk.format(nil, string.format("/load/%07d", i % {keys}))
end
"""


def wrk(endpoint, method, keys, seconds, first=0):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        body = 'string.rep("x", 1024)' if method == "PUT" else "nil"
        script.write(SCRIPT.format(method=method, body=body, keys=keys,
                                   first=first))
        script.flush()
        out = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name, endpoint],
            check=True, text=True, stdout=subprocess.PIPE).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"{method} was answered with errors:\n{out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def timed(*command):
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def resident_mib(region, field):
    status = pathlib.Path(f"/proc/{region.daemon.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024


def bench_big(region):
    with tempfile.TemporaryDirectory() as folder:
        big, copy = f"{folder}/big", f"{folder}/copy"
        with open(big, "wb") as file:
            for _ in range(BIG_BYTES >> 20):
                file.write(os.urandom(1 << 20))
        url = f"{region.endpoint}/load/big"
        local, put, get = [], [], []
        for _ in range(ROUNDS):
            local.append(timed("cp", big, copy) + timed("md5sum", copy))
            put.append(timed("curl", "-sSf", "-T", big, url))
            get.append(timed("curl", "-sSf", "-o", copy, url))
        with open(copy, "rb") as file:
            back = hashlib.file_digest(file, "md5").hexdigest()
        with open(big, "rb") as file:
            if back != hashlib.file_digest(file, "md5").hexdigest():
                raise SystemExit("the GiB came back changed")
    median = statistics.median
    print(f"\n1 GiB: cp and md5sum {median(local):.2f} s, PUT {median(put):.2f} s "
          f"({median(local) / median(put):.2f} x), GET {median(get):.2f} s; "
          f"at most {resident_mib(region, 'VmHWM'):.0f} MiB resident")


def bench(region):
    region.start()
    s3 = region.client("s3")
    s3.create_bucket(Bucket="load")
    s3.delete_public_access_block(Bucket="load")
    s3.put_bucket_policy(Bucket="load", Policy=json.dumps(POLICY))
    bench_big(region)
    for method in ("PUT", "GET"):
        wrk(region.endpoint, method, 10_000, SECONDS)
        rates = [wrk(region.endpoint, method, 10_000, SECONDS) for _ in range(ROUNDS)]
        print(f"\n{method} of 1 KiB, {CONNECTIONS} connections: {statistics.median(rates):.0f}/s")
    listed = 0
    while listed < KEYS:
        # What was under way when the time was over may be missing: the next begins before it.
        listed += int(wrk(region.endpoint, "PUT", KEYS, 30, listed) * 30) - CONNECTIONS
    url = f"{region.endpoint}/load?list-type=2&start-after=0500000"
    answer = urllib.request.urlopen(url, timeout=10).read()
    if answer.count(b"<Key>") != 1000:
        raise SystemExit(f"a page has {answer.count(b'<Key>')} keys")
    command = ["curl", "-sSf", "-o", "/dev/null", "-w", "%{time_total}", url]
    pages = sorted(float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
                   for _ in range(50))
    print(f"\na page of 1,000 of {KEYS:,} keys: p50 {pages[25] * 1000:.1f} ms")
