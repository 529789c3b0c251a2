#!/usr/bin/python3
"""Benchmarks: A and B in one run, alternating, medians and ratios. docs/benchmarks.md tells what each
measures. Everything runs on 127.0.0.1 and ends with the program.

    tests/bench/bench.py [board] [pipeline] [lambda] [sqs] [s3] [daemon]
"""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/parity"))
sys.dont_write_bytecode = True

from harness import BUILD, Region, eventually, free_port  # noqa: E402
import lambda_parity  # noqa: E402
import pipeline_parity  # noqa: E402
import s3 as s3_load  # noqa: E402
import sqs as sqs_load  # noqa: E402

ROUNDS = 5
SECONDS = 3
CONNECTIONS = 64


def wrk(url, script=None, seconds=SECONDS):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url]
    if script:
        command += ["-s", str(script)]
    out = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"{url} answered with errors:\n{out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def compare(title, contenders, baseline):
    """contenders: {name: function giving a rate}. Rounds alternate; the ratio is of medians."""
    rates = {name: [] for name in contenders}
    for measure in contenders.values():  # a round that does not count warms everything up
        measure()
    for _ in range(ROUNDS):
        for name, measure in contenders.items():
            rates[name].append(measure())
    print(f"\n{title}")
    base = statistics.median(rates[baseline])
    for name, values in rates.items():
        median = statistics.median(values)
        print(f"  {name:34} {median:12.1f}/s   {median / base:8.2f} x {baseline}")


class Nginx:
    """nginx with a fixed answer of the same size, one worker a board thread."""

    def __init__(self, body, workers):
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-nginx-"))
        configuration = self.folder / "nginx.conf"
        configuration.write_text(f"""
daemon off; worker_processes {workers}; pid {self.folder}/pid; error_log {self.folder}/log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{self.port} reuseport;
    location / {{ default_type application/json; return 200 '{body}'; }} }} }}
""")
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", str(configuration)],
                                        stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)


def environment_for(region, database):
    made = json.loads(subprocess.run(
        [*region.arguments("database"), database], check=True, text=True,
        stdout=subprocess.PIPE).stdout)
    return {**os.environ, "DB_URL": f"{made['host']}:{made['port']}", "DB_USER": made["user"],
            "DB_PASSWORD": made["password"], "DB_NAME": made["name"],
            "AWS_RAW_BUCKET_NAME": "raw", "AWS_PROCESSED_BUCKET_NAME": "processed",
            "AWS_ENDPOINT_URL": region.endpoint, "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": str(ROOT / "tests/parity/original")}


def start_web(command, environment, port):
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)

    def up():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/messages/", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False
    eventually(up, 30, f"{command[0]} does not answer")
    return process


def post_message(port):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/message/",
                                     data=b'{"author":"bench","body":"hello"}',
                                     headers={"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=5).close()


def bench_board():
    region = Region()
    processes = []
    nginx = Nginx('{"is_healthy":true}', min(4, os.cpu_count()))
    try:
        region.start()
        board, original = free_port(), free_port()
        processes.append(start_web(
            [str(BUILD / "bin/messageboard-api"), "--listen", f"127.0.0.1:{board}"],
            environment_for(region, "board"), board))
        # The original ran one worker.
        processes.append(start_web(
            ["/usr/bin/python3", "-m", "uvicorn", "main:app", "--log-level", "critical", "--port",
             str(original)], environment_for(region, "original"), original))
        for port in (board, original):
            post_message(port)
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                         'wrk.body = \'{"author":"bench","body":"hello"}\'\n')
            script.flush()
            url = f"http://127.0.0.1:{board}"
            compare("GET /: a fixed answer", {
                "nginx": lambda: wrk(f"http://127.0.0.1:{nginx.port}/"),
                "board": lambda: wrk(f"{url}/")}, "nginx")
            compare("GET /message/1 against GET /", {
                "board GET /": lambda: wrk(f"{url}/"),
                "board GET /message/1": lambda: wrk(f"{url}/message/1")}, "board GET /")
            # Fewer connections: with 64 the original runs out of database connections and stalls.
            compare("GET /message/1 against the original", {
                "original": lambda: slow(f"http://127.0.0.1:{original}/message/1"),
                "board": lambda: wrk(f"{url}/message/1")}, "original")
            compare("POST /message/ against the original, every commit synced", {
                "original": lambda: slow(f"http://127.0.0.1:{original}/message/", script.name),
                "board": lambda: wrk(f"{url}/message/", script.name)}, "original")
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)
        nginx.stop()
        region.stop()


