// The service with a real sandbox, real processes and the Runtime API over HTTP. Needs no root; as
// root it also sees that functions have no rights.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>

#include "lib/base/encoding.h"
#include "terrarium/host/linux/network.h"
#include "terrarium/host/linux/sandbox.h"
#include "terrarium/services/lambda/testing_region.h"

namespace terrarium::lambda {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class T>
runtime::Task<void> store_answer(runtime::Task<base::Result<T>> call,
                                 std::optional<base::Result<T>>& out) {
  out.emplace(co_await std::move(call));
}

runtime::Task<void> start_service(Service& service, bool& started) {
  started = service.start().has_value();
  co_return;
}

class LambdaReal : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "lambda-real-XXXXXX").string();
    state_ = ::mkdtemp(folder.data());
    runtime_.start();
    auto sandbox = host::open_linux_sandbox(runtime_, clock_, {.folder = state_ / "lambda"});
    if (!sandbox) GTEST_SKIP() << sandbox.error().message;
    sandbox_ = *std::move(sandbox);
    open_network();
    service_ = std::make_unique<Service>(
        Service::Parts{*store_, clock_, random_, runtime_, *sandbox_, queue_, objects_, logs_,
                       roles_, roles_, nullptr, nullptr, network_.get()},
        Config{.state_directory = state_, .limits = machine_limits()});
    bool started = false;
    runtime::run_and_wait(runtime_.control(), start_service(*service_, started));
    ASSERT_TRUE(started);
    context_.region = "us-east-1";
    context_.account = "000000000000";
    create("f");
  }
  void TearDown() override {
    if (service_) runtime::run_and_wait(runtime_.control(), stop_service(*service_));
    close_network();
    runtime_.stop();
    service_.reset();
    sandbox_.reset();
    EXPECT_TRUE(!std::filesystem::exists(state_ / "lambda" / "tmp") ||
                std::filesystem::is_empty(state_ / "lambda" / "tmp"));
    std::filesystem::remove_all(state_);
  }

  virtual void open_network() {}
  virtual void close_network() {}
  // What the first invocation of a function takes.
  base::Duration cold_start() {
    std::vector<base::Duration> took;
    for (int i = 0; i < 11; ++i) {
      const std::string name = "cold" + std::to_string(i);
      create(name);
      const base::Timestamp before = clock_.now();
      EXPECT_EQ(invoke("{}", name).payload, "{}");
      took.push_back(clock_.now() - before);
    }
    std::ranges::nth_element(took, took.begin() + 5);
    return took[5];
  }

  void create(const std::string& name) {
    create(name, "provided.al2023", "bootstrap", {{"bootstrap", read_file(ECHO_RUNTIME), 0755}});
  }
  void create(const std::string& name, std::string runtime, std::string handler,
              std::vector<ZipEntry> files) {
    CreateFunctionRequest request;
    request.function_name = name;
    request.runtime = std::move(runtime);
    request.handler = std::move(handler);
    request.role = TestingRegion::kRole;
    request.memory_size = 256;
    request.code.zip_file = zip_of(files);
    const auto made = ask(service_->create_function(context_, std::move(request)));
    ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  }
  template <class T>
  base::Result<T> ask(runtime::Task<base::Result<T>> call) {
    std::optional<base::Result<T>> out;
    runtime::run_and_wait(runtime_.control(), store_answer(std::move(call), out));
    return *std::move(out);
  }
  InvocationResponse invoke(std::string payload, std::string name = "f") {
    context_.request_id = random_.uuid();
    InvocationRequest request;
    request.function_name = std::move(name);
    request.log_type = "Tail";
    request.payload = std::move(payload);
    auto response = ask(service_->invoke(context_, std::move(request)));
    EXPECT_TRUE(response.has_value()) << base::describe(response.error());
    return response.value_or(InvocationResponse{});
  }
  static std::string tail(const InvocationResponse& response) {
    return base::base64_decode(response.log_result.value_or("")).value_or("");
  }

  runtime::Runtime runtime_{2, 2};
  base::SystemClock clock_;
  base::SystemRandom random_;
  std::unique_ptr<store::Store> store_ = store::open_memory_store();
  FakeQueue queue_{clock_};
  FakeObjects objects_;
  FakeLogs logs_;
  FakeRoles roles_{clock_};
  wire::Context context_;
  std::filesystem::path state_;
  std::unique_ptr<host::Sandbox> sandbox_;
  std::unique_ptr<host::Network> network_;
  std::unique_ptr<Service> service_;
};

