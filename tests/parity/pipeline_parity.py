"""The whole of it: MessageBoard deployed on a region of its own, pictures going in at the board and
coming out anonymised, also while everything is killed.
"""
import io
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import requests
from PIL import Image

from harness import PHOTO_FOLDER, ROOT, Region, eventually, free_port, get_json

DEPLOY = ROOT / "messageboard/infrastructure/deploy"
PICTURE_SECONDS = 60
# After a crash a picture whose function died comes back when its message's visibility ends.
RECOVERY_SECONDS = 30


class BoardRegion(Region):
    """A region in a keeper's care, with the board on it."""

    def __init__(self):
        super().__init__()
        self.board_port = free_port()
        self.board = f"http://127.0.0.1:{self.board_port}"

    def start(self):
        subprocess.run(self.arguments("up"), check=True, stdout=subprocess.DEVNULL)
        self.deploy()

    def deploy(self):
        subprocess.run([str(DEPLOY), "--port", str(self.port), "--board-port",
                        str(self.board_port), "--state", str(self.state)], check=True,
                       stdout=subprocess.DEVNULL, timeout=180)

    def pid(self, program):
        """Of the daemon, a function's program, the board's, or a machine's first process."""
        if program == "daemon":
            found = self.pids_of(f"terrarium serve --port {self.port} ")
        elif program == "function":
            found = [pid for pid in self.pids_of("bootstrap") if self.is_function(pid)]
        elif program == "board":
            found = [pid for pid in self.pids_of("messageboard-api --listen")
                     if self.knows_password(pid)]
        else:
            found = [machine["pid"] for machine in self.status()["machines"]
                     if machine["machine"] == program and machine["pid"]]
        return found[0] if found else None

    def status(self):
        return get_json(f"{self.endpoint}/_terrarium/status")

    @staticmethod
    def pids_of(words):
        return [int(pid) for pid in subprocess.run(
            ["pgrep", "-f", words], text=True, capture_output=True, check=False).stdout.split()]

    def is_function(self, pid):
        """Functions are the daemon's children: other regions have their own."""
        daemon = self.pid("daemon")
        for _ in range(8):
            try:
                pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
                          .split()[1])
            except (OSError, ValueError):
                return False
            if pid == daemon:
                return True
        return False

    def knows_password(self, pid):
        password = (self.state / "postgres/messageboard.password").read_bytes().strip()
        try:
            return password in pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False

    def kill(self, program):
        pid = self.pid(program)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid

    def upload(self, name, content, kind="image/jpeg"):
        return requests.post(f"{self.board}/image/", files={"file": (name, content, kind)},
                             timeout=30)


def photo(width=350, number=1):
    samples = sorted(PHOTO_FOLDER.glob("*.jpg"))
    picture = Image.open(samples[number % len(samples)]).convert("RGB")
    picture.thumbnail((width, width))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


