#include "terrarium/cli/control_client.h"

#include <fstream>

#include "lib/http/client.h"
#include "lib/runtime/runtime.h"

namespace terrarium::cli {
namespace {

using base::Result;
using runtime::Task;
using namespace std::chrono_literals;

constexpr std::size_t kAnswerBytesMax = 16 * 1024 * 1024;

Task<Result<std::string>> fetch(http::ClientRequest request, base::Clock& clock,
                                base::Duration patience) {
  const runtime::Executor own = co_await runtime::this_executor();
  const auto client = http::Client::open(own, clock);
  const base::Timestamp deadline = clock.now() + patience;
  CO_TRY(http::ClientResponse response, co_await client->send(std::move(request), deadline));
  CO_TRY(std::string text, co_await http::read_all(*response.body, kAnswerBytesMax));
  if (response.status >= 400) co_return base::fail(base::ErrorKind::InvalidInput, text);
  co_return text;
}

Task<void> fetch_into(http::ClientRequest request, base::Clock& clock, base::Duration patience,
                      Result<std::string>& answer) {
  answer = co_await fetch(std::move(request), clock, patience);
}

std::string read_token(const Options& options) {
  std::ifstream file(options.state / "control.token");
  std::string token;
  std::getline(file, token);
  return token;
}

}  // namespace

Result<boost::json::value> call_control(const Options& options, const std::string& method,
                                        const std::string& path, const boost::json::value& body,
                                        base::Duration patience) {
  http::ClientRequest request;
  request.method = method;
  request.url.host = "127.0.0.1";
  request.url.port = options.port;
  request.url.target = "/_terrarium/" + path;
  if (const std::string token = read_token(options); !token.empty()) {
    request.headers.add("Authorization", "Bearer " + token);
  }
  if (!body.is_null()) {
    request.headers.add("Content-Type", "application/json");
    request.body = boost::json::serialize(body);
  }
  base::SystemClock clock;
  Result<std::string> answer = base::fail(base::ErrorKind::Internal, "no answer");
  runtime::block_on(fetch_into(std::move(request), clock, patience, answer));
  TRY(const std::string text, std::move(answer));
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(text, error);
  if (error) {
    return base::fail(
        base::ErrorKind::Unavailable,
        "Something else than Terrarium answers on port " + std::to_string(options.port) + ".");
  }
  return value;
}

bool daemon_answers(const Options& options) {
  const auto answer = call_control(options, "GET", "health", nullptr, 2s);
  return answer.has_value() && answer->is_object() && answer->as_object().contains("terrarium");
}

}  // namespace terrarium::cli