TEST_F(LambdaReal, AnswersAgainAndAgain) {
  const auto first = invoke("{\"x\":1}");
  EXPECT_EQ(first.payload, "{\"x\":1}") << tail(first);
  EXPECT_NE(tail(first).find("\ngot 7 bytes\nEND "), std::string::npos) << tail(first);
  EXPECT_NE(tail(first).find("Init Duration: "), std::string::npos);
  const std::string large = "\"" + std::string(5 << 20, 'x') + "\"";
  EXPECT_EQ(invoke(large).payload, large);
  std::vector<base::Duration> took;
  for (int i = 0; i < 200; ++i) {
    const base::Timestamp before = clock_.now();
    EXPECT_EQ(invoke("{}").payload, "{}");
    took.push_back(clock_.now() - before);
  }
  std::ranges::nth_element(took, took.begin() + 100);
  RecordProperty("warm_invoke_p50_us", static_cast<int>(took[100].count()));
  std::printf("warm invoke p50: %lld us\n", static_cast<long long>(took[100].count()));
  std::printf("cold start p50: %lld us\n", static_cast<long long>(cold_start().count()));
}

TEST_F(LambdaReal, ErrorsCrashesAndTimeoutsAreTheFunctions) {
  EXPECT_EQ(invoke("\"fail\"").payload, R"({"errorMessage":"asked to","errorType":"Asked"})");
  const auto exited = invoke("\"exit\"");
  EXPECT_EQ(exited.function_error, "Unhandled");
  EXPECT_NE(exited.payload->find("exit status 3"), std::string::npos) << *exited.payload;
  const auto crashed = invoke("\"crash\"");
  EXPECT_NE(crashed.payload->find("Runtime exited with error: "), std::string::npos);
  const auto late = invoke("\"sleep\"");
  EXPECT_NE(late.payload->find("Task timed out after 3.00 seconds"), std::string::npos);
  EXPECT_EQ(invoke("{}").payload, "{}");
}

TEST_F(LambdaReal, NodeRunsCommonModulesAndEsModules) {
  if (!check_runtime("nodejs20.x")) GTEST_SKIP() << "no node on this machine";
  create("common", "nodejs20.x", "index.handler",
         {{"index.js",
           "exports.handler = (event, context, callback) => {\n"
           "  console.log('got', event);\n"
           "  if (event === 'fail') throw new RangeError('asked to');\n"
           "  setTimeout(() => callback(null, {event, name: context.functionName}), 10);\n"
           "};\n",
           0644}});
  const auto answered = invoke("\"x\"", "common");
  EXPECT_EQ(answered.payload, R"({"event":"x","name":"common"})") << tail(answered);
  EXPECT_NE(tail(answered).find("\tINFO\tgot x\n"), std::string::npos) << tail(answered);
  const auto failed = invoke("\"fail\"", "common");
  EXPECT_EQ(failed.function_error, "Unhandled");
  const auto error = boost::json::parse(*failed.payload).as_object();
  EXPECT_EQ(error.at("errorType").as_string(), "RangeError");
  EXPECT_EQ(error.at("errorMessage").as_string(), "asked to");
  EXPECT_TRUE(error.at("trace").as_array().at(1).as_string().find("/index.js:3") !=
              boost::json::string::npos)
      << *failed.payload;
  create("module", "nodejs22.x", "src/main.handler",
         {{"src/main.mjs", "export const handler = async (event) => [event, event];\n", 0644}});
  EXPECT_EQ(invoke("7", "module").payload, "[7,7]");
  create("missing", "nodejs20.x", "index.none", {{"index.js", "", 0644}});
  EXPECT_NE(invoke("7", "missing").payload->find("index.none is undefined or not exported"),
            std::string::npos);
}