def slow(url, script=None):
    """The original at the connections that it serves best."""
    command = ["wrk", "-t1", "-c8", f"-d{SECONDS}s", url] + (["-s", script] if script else [])
    out = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def percentiles(title, seconds):
    ordered = sorted(seconds)
    p50, p99 = (ordered[int(len(ordered) * q)] * 1000 for q in (0.5, 0.99))
    print(f"\n{title}\n  p50 {p50:.1f} ms   p99 {p99:.1f} ms   n={len(ordered)}")


def bench_pipeline():
    region = pipeline_parity.BoardRegion()
    try:
        region.start()
        s3 = region.client("s3")
        picture = pipeline_parity.photo(350)
        bucket = "messageboard-processed-images"

        def one(number):
            key = f"pictures/bench-{number}.jpg"
            began = time.monotonic()
            s3.put_object(Bucket="messageboard-raw-images", Key=key, Body=picture)
            eventually(lambda: there(s3, bucket, key), 30, f"{key} is not anonymised")
            return time.monotonic() - began

        one("warm-up")
        percentiles("upload -> anonymised object, 350 px photo, one after another",
                    [one(number) for number in range(60)])
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: one(f"burst-{n}"), range(100)))
        print(f"\n100 pictures, 8 at once: {100 / (time.monotonic() - began):.1f} pictures/s")
    finally:
        region.stop()


def there(s3, bucket, key):
    try:
        s3.head_object(Bucket=bucket, Key=key)
        return True
    except s3.exceptions.ClientError:
        return False


def bench_lambda():
    region = Region()
    try:
        region.start()
        region.role("tests", "lambda.amazonaws.com")
        client = region.client("lambda")
        subprocess.run([str(ROOT / "tools/build"), "release", "lambda_echo_runtime"], check=True,
                       stdout=subprocess.DEVNULL)
        code = lambda_parity.package((BUILD / "bin/lambda_echo_runtime").read_bytes())
        client.create_function(FunctionName="echo", Runtime="provided.al2023",
                               Role=lambda_parity.ROLE, Handler="bootstrap",
                               Code={"ZipFile": code})
        client.get_waiter("function_active_v2").wait(FunctionName="echo",
                                                     WaiterConfig={"Delay": 1})
        sts = region.client("sts")

        def timed(call):
            began = time.monotonic()
            call()
            return time.monotonic() - began

        def invoke():
            client.invoke(FunctionName="echo", Payload=b"{}")["Payload"].read()

        for _ in range(20):
            invoke()
            sts.get_caller_identity()
        both = [(timed(invoke), timed(sts.get_caller_identity)) for _ in range(500)]
        percentiles("warm Invoke, as a boto3 client sees it", [pair[0] for pair in both])
        percentiles("GetCallerIdentity, as the same client sees it: the client's own time",
                    [pair[1] for pair in both])
        overhead = statistics.median(pair[0] for pair in both) - statistics.median(
            pair[1] for pair in both)
        print(f"  overhead of a warm Invoke over an empty call: p50 {overhead * 1000:.2f} ms")
    finally:
        region.stop()


def bench_sqs():
    region = Region()
    try:
        sqs_load.bench(region)
    finally:
        region.stop()


def bench_s3():
    region = Region()
    try:
        s3_load.bench(region)
    finally:
        region.stop()


def bench_daemon():
    times = []
    for _ in range(ROUNDS):
        region = Region()
        try:
            times.append(region.start())
            time.sleep(1)
            status = pathlib.Path(f"/proc/{region.daemon.pid}/status").read_text()
            resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
        finally:
            region.stop()
    print(f"\ndaemon: start to first answer, median of {ROUNDS}: "
          f"{statistics.median(times) * 1000:.0f} ms; idle {resident:.1f} MiB resident")


def main():
    subprocess.run([str(ROOT / "tools/install_packages"), str(ROOT / "packages.txt"),
                    str(ROOT / "tests/packages.txt"), str(ROOT / "tests/bench/packages.txt")],
                   check=True)
    all_benches = {"board": bench_board, "pipeline": bench_pipeline, "lambda": bench_lambda,
                   "sqs": bench_sqs, "s3": bench_s3, "daemon": bench_daemon}
    for name in sys.argv[1:] or all_benches:
        all_benches[name]()


main()
