"""The runtime client of Python functions: imports the handler, then asks the Runtime API for one
event after another. Answers, errors and log lines look as those of AWS's own client.

Run by the machine's python3, whatever version of Python the function asks for.
"""
import importlib
import importlib.util
import json
import logging
import os
import socket
import sys
import time
import traceback

PREFIX = "/2018-06-01/runtime/"
# A line break inside one log record: the sandbox takes each line for a record of its own.
SOFT_BREAK = "\r"
LOG_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s"


class RuntimeApi:
    """HTTP/1.1 over one kept connection; small enough to cost microseconds."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        self.host = address
        self.connection = None
        self.rest = b""

    def call(self, method, path, body=b"", headers=()):
        head = [f"{method} {PREFIX}{path} HTTP/1.1", f"Host: {self.host}",
                f"Content-Length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers]
        request = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1", "replace") + body
        if self.connection is None:
            self.connection = socket.create_connection(self.address)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.sendall(request)
        return self.answer()

    def answer(self):
        while b"\r\n\r\n" not in self.rest:
            self.receive()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        parts = [self.rest]
        missing = length - len(self.rest)
        while missing > 0:
            part = self.connection.recv(min(missing, 1 << 20))
            if not part:
                raise ConnectionError("the Runtime API has ended")
            parts.append(part)
            missing -= len(part)
        body = b"".join(parts)
        self.rest = body[length:]
        return status, headers, body[:length]

    def receive(self):
        part = self.connection.recv(65536)
        if not part:
            raise ConnectionError("the Runtime API has ended")
        self.rest += part


class CognitoIdentity:
    def __init__(self):
        self.cognito_identity_id = None
        self.cognito_identity_pool_id = None

    def __repr__(self):
        return ("CognitoIdentity([cognito_identity_id=None,cognito_identity_pool_id=None])")


class Client:
    FIELDS = ("installation_id", "app_title", "app_version_name", "app_version_code",
              "app_package_name")

    def __init__(self, given):
        for name in self.FIELDS:
            setattr(self, name, given.get(name))


class ClientContext:
    def __init__(self, given):
        self.custom = given.get("custom")
        self.env = given.get("env")
        self.client = Client(given["client"]) if given.get("client") else None


class LambdaContext:
    """What a handler gets as its second argument."""

    def __init__(self, headers):
        client_context = headers.get("lambda-runtime-client-context")
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = None
        self.identity = CognitoIdentity()
        self.client_context = ClientContext(json.loads(client_context)) if client_context else None
        self._epoch_deadline_time_in_ms = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        names = ("aws_request_id", "log_group_name", "log_stream_name", "function_name",
                 "memory_limit_in_mb", "function_version", "invoked_function_arn",
                 "client_context", "identity")
        values = ",".join(f"{name}={getattr(self, name)}" for name in names)
        return f"LambdaContext([{values}])"


class RequestId(logging.Filter):
    """Gives every record the id of the request under way."""

    current = ""

    def filter(self, record):
        record.aws_request_id = self.current
        return True


class Output(logging.Handler):
    """Each record in one piece, whatever line breaks are in it."""

    def emit(self, record):
        sys.stdout.write(self.format(record).rstrip("\n").replace("\n", SOFT_BREAK) + "\n")
        sys.stdout.flush()


class Failure(Exception):
    """The handler can't be had: reported, never raised to it."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.report = {"errorMessage": message, "errorType": kind, "requestId": "",
                       "stackTrace": list(trace)}