TEST_F(LambdaReal, MemoryIsLimited) {
  if (sandbox_->description().find("memory limit") == std::string::npos) {
    GTEST_SKIP() << "no control group to limit memory with";
  }
  const auto eaten = invoke("\"eat\"");
  EXPECT_NE(eaten.payload->find("signal: killed"), std::string::npos) << *eaten.payload;
  EXPECT_NE(tail(eaten).find("Max Memory Used: 256 MB"), std::string::npos) << tail(eaten);
}

TEST_F(LambdaReal, TwoFunctionsShareNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "sandboxes of a daemon without root share its user";
  create("g");
  const auto seen = [this](std::string name) {
    return boost::json::parse(*invoke("\"look\"", std::move(name)).payload).as_array();
  };
  const auto f = seen("f");
  const auto g = seen("g");
  EXPECT_NE(f[0], g[0]) << "user ids";
  EXPECT_NE(f[0].to_number<unsigned>(), 0U);
  EXPECT_EQ(f[1].to_number<int>(), 0) << "its code can be written";
  EXPECT_EQ(f[2].to_number<int>(), 1) << "its /tmp can't be written";
  EXPECT_EQ(g[3].to_number<int>(), 0) << "the other's /tmp is seen";
}

runtime::Task<void> remove_networks(host::Network& network, host::ProgramKeeper& programs,
                                    bool& removed) {
  removed = (co_await network.remove_all()).has_value();
  co_await programs.stop_all();
}

class LambdaInNetworks : public LambdaReal {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    LambdaReal::SetUp();
  }
  void open_network() override {
    programs_ = std::make_unique<host::ProgramKeeper>(runtime_.control(), clock_, state_);
    auto network = host::open_linux_network(clock_, *programs_, {.state = state_});
    ASSERT_TRUE(network.has_value()) << base::describe(network.error());
    network_ = *std::move(network);
  }
  void close_network() override {
    if (!network_) return;
    const std::filesystem::path first = network_->namespace_path("function-0");
    EXPECT_FALSE(std::filesystem::exists(first)) << "the service has left a namespace behind";
    bool removed = false;
    runtime::run_and_wait(runtime_.control(), remove_networks(*network_, *programs_, removed));
    EXPECT_TRUE(removed);
    network_.reset();
    programs_.reset();
  }
  std::unique_ptr<host::ProgramKeeper> programs_;
};

TEST_F(LambdaInNetworks, AFunctionReachesItsRuntimeApiAndNothingOfTheHost) {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(listening, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listening, 8), 0);
  ASSERT_EQ(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &length), 0);
  create("net", "python3.12", "main.handler",
         {{"main.py",
           "import os, socket\n"
           "def reaches(port):\n"
           "    try:\n"
           "        socket.create_connection(('127.0.0.1', port), 1).close()\n"
           "        return True\n"
           "    except OSError:\n"
           "        return False\n"
           "def handler(event, context):\n"
           "    return [os.environ['AWS_LAMBDA_RUNTIME_API'], os.environ['AWS_ENDPOINT_URL'],\n"
           "            reaches(9001), reaches(event),\n"
           "            sorted(name for _, name in socket.if_nameindex())]\n",
           0644}});
  EXPECT_EQ(invoke(std::to_string(ntohs(address.sin_port)), "net").payload,
            R"(["127.0.0.1:9001", "http://203.0.113.1", true, false, ["eth0", "lo"]])");
  ::close(listening);
}

TEST_F(LambdaInNetworks, NamespacesAreUsedAgain) {
  std::printf("cold start p50 with a network: %lld us\n",
              static_cast<long long>(cold_start().count()));
  EXPECT_EQ(invoke("\"exit\"").function_error, "Unhandled");
  EXPECT_EQ(invoke("{}").payload, "{}");
}

}  // namespace
}  // namespace terrarium::lambda
