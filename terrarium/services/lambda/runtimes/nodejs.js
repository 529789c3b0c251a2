"use strict";
// The runtime client of Node.js functions: loads the handler (CommonJS or an ES module), then asks
// the Runtime API for one event after another. Answers, errors and log lines look as those of AWS's
// own client. Run by the machine's node, whatever version of Node.js the function asks for.
const fs = require("fs");
const net = require("net");
const path = require("path");
const util = require("util");
const { pathToFileURL } = require("url");

const PREFIX = "/2018-06-01/runtime/";
// A line break inside one log record: the sandbox takes each line for a record of its own.
const SOFT_BREAK = "\r";
const LEVELS = {
  trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR",
};
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;

// HTTP/1.1 over one kept connection, which keeps the process alive only while it waits for an
// answer: a function's event loop is empty when nothing of the function's own is in it.
class RuntimeApi {
  constructor(address) {
    this.address = address;
    this.socket = null;
    this.rest = Buffer.alloc(0);
    this.waiting = null;
  }

  connect() {
    const [host, port] = this.address.split(":");
    this.socket = net.connect(Number(port), host);
    this.socket.setNoDelay(true);
    this.socket.on("data", (part) => {
      this.rest = this.rest.length ? Buffer.concat([this.rest, part]) : part;
      this.answer();
    });
    // The environment has ended, and so does whoever runs in it.
    this.socket.on("error", () => process.exit(0));
    this.socket.on("close", () => process.exit(0));
  }

