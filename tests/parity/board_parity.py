"""The board's answers against the original service's (original/main.py on FastAPI), request by
request: status, body, and the headers that clients act on.
"""
import http.client
import json
import os
import pathlib
import subprocess
import unittest

from harness import BUILD, Region, eventually, free_port

ORIGINAL = pathlib.Path(__file__).resolve().parent / "original"
JSON = {"Content-Type": "application/json"}


def message(body, headers=None):
    return ("POST", "/message/", JSON if headers is None else headers, body)


def get(path):
    return ("GET", path, {}, None)


# A picture: the smallest whole PNG.
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408"
                    "d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082")


def multipart(parts, boundary="xyz"):
    body = b""
    for name, filename, content in parts:
        disposition = f'form-data; name="{name}"'
        if filename is not None:
            disposition += f'; filename="{filename}"'
        body += (f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
                 + content + b"\r\n")
    body += f"--{boundary}--\r\n".encode()
    return ("POST", "/image/", {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body)


REQUESTS = [
    get("/"),
    message('{"author":"a","body":"b"}'),
    message('{"author":"ü 😀","body":"line\\nline \\u00e4 \\"quoted\\" /"}'),
    message('{"author":1,"body":true}'),
    message('{"author":1.50,"body":-0.0}'),
    message('{"author":1e16,"body":1e22}'),
    message('{"author":123456789012345678901234567890,"body":1E-7}'),
    message('{"author":0.1,"body":1e400}'),
    message('{"author":false,"body":NaN}'),
    message('{"author":"","body":""}'),
    message('{"author":"a","body":"b","extra":1}'),
    message('{"author":"first","author":"second","body":"b"}'),
    message('{}'),
    message('{"author":"a"}'),
    message('{"body":"b"}'),
    message('{"author":null,"body":null}'),
    message('{"author":[],"body":{}}'),
    message('{"author":["a"],"body":"b"}'),
    message('[]'),
    message('[{"author":"a","body":"b"}]'),
    message('null'),
    message('1'),
    message('"text"'),
    message('true'),
    message(''),
    message(' '),
    message('{'),
    message('{"author"'),
    message('{"author":'),
    message('{"author":"a",}'),
    message('{"author":"a" "body":"b"}'),
    message('{author:"a"}'),
    message("{'author':'a'}"),
    message('{"author":"a\nb","body":"c"}'),
    message('{"author":"a'),
    message('{"author":"\\x","body":"b"}'),
    message('{"author":"\\u12","body":"b"}'),
    message('{"author":tru,"body":"b"}'),
    message('{"author":01,"body":"b"}'),
    message('{"author":1.,"body":"b"}'),
    message('{"author":"a","body":"b"} x'),
    message('{"author":"a","body":"b"}\n\n'),
    message('{"author":\n\n"a" x,"body":"b"}'),
    message(b'{"author":"\xff","body":"b"}'),
    message('{"author":"a","body":"b"}', {}),
    message('{"author":"a","body":"b"}', {"Content-Type": "text/plain"}),
    message('{"author":"a","body":"b"}', {"Content-Type": "application/json; charset=utf-8"}),
    message('{"author":"a","body":"b"}', {"Content-Type": "application/vnd.api+json"}),
    message('author=a&body=b', {"Content-Type": "application/x-www-form-urlencoded"}),
    get("/messages/"),
    get("/messages/?skip=1&limit=2"),
    get("/messages/?skip=1000"),
    get("/messages/?limit=0"),
    get("/messages/?skip=a&limit=b"),
    get("/messages/?skip=&limit="),
    get("/messages/?skip=1.5"),
    get("/messages/?skip=1&skip=2&limit=1"),
    get("/messages/?skip=%201%20&limit=%2B1"),
    get("/messages/?limit=1_0"),
    get("/messages/?other=1&limit=1"),
    get("/messages"),
    get("/messages?limit=1"),
    get("/message/1"),
    get("/message/2"),
    get("/message/99999"),
    get("/message/-1"),
    get("/message/0"),
    get("/message/a"),
    get("/message/1.0"),
    get("/message/%201"),
    get("/message/1/"),
    get("/message/1%2F"),
    get("/message/+1"),
    get("/message/1_0"),
    get("/message/"),
    get("/message"),
    ("POST", "/message", JSON, '{"author":"a","body":"b"}'),
    ("PUT", "/message/", JSON, '{"author":"a","body":"b"}'),
    ("DELETE", "/message/1", {}, None),
    ("POST", "/", {}, None),
    ("PUT", "/messages/", {}, None),
    ("OPTIONS", "/", {}, None),
    get("/none"),
    get("/none/"),
    get("/MESSAGE/1"),
    get("//"),
    get("/load-balancer-test/?trace_id=abc%20%C3%BC"),
    get("/load-balancer-test/"),
    get("/load-balancer-test/?trace_id="),
    get("/load-balancer-test"),
    multipart([("file", "a.png", PNG)]),
    multipart([("file", "ü.png", PNG), ("other", None, b"x")]),
    multipart([("other", "a.png", PNG)]),
    multipart([("file", None, b"text")]),
    multipart([]),
    ("POST", "/image/", {}, None),
    ("POST", "/image/", JSON, "{}"),
    get("/images/?skip=5000"),
    get("/images/?skip=x"),
    get("/images"),
    get("/image/99999"),
    get("/image/x"),
    get("/image/"),
    ("GET", "/image", {}, None),
]

# What names the one that answers; `status` is an addition.
OWN_FIELDS = ("raw_img_src", "processed_img_src", "status", "instance_id")


def ask(port, request):
    method, path, headers, body = request
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        if isinstance(body, str):
            body = body.encode()
        connection.request(method, path, body, {**headers, "Host": "board.test"})
        answer = connection.getresponse()
        text = answer.read()
        kept = {name: answer.getheader(name) for name in ("Location", "Allow", "Content-Type")}
        return answer.status, kept, text
    finally:
        connection.close()


def comparable(answer):
    status, headers, text = answer
    if status == 307:  # Starlette sends no type with an empty body; neither matters
        headers = {**headers, "Content-Type": None}
    if headers["Content-Type"] == "application/json":
        value = json.loads(text)
        if isinstance(value, dict) and not value.keys().isdisjoint(OWN_FIELDS):
            text = json.dumps({name: value[name] for name in value if name not in OWN_FIELDS})
    return status, headers, text


class BoardParity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        region = Region()
        cls.addClassCleanup(region.stop)
        region.start()
        cls.ports = {"original": free_port(), "board": free_port()}
        s3 = region.client("s3")
        for bucket in ("raw", "processed"):
            s3.create_bucket(Bucket=f"{bucket}-images")
        commands = {
            "original": ["/usr/bin/python3", "-m", "uvicorn", "main:app", "--log-level", "warning",
                         "--port", str(cls.ports["original"])],
            "board": [str(BUILD / "bin/messageboard-api"), "--listen",
                      f"127.0.0.1:{cls.ports['board']}"],
        }
        for name, command in commands.items():
            made = json.loads(subprocess.run(
                [region.arguments("x")[0], "database", name, *region.arguments("x")[2:]],
                check=True, text=True, stdout=subprocess.PIPE).stdout)
            environment = {
                **os.environ, "DB_URL": f"{made['host']}:{made['port']}", "DB_USER": made["user"],
                "DB_PASSWORD": made["password"], "DB_NAME": made["name"],
                "AWS_RAW_BUCKET_NAME": "raw-images", "AWS_PROCESSED_BUCKET_NAME": "processed-images",
                "AWS_ENDPOINT_URL": region.endpoint, "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": str(ORIGINAL)}
            process = subprocess.Popen(command, env=environment, cwd=ORIGINAL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            cls.addClassCleanup(process.wait, 20)
            cls.addClassCleanup(process.terminate)
        for name, port in cls.ports.items():
            eventually(lambda: cls.is_up(port), 30, f"{name} does not answer")

    @classmethod
    def is_up(cls, port):
        try:
            return ask(port, get("/messages/"))[0] == 200
        except OSError:
            return False

    def test_every_answer_is_the_originals(self):
        for request in REQUESTS:
            with self.subTest(request=request[:2], body=request[3]):
                original = comparable(ask(self.ports["original"], request))
                board = comparable(ask(self.ports["board"], request))
                self.assertEqual(board, original)

    def test_the_openapi_document_is_the_originals_with_additions(self):
        _, _, original = ask(self.ports["original"], get("/openapi.json"))
        _, _, board = ask(self.ports["board"], get("/openapi.json"))
        self.assert_contains(json.loads(board), json.loads(original), "")

    def assert_contains(self, has, wanted, path):
        if isinstance(wanted, dict):
            for name, value in wanted.items():
                self.assertIn(name, has, path)
                self.assert_contains(has[name], value, f"{path}/{name}")
        elif path.endswith("/required") and isinstance(wanted, list):
            self.assertLessEqual(set(wanted), set(has), path)
        else:
            self.assertEqual(has, wanted, path)


if __name__ == "__main__":
    unittest.main()
