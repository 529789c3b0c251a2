#!/usr/bin/python3
"""Records what a FastAPI service with the board's models answers, as the fixture of the tests.

Needs Debian 12's python3-fastapi (0.92, with pydantic 1.10), python3-uvicorn and python3-multipart.
Run it again only when a case is added: record_answers.py > recorded_answers.json
"""
import base64
import http.client
import json
import threading
import time
from typing import List, Optional

import uvicorn
from fastapi import FastAPI, HTTPException, UploadFile
from pydantic import BaseModel

app = FastAPI()
messages = []


class HealthCheckResponse(BaseModel):
    is_healthy: bool


class MessageCreate(BaseModel):
    author: str
    body: str


class Message(MessageCreate):
    id: int


class Image(BaseModel):
    filename: str
    raw_img_src: str
    processed_img_src: str
    id: int


class LoadBalancerTestResponse(BaseModel):
    trace_id: Optional[str]
    instance_id: str


@app.get("/", response_model=HealthCheckResponse)
def health_check():
    return {"is_healthy": True}


@app.post("/message/", response_model=Message)
def create_message(message: MessageCreate):
    messages.append({"author": message.author, "body": message.body, "id": len(messages) + 1})
    return messages[-1]


@app.get("/messages/", response_model=List[Message])
def read_messages(skip: int = 0, limit: int = 100):
    return messages[skip:skip + limit]


@app.get("/message/{message_id}", response_model=Message)
def read_message(message_id: int):
    if not 1 <= message_id <= len(messages):
        raise HTTPException(status_code=404, detail="Message not found")
    return messages[message_id - 1]


@app.get("/load-balancer-test/", response_model=LoadBalancerTestResponse)
def test_load_balancer(trace_id: Optional[str] = None):
    return {"trace_id": trace_id, "instance_id": "i-test"}


@app.post("/image/", response_model=Image)
def upload_and_create_image(file: UploadFile):
    raise HTTPException(status_code=418, detail="uploads that succeed are not recorded")


@app.get("/images/", response_model=List[Image])
def read_images(skip: int = 0, limit: int = 100):
    return []


@app.get("/image/{image_id}", response_model=Image)
def read_image(image_id: int):
    raise HTTPException(status_code=404, detail="Image not found")


JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=XX"}
LONG = '{"author":' + "1" * 4301 + ',"body":""}'

BODIES = [
    '{"author":"Ann","body":"Hello"}', '{"author":1,"body":true}', '{"author":1.50,"body":false}',
    '{"author":1e16,"body":123456789012345678901234567890}', '{"author":-0,"body":-0.0}',
    '{"author":1e-5,"body":0.0001}', '{"author":1e400,"body":-1E400}', '{"author":NaN,"body":Infinity}',
    '{"author":-Infinity,"body":1e15}', '{"author":123456789.125,"body":5e-324}',
    '{"author":"\\u00e9\\ud83d\\ude00","body":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u001f\u007f"}',
    '{"author":"","body":""}', '{"author":"a","author":"b","body":"c"}',
    '{"author":"a","body":"b","id":7,"more":[1,{"x":null}]}', ' \n\t\r{"author":"a","body":"b"} \n',
    '\ufeff{"author":"mark","body":"b"}', '{"author":null,"body":[]}', '{"author":{},"body":null}',
    '{"author":"a"}', '{}', '[]', '""', '"ab"', '5', 'true', 'null', '[["author",1],["body",2.50]]',
    '["ab"]', '[1,2]', '[[1]]', '[{"author":1,"body":2}]', '{', '{"a"', '{"a":', '{"a":1', '{"a":1,',
    '{"a":1,}', "{'a':1}", '{"a" 1}', '[1,]', '[1', '[', ']', 'nul', 'tru', '-', '01', '1.', '1e',
    '.5', '+1', '"abc', '"a\nb"', '"\\x"', '"\\u12"', '"\\u12G4"', '"\\ud800\\u12"', '"\\', '"\\u1234',
    '{"a":1}x', '{"a":1}\n\n  }', '\u00e9{', '{"\u00e9\u20ac": "\U0001F600', '\n\n{"a":\n  b}',
    '{"author":"\\ud83d\\u0041","x":1', LONG, '[' * 2000, '{"a":' * 2000, '\x0b1', '1 2',
]
QUERIES = [
    '', 'skip=1', 'limit=2', 'skip=1&limit=1', 'skip=a', 'skip=', 'skip', 'limit=x&skip=y',
    'skip=5&skip=1', 'skip=%201%20', 'skip=+1', 'skip=%2B1', 'skip=0_1', 'skip=_1', 'skip=1_',
    'skip=1__0', 'skip=1.0', 'skip=1e3', 'skip=0x1', 'skip=%D9%A1', 'skip=%C2%A01', 'skip=%E2%81%B1',
    'skip=99999999999999999999999', 'limit=0', 'skip=%zz', 'skip=%', '&&limit=1&', 'skip=1;limit=1',
    'SKIP=3', 's%6Bip=1', 'skip=00', 'skip=-0', 'skip=' + '1' * 4301, 'skip=%00',
]
PATHS = [
    '/', '/message', '/message/', '/message//', '/messages', '/messages/?skip=1', '/messages?skip=1&a=%20',
    '/messages//', '/message/1', '/message/1/', '/message/%31', '/message/1%2F2', '/message/%201',
    '/message/abc', '/message/1.0', '/message/0', '/message/-1', '/message/99999',
    '/message/2147483648', '/message/-9223372036854775809', '/message/99999999999999999999999',
    '/message/1_0', '/message/%D9%A1', '/message/%FF', '/message/%00', '/message/1?x=1', '/message/1/2',
    '/image', '/image/1', '/image/x', '/images', '/images/?skip=z&limit=z', '/nothing', '/nothing/',
    '//', '/a//b/', '/load-balancer-test', '/load-balancer-test?trace_id=a%20b',
    '/load-balancer-test/', '/load-balancer-test/?trace_id=', '/load-balancer-test/?trace_id',
    '/load-balancer-test/?trace_id=x&trace_id=y+z', '/load-balancer-test/?trace_id=%C3%A9%FF%22',
    '/load-balancer-test/?trace_id=%E2%82', '/load-balancer-test/?trace_id=a%3Db%26c=d', '/docs/',
    '/openapi.json/', '/openapi.jso', '/%6Dessages/',
]