class Pipeline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.region = BoardRegion()
        cls.addClassCleanup(cls.region.stop)
        cls.region.start()

    def status_of(self, image):
        return get_json(f"{self.region.board}/image/{image['id']}")["status"]

    def wait_for(self, image, status, seconds=PICTURE_SECONDS):
        eventually(lambda: self.status_of(image) == status, seconds,
                   f"picture {image['id']} is {self.status_of(image)}, not {status}")

    def faces_found(self, image):
        """What the function logged just before it uploaded the picture."""
        key = "pictures/" + image["processed_img_src"].rsplit("/", 1)[1]
        events = self.region.client("logs").filter_log_events(
            logGroupName="/aws/lambda/anonymise_image")["events"]
        [upload] = [event for event in events if f"Uploading processed image {key} " in
                    event["message"]]
        found = [event["message"] for event in events
                 if event["logStreamName"] == upload["logStreamName"]
                 and event["timestamp"] <= upload["timestamp"]
                 and "Detected " in event["message"]]
        return int(re.search(r"Detected (\d+) faces", found[-1])[1])

    def test_a_photograph_comes_back_without_its_faces(self):
        content = photo()
        answer = self.region.upload("people.jpg", content)
        self.assertEqual(answer.status_code, 200, answer.text)
        image = answer.json()
        self.assertEqual(image["filename"], "people.jpg")
        self.wait_for(image, "processed")
        with urllib.request.urlopen(image["processed_img_src"], timeout=5) as got:
            processed = got.read()
            self.assertEqual(got.headers["Content-Type"], "image/jpeg")
        self.assertEqual(Image.open(io.BytesIO(processed)).size,
                         Image.open(io.BytesIO(content)).size)
        self.assertNotEqual(processed, content)
        self.assertGreater(self.faces_found(image), 0)
        # What came back goes in once more. The detector is set for recall and may take a blot of
        # random colours for a face now and then, never as many as there were people.
        again = self.region.upload("again.jpg", processed).json()
        self.wait_for(again, "processed")
        self.assertLessEqual(self.faces_found(again), self.faces_found(image) // 3)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(image["raw_img_src"], timeout=5)
        self.assertEqual(caught.exception.code, 403, "the raw picture shows people")
        caught.exception.close()

    def test_the_function_logs_what_it_did_as_on_aws(self):
        image = self.region.upload("logged.jpg", photo(number=2)).json()
        self.wait_for(image, "processed")
        logs = self.region.client("logs")

        def messages():
            events = logs.filter_log_events(logGroupName="/aws/lambda/anonymise_image")["events"]
            return "\n".join(event["message"] for event in events)

        eventually(lambda: "REPORT RequestId: " in messages(), 10, "no REPORT line")
        for text in ("START RequestId: ", "END RequestId: ", "INIT_START Runtime Version: ",
                     "Detected ", "Uploading processed image ",
                     "Successfully uploaded anonymised image to processed bucket"):
            self.assertIn(text, messages())

    def test_two_pictures_of_one_name_stay_two(self):
        first, second = (self.region.upload("a.jpg", photo(number=n)).json() for n in (1, 2))
        self.assertNotEqual(first["processed_img_src"], second["processed_img_src"])
        for image in (first, second):
            self.wait_for(image, "processed")

    def test_what_is_no_picture_is_refused_and_a_broken_one_fails(self):
        self.assertEqual(self.region.upload("a.txt", b"hello", "text/plain").status_code, 415)
        self.assertEqual(self.region.upload("a.gif", b"GIF89a" + bytes(20)).status_code, 415)
        broken = self.region.upload("broken.jpg", photo()[:-2000])
        self.assertEqual(broken.status_code, 200, broken.text)
        self.wait_for(broken.json(), "failed")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(broken.json()["processed_img_src"], timeout=5)
        self.assertIn(caught.exception.code, (403, 404))
        caught.exception.close()

    def test_the_page_in_a_real_browser(self):
        page = pathlib.Path(__file__).resolve().parent / "board_browser.py"
        done = subprocess.run(
            ["/usr/bin/python3", "-B", "-W", "ignore", str(page), "-v"],
            env={**os.environ, "BOARD_URL": self.region.board}, text=True, capture_output=True,
            timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_deploying_again_changes_nothing_and_takes_seconds(self):
        board = self.region.pid("board")
        began = time.monotonic()
        self.region.deploy()
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(self.region.pid("board"), board)

    def test_twenty_at_once_with_everything_killed_lose_nothing(self):
        self.region.client("sqs").set_queue_attributes(
            QueueUrl=f"{self.region.endpoint}/000000000000/messageboard-raw-images",
            Attributes={"VisibilityTimeout": "60"})
        pictures = [photo(width=200 + 10 * n, number=n) for n in range(20)]

        def upload(number):
            try:
                answer = self.region.upload(f"{number}.jpg", pictures[number])
            except requests.RequestException:
                return None
            return answer.json() if answer.status_code == 200 else None

        with ThreadPoolExecutor(20) as pool:
            uploads = [pool.submit(upload, n) for n in range(20)]
            for program in ("function", "daemon", "board", "postgres"):
                time.sleep(0.3)
                self.region.kill(program)
            images = [upload.result(timeout=60) for upload in uploads]
        accepted = [image for image in images if image]
        eventually(self.board_is_back, RECOVERY_SECONDS, "the board did not come back")
        # The rest, now that all is up again, so that the test means something in either case.
        accepted += [self.region.upload(f"late-{n}.jpg", pictures[n]).json()
                     for n in range(20 - len(accepted))]
        for image in accepted:
            self.wait_for(image, "processed", 150)

    def board_is_back(self):
        """Every thread of it: each has a database connection of its own."""
        try:
            return all(isinstance(get_json(f"{self.region.board}/messages/?limit=1", timeout=2),
                                  list) for _ in range(16))
        except (urllib.error.URLError, OSError, ValueError):
            return False

    def test_messages_survive_a_killed_database(self):
        answer = requests.post(f"{self.region.board}/message/",
                               json={"author": "a", "body": "kept"}, timeout=10)
        self.assertEqual(answer.status_code, 200, answer.text)
        killed = self.region.kill("postgres")
        eventually(lambda: self.region.pid("postgres") != killed, RECOVERY_SECONDS,
                   "PostgreSQL is not started again")
        eventually(self.board_is_back, RECOVERY_SECONDS, "the board did not come back")
        message = get_json(f"{self.region.board}/message/{answer.json()['id']}")
        self.assertEqual(message["body"], "kept")


class Down(unittest.TestCase):
    def test_down_leaves_no_process_behind(self):
        region = BoardRegion()
        self.addCleanup(region.stop)
        before = self.belongings()
        region.start()
        pids = [region.pid(program) for program in ("daemon", "board", "postgres")]
        subprocess.run(region.arguments("down"), check=True, stdout=subprocess.DEVNULL)
        for pid in pids:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists(), pid)
        self.assertEqual(self.belongings(), before)
        subprocess.run(region.arguments("up"), check=True, stdout=subprocess.DEVNULL)
        eventually(lambda: region.pid("board"), 30, "the board is not resumed")

    @staticmethod
    def belongings():
        """What the region might leave on the machine: namespaces, mounts, control groups."""
        groups = {str(folder) for folder in pathlib.Path("/sys/fs/cgroup").rglob("terrarium*")}
        mounts = {line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
                  if "terrarium" in line}
        names = pathlib.Path("/run/netns")
        return (groups, mounts, {entry.name for entry in names.iterdir()}
                if names.exists() else set())


class Keeper(unittest.TestCase):
    def setUp(self):
        self.region = BoardRegion()
        self.addCleanup(self.region.stop)
        subprocess.run(self.region.arguments("up"), check=True, stdout=subprocess.DEVNULL)

    def test_a_daemon_whose_port_was_taken_meanwhile_comes_back(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.region.kill("daemon")
        with socket.socket() as taker:
            eventually(lambda: self.bound(taker), 5, "the port was never free", pause=0.0005)
            taker.connect(listener.getsockname())
            log = self.region.state / "logs/daemon.log"
            eventually(lambda: "is taken by another program" in log.read_text(), 10,
                       "the new daemon got its port all the same")
            # The other end closes first, so that the port is free at once.
            listener.accept()[0].close()
        eventually(self.answers, 20, "the daemon did not come back")

    def test_down_with_another_regions_port_ends_neither(self):
        words = [str(word) for word in self.region.arguments("down")]
        words[words.index("--port") + 1] = str(self.region.port + 1)
        refused = subprocess.run(words, capture_output=True, text=True, timeout=30)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"serves port {self.region.port}, not", refused.stderr)
        self.assertTrue(self.answers())

    def bound(self, taker):
        try:
            taker.bind(("127.0.0.1", self.region.port))
            return True
        except OSError:
            return False

    def answers(self):
        try:
            return "terrarium" in get_json(f"{self.region.endpoint}/_terrarium/health", timeout=1)
        except (urllib.error.URLError, OSError):
            return False


if __name__ == "__main__":
    unittest.main()
