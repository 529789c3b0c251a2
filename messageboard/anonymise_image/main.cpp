// The Lambda function's `bootstrap`: starts once, then takes one invocation after another.
#include <fmt/core.h>
#include <malloc.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lib/aws/credentials.h"
#include "lib/aws/endpoint.h"
#include "lib/aws/s3_client.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/http/client.h"
#include "lib/runtime/runtime.h"
#include "messageboard/anonymise_image/handler.h"
#include "messageboard/anonymise_image/lambda_runtime.h"

namespace {

using namespace anonymise_image;
using base::ErrorKind;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Configuration {
  Settings settings;
  Style style = Style::Blurred;
  std::filesystem::path models;
};

base::Result<Configuration> read_configuration() {
  Configuration configuration;
  configuration.settings.processed_bucket = environment("AWS_PROCESSED_BUCKET_NAME");
  if (configuration.settings.processed_bucket.empty()) {
    return base::fail(ErrorKind::InvalidInput, "AWS_PROCESSED_BUCKET_NAME is not set");
  }
  if (const std::string text = environment("MAX_RECEIVE_COUNT"); !text.empty()) {
    unsigned& count = configuration.settings.receives_max;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count == 0) {
      return base::fail(ErrorKind::InvalidInput, "MAX_RECEIVE_COUNT is not a positive number");
    }
  }
  const std::string style = environment("ANONYMISE_STYLE");
  if (style == "solid") {
    configuration.style = Style::Solid;
  } else if (!style.empty() && style != "blurred") {
    return base::fail(ErrorKind::InvalidInput, "ANONYMISE_STYLE is neither solid nor blurred");
  }
  const std::string root = environment("LAMBDA_TASK_ROOT");
  configuration.models = std::filesystem::path(root.empty() ? "." : root) / "models";
  return configuration;
}

runtime::Task<base::Result<void>> serve(LambdaRuntime& lambda, Handler& handler) {
  while (true) {
    CO_TRY(auto invocation, co_await lambda.next());
    auto answer = co_await handler.handle(std::move(invocation.payload), invocation.deadline);
    if (answer) {
      CO_TRY_VOID(co_await lambda.respond(std::move(invocation.request_id), std::move(*answer)));
    } else {
      base::log::error("anonymise_image", "{}", base::describe(answer.error()));
      CO_TRY_VOID(
          co_await lambda.fail(std::move(invocation.request_id), std::move(answer).error()));
    }
  }
}

// `initialised` says on which side of the first invocation it failed.
runtime::Task<base::Result<void>> start(LambdaRuntime& lambda, http::Client& client,
                                        base::Clock& clock, bool& initialised) {
  CO_TRY(auto configuration, read_configuration());
  CO_TRY(auto detector, Detector::open(configuration.models));
  base::SystemRandom random;
  Anonymiser anonymiser(std::move(detector), configuration.style, random,
                        configuration.settings.limits);
  const auto credentials = aws::default_credentials_chain(client, clock);
  aws::S3Client s3(client, *credentials, clock, random, aws::default_region());
  S3Objects objects(s3);
  Handler handler(anonymiser, objects, clock, std::move(configuration.settings));
  initialised = true;
  co_return co_await serve(lambda, handler);
}

runtime::Task<void> run(int& exit_code) {
  base::SystemClock clock;
  const auto client = http::Client::open(co_await runtime::this_executor(), clock);
  LambdaRuntime lambda(*client, clock, environment("AWS_LAMBDA_RUNTIME_API"));
  bool initialised = false;
  const auto ended = co_await start(lambda, *client, clock, initialised);
  if (ended) co_return;
  exit_code = EXIT_FAILURE;
  base::log::error("anonymise_image", "{}", base::describe(ended.error()));
  if (initialised) co_return;
  const auto told = co_await lambda.fail_init(ended.error());
  if (!told) base::log::error("anonymise_image", "{}", base::describe(told.error()));
}

}  // namespace

int main() {
  if (environment("AWS_LAMBDA_RUNTIME_API").empty()) {
    fmt::print(stderr, "AWS_LAMBDA_RUNTIME_API is not set: this program is a Lambda function\n");
    return EXIT_FAILURE;
  }
  // Freed network memory is kept for the next picture: giving it back costs a page fault a page.
  mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
  mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
  int exit_code = EXIT_SUCCESS;
  runtime::block_on(run(exit_code));
  return exit_code;
}