def part(head, data):
    return "--XX\r\n" + head + "\r\n\r\n" + data + "\r\n"


FILE = 'Content-Disposition: form-data; name="file"; filename="a.jpg"'
TEXT = 'Content-Disposition: form-data; name="file"'
UPLOADS = [
    (FORM, ''), (FORM, '--XX--\r\n'), (FORM, part(TEXT, "abc") + "--XX--\r\n"),
    (FORM, part(TEXT, "") + "--XX--\r\n"), (FORM, part(FILE.replace("file\"", "other\""), "x") + "--XX--"),
    (FORM, part(FILE, "x") + part(TEXT, "later") + "--XX--\r\n"), (FORM, part(FILE, "cut")),
    (FORM, "--XX\r\n" + FILE), (FORM, part("Content-Disposition: form-data", "x") + "--XX--\r\n"),
    (FORM, part("Content-Type: text/plain", "x") + "--XX--\r\n"), (FORM, "nonsense"),
    (FORM, "--XY\r\n"), (FORM, "--XX\n"), (FORM, part("no colon here", "x") + "--XX--"),
    (FORM, part("\x01: x", "x") + "--XX--"), ({"Content-Type": "multipart/form-data"}, "--XX--"),
    ({"Content-Type": "multipart/form-data; boundary=\"XX\""}, part(TEXT, "abc") + "--XX--\r\n"),
    (JSON, '{"file":"x"}'), ({}, 'file=x'),
    ({"Content-Type": "application/x-www-form-urlencoded"}, "file=abc"),
    ({"Content-Type": "application/x-www-form-urlencoded"}, "file="),
    ({"Content-Type": "application/x-www-form-urlencoded"}, "a=b"),
]


def cases():
    yield "GET", "/", {}, b""
    for body in BODIES:
        yield "POST", "/message/", JSON, body.encode("utf-8", "surrogatepass")
    good = b'{"author":"kind","body":"of"}'
    for kind in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.a+json", "text/plain",
                 "text/json", "application/jsonx", "application/x-www-form-urlencoded", "nonsense",
                 "application/json/x", "", ";"]:
        yield "POST", "/message/", {"Content-Type": kind}, good
    yield "POST", "/message/", {}, good
    yield "POST", "/message/", JSON, b""
    yield "POST", "/message/", JSON, b"\xff"
    yield "POST", "/message/", JSON, b'{"author":"\xc3","body":"x"}'
    yield "POST", "/message/", {"Content-Type": "text/plain"}, b""
    for query in QUERIES:
        yield "GET", "/messages/?" + query, {}, b""
    for path in PATHS:
        yield "GET", path, {}, b""
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]:
        for path in ["/", "/messages/", "/messages", "/message/1", "/images/", "/openapi.json", "/nothing"]:
            if (method, path) != ("HEAD", "/openapi.json"):
                yield method, path, {}, b""
    for method in ["GET", "PUT", "HEAD"]:
        yield method, "/message/", {}, b""
        yield method, "/image/", {}, b""
    for headers, body in UPLOADS:
        yield "POST", "/image/", headers, body.encode("latin-1")


def main():
    server = uvicorn.Server(uvicorn.Config(app, port=18998, log_level="critical"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    recorded = []
    for method, target, headers, body in cases():
        connection = http.client.HTTPConnection("127.0.0.1", 18998)
        connection.request(method, target, body or None, {"Host": "board.test", **headers})
        response = connection.getresponse()
        recorded.append({
            "method": method, "target": target, "headers": headers,
            "body": base64.b64encode(body).decode(), "status": response.status,
            "allow": response.getheader("allow"), "location": response.getheader("location"),
            "content_type": response.getheader("content-type"),
            "answer": response.read().decode("utf-8", "replace"),
        })
    print("[\n" + ",\n".join(json.dumps(each) for each in recorded) + "\n]")


main()