def trace_of(error):
    """The stack of an error, without this file's own frames."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__
           and not frame.filename.startswith("<frozen importlib")]
    return traceback.format_list(own)


def report_of(error, request_id):
    return {"errorMessage": str(error), "errorType": type(error).__name__,
            "requestId": request_id, "stackTrace": trace_of(error)}


def print_error(report):
    """As AWS's client writes it into the log, in one record."""
    lines = []
    if report["errorType"] and report["errorMessage"]:
        lines.append(f"[ERROR] {report['errorType']}: {report['errorMessage']}")
    elif report["errorType"]:
        lines.append(f"[ERROR] {report['errorType']}")
    if report["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        for frame in report["stackTrace"]:
            lines += frame.rstrip("\n").split("\n")
    text = (SOFT_BREAK.join(lines))
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def find_handler(name):
    parts = name.rsplit(".", 1)
    if len(parts) != 2:
        raise Failure("Runtime.MalformedHandlerName",
                      f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    module_name, function_name = parts
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Failure("Runtime.ImportModuleError",
                      f"Unable to import module '{module_name}': {error}")
    except SyntaxError as error:
        raise Failure("Runtime.UserCodeSyntaxError",
                      f"Syntax error in module '{module_name}': {error}",
                      [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}\n'])
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Failure("Runtime.HandlerNotFound",
                      f"Handler '{function_name}' missing on module '{module_name}'")


def encode(value):
    """JSON as AWS's client writes it: decimals as floats, NaN as it is."""
    def other(item):
        if type(item).__name__ == "Decimal":
            return float(item)
        raise TypeError(f"Object of type {type(item).__name__} is not JSON serializable")
    return json.dumps(value, default=other).encode()


class EndpointHook:
    """Has botocore before 1.31 read AWS_ENDPOINT_URL, as later ones do by themselves."""

    def find_spec(self, name, path=None, target=None):
        if name != "botocore.session":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_amend(module):
            load(module)
            amend_session(module.Session)
        spec.loader.exec_module = load_and_amend
        return spec


def amend_session(session):
    version = importlib.import_module("botocore").__version__.split(".")
    if [int(part) for part in version[:2]] >= [1, 31]:
        return
    create = session.create_client

    def create_client(self, *arguments, **options):
        # The sixth by position is endpoint_url.
        if len(arguments) < 6 and options.get("endpoint_url") is None:
            options["endpoint_url"] = os.environ.get("AWS_ENDPOINT_URL")
        return create(self, *arguments, **options)
    session.create_client = create_client


def handle(api, handler, request_ids):
    status, headers, body = api.call("GET", "invocation/next")
    if status != 200:
        sys.exit(0)
    request_id = headers["lambda-runtime-aws-request-id"]
    request_ids.current = request_id
    trace = headers.get("lambda-runtime-trace-id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    try:
        try:
            event = json.loads(body.decode("utf-8"))
        except ValueError as error:
            raise Failure("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}")
        answer = handler(event, LambdaContext(headers))
        try:
            encoded = encode(answer)
        except (TypeError, ValueError) as error:
            raise Failure("Runtime.MarshalError", f"Unable to marshal response: {error}")
    except Failure as failure:
        report = {**failure.report, "requestId": request_id}
    except Exception as error:
        report = report_of(error, request_id)
    else:
        sys.stdout.flush()
        api.call("POST", f"invocation/{request_id}/response", encoded,
                 [("Content-Type", "application/json")])
        return
    print_error(report)
    api.call("POST", f"invocation/{request_id}/error", encode(report),
             [("Lambda-Runtime-Function-Error-Type", report["errorType"])])


def main():
    root = os.environ["LAMBDA_TASK_ROOT"]
    opt = os.environ.get("TERRARIUM_LAYERS_ROOT", "/opt")
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    sys.path[0:1] = [root, f"{opt}/python/lib/{version}/site-packages", f"{opt}/python"]
    if "AWS_ENDPOINT_URL" in os.environ:
        sys.meta_path.insert(0, EndpointHook())
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    request_ids = RequestId()
    output = Output()
    formatter = logging.Formatter(LOG_FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    output.setFormatter(formatter)
    output.addFilter(request_ids)
    logging.getLogger().addHandler(output)
    try:
        handler = find_handler(os.environ["_HANDLER"])
    except Failure as failure:
        report = failure.report
    except Exception as error:
        report = report_of(error, "")
    else:
        while True:
            handle(api, handler, request_ids)
    print_error(report)
    api.call("POST", "init/error", encode(report),
             [("Lambda-Runtime-Function-Error-Type", report["errorType"])])
    sys.exit(1)


if __name__ == "__main__":
    main()