  call(method, target, body = "", headers = {}) {
    const bytes = Buffer.from(body);
    const lines = [`${method} ${PREFIX}${target} HTTP/1.1`, `Host: ${this.address}`,
      `Content-Length: ${bytes.length}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (!this.socket) this.connect();
    this.socket.ref();
    const head = Buffer.from(lines.join("\r\n") + "\r\n\r\n", "latin1");
    this.socket.write(Buffer.concat([head, bytes]));
    return new Promise((resolve) => { this.waiting = resolve; });
  }

  answer() {
    const end = this.rest.indexOf("\r\n\r\n");
    if (end < 0) return;
    const [first, ...lines] = this.rest.toString("latin1", 0, end).split("\r\n");
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
    const length = Number(headers["content-length"] || 0);
    if (this.rest.length < end + 4 + length) return;
    const body = this.rest.toString("utf8", end + 4, end + 4 + length);
    this.rest = this.rest.subarray(end + 4 + length);
    this.socket.unref();
    const resolve = this.waiting;
    this.waiting = null;
    resolve({ status: Number(first.split(" ")[1]), headers, body });
  }
}

// --- Errors --------------------------------------------------------------------------------------

class RuntimeFailure extends Error {
  constructor(name, message) {
    super(message);
    this.name = `Runtime.${name}`;
  }
}

const isError = (value) => value instanceof Error || util.types.isNativeError(value);

// As the caller of the function sees an error.
function reportOf(error) {
  if (!isError(error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: error.stack ? error.stack.split("\n") : [],
  };
}

// As the log shows an error: all that it carries, the stack last.
function loggedForm(error) {
  if (!isError(error)) return `\t${JSON.stringify(reportOf(error))}`;
  const shown = { errorType: error.name, errorMessage: error.message };
  for (const [name, value] of Object.entries(error)) if (!(name in shown)) shown[name] = value;
  shown.stack = error.stack ? error.stack.split("\n") : [];
  try {
    return `\t${JSON.stringify(shown)}`;
  } catch {
    return `\t${JSON.stringify(reportOf(error))}`;
  }
}

// --- Log -----------------------------------------------------------------------------------------

let requestId = "undefined";

function write(level, text) {
  const line = `${new Date().toISOString()}\t${requestId}\t${level}\t${text}`;
  fs.writeSync(1, line.replace(/\r?\n/g, SOFT_BREAK) + "\n");
}

for (const [name, level] of Object.entries(LEVELS)) {
  console[name] = (...values) => write(level, util.format(...values));
}

// --- Handler -------------------------------------------------------------------------------------

function isModule(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      const text = fs.readFileSync(path.join(folder, "package.json"), "utf8");
      return JSON.parse(text).type === "module";
    } catch {
      // None here, or none that can be read: the folder above decides.
    }
    if (folder === path.dirname(folder)) return false;
  }
}

async function load(root, base) {
  const file = path.resolve(root, base);
  const importing = (name) => import(pathToFileURL(name).href);
  if (fs.existsSync(`${file}.js`) && !isModule(`${file}.js`)) return require(`${file}.js`);
  if (fs.existsSync(`${file}.js`)) return importing(`${file}.js`);
  if (fs.existsSync(`${file}.mjs`)) return importing(`${file}.mjs`);
  if (fs.existsSync(`${file}.cjs`)) return require(`${file}.cjs`);
  // A package of the function or of its layers.
  return require(require.resolve(base, { paths: [root, path.dirname(file)] }));
}

function failureOfLoading(error) {
  const isMissing = error && ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error.code);
  if (!(error instanceof SyntaxError) && !isMissing) return error;
  const kind = isMissing ? "ImportModuleError" : "UserCodeSyntaxError";
  const failure = new RuntimeFailure(kind, String(error));
  const frames = (error.stack || "").split("\n").filter((line) => line.startsWith("    at "));
  failure.stack = [`${failure.name}: ${failure.message}`, ...frames].join("\n");
  return failure;
}

async function findHandler(root, name) {
  if (name.includes("..")) {
    throw new RuntimeFailure("MalformedHandlerName",
      `'${name}' is not a valid handler name. Use absolute paths when specifying root ` +
      "directories in handler names.");
  }
  const folder = path.posix.dirname(name);
  const parts = /^([^.]*)\.(.*)$/.exec(path.posix.basename(name));
  if (!parts) throw new RuntimeFailure("MalformedHandlerName", "Bad handler");
  let found;
  try {
    found = await load(root, path.posix.join(folder, parts[1]));
  } catch (error) {
    throw failureOfLoading(error);
  }
  // A CommonJS file that was imported has its exports under `default`.
  const reach = (from) => parts[2].split(".").reduce((at, key) => at?.[key], from);
  const handler = reach(found) ?? reach(found && found.default);
  if (handler === undefined || handler === null) {
    throw new RuntimeFailure("HandlerNotFound", `${name} is undefined or not exported`);
  }
  if (typeof handler !== "function") {
    throw new RuntimeFailure("HandlerNotFound", `${name} is not a function`);
  }
  return handler;
}

// --- Invocations ---------------------------------------------------------------------------------

// Settles once: with the handler's promise, its callback, or the end of all that it had begun.
class Invocation {
  constructor(headers, finished) {
    this.headers = headers;
    this.finished = finished;
    this.settled = false;
    this.callback = null;  // waits for the event loop to be empty
    this.waitsForEmptyLoop = true;
  }

  settle(error, value) {
    if (this.settled) return;
    this.settled = true;
    this.finished(error, value);
  }

  calledBack(error, value) {
    if (this.callback) return;
    this.callback = [error, value];
    if (!this.waitsForEmptyLoop || (error !== null && error !== undefined)) this.loopIsEmpty();
  }

  loopIsEmpty() {
    const [error, value] = this.callback || [null, null];
    this.settle(error === null || error === undefined ? null : { error }, value);
  }

  context() {
    const self = this;
    const headers = this.headers;
    const deadline = Number(headers["lambda-runtime-deadline-ms"]);
    const client = headers["lambda-runtime-client-context"];
    const identity = headers["lambda-runtime-cognito-identity"];
    const done = (error, value) => self.calledBack(error, value);
    return {
      get callbackWaitsForEmptyEventLoop() { return self.waitsForEmptyLoop; },
      set callbackWaitsForEmptyEventLoop(value) { self.waitsForEmptyLoop = Boolean(value); },
      functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: client ? JSON.parse(client) : undefined,
      identity: identity ? JSON.parse(identity) : undefined,
      invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
      awsRequestId: headers["lambda-runtime-aws-request-id"],
      getRemainingTimeInMillis: () => deadline - Date.now(),
      succeed: (value) => done(null, value),
      fail: (error) => done(error === undefined || error === null ? "handled" : error, null),
      done,
    };
  }
}

let current = null;

function run(handler, event, headers) {
  return new Promise((resolve) => {
    const invocation = new Invocation(headers, (failure, value) => {
      current = null;
      resolve({ failure, value });
    });
    current = invocation;
    try {
      const returned = handler(JSON.parse(event), invocation.context(),
        (error, value) => invocation.calledBack(error, value));
      if (returned && typeof returned.then === "function") {
        returned.then((value) => invocation.settle(null, value),
          (error) => invocation.settle({ error }));
      }
    } catch (error) {
      invocation.settle({ error });
    }
  });
}

function encode(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? "null";
  } catch {
    throw new Error("Unable to stringify response body");
  }
}

function reportFailure(api, target, error) {
  const report = reportOf(error);
  return api.call("POST", target, JSON.stringify(report), {
    "Content-Type": "application/json",
    "Lambda-Runtime-Function-Error-Type": encodeURIComponent(report.errorType),
  });
}

async function handle(api, handler) {
  const next = await api.call("GET", "invocation/next");
  if (next.status !== 200) process.exit(0);
  requestId = next.headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"] || "";
  let { failure, value } = await run(handler, next.body, next.headers);
  let answer;
  try {
    if (!failure) answer = encode(value);
  } catch (error) {
    failure = { error };
  }
  if (!failure) {
    await api.call("POST", `invocation/${requestId}/response`, answer,
      { "Content-Type": "application/json" });
    return;
  }
  write("ERROR", `Invoke Error ${loggedForm(failure.error)}`);
  await reportFailure(api, `invocation/${requestId}/error`, failure.error);
}

// What nobody caught ends the function, with the reason as its answer.
function watchForSurprises(api) {
  const end = async (what, error, code) => {
    write("ERROR", `${what} ${loggedForm(error)}`);
    const target = current ? `invocation/${requestId}/error` : "init/error";
    if (current) current.settled = true;
    await reportFailure(api, target, error);
    process.exit(code);
  };
  process.on("uncaughtException", (error) =>
    end("Uncaught Exception", error, EXIT_UNCAUGHT_EXCEPTION));
  process.on("unhandledRejection", (reason) => {
    const error = new RuntimeFailure("UnhandledPromiseRejection", String(reason));
    error.reason = isError(reason) ? reportOf(reason) : reason;
    end("Unhandled Promise Rejection", error, EXIT_UNHANDLED_REJECTION);
  });
  process.on("beforeExit", () => { if (current) current.loopIsEmpty(); });
}

async function main() {
  const api = new RuntimeApi(process.env.AWS_LAMBDA_RUNTIME_API);
  globalThis.awslambda = {
    streamifyResponse() {
      throw new RuntimeFailure("InvalidStreamingOperation",
        "Response streaming is not supported by this region");
    },
  };
  let handler;
  try {
    handler = await findHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  } catch (error) {
    write("ERROR", `Uncaught Exception ${loggedForm(error)}`);
    await reportFailure(api, "init/error", error);
    process.exit(1);
  }
  watchForSurprises(api);
  for (;;) await handle(api, handler);
}

main();
