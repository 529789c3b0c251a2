#include "terrarium/services/imds/service.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "lib/runtime/runtime.h"
#include "terrarium/services/imds/tree.h"

namespace terrarium::imds {
namespace {

using runtime::Task;

constexpr std::string_view kTokenLifeHeader = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds";

http::Response text(int status, std::string body, std::string type) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", std::move(type));
  response.headers.add("Server", "EC2ws");
  response.body = std::move(body);
  return response;
}

http::Response refusal(int status) {
  const std::string title = std::to_string(status) + " - " + std::string(http::reason(status));
  return text(status,
              "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n"
              "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n"
              "\t\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
              "<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n"
              " <head>\n  <title>" +
                  title + "</title>\n </head>\n <body>\n  <h1>" + title +
                  "</h1>\n </body>\n</html>\n",
              "text/html");
}

http::Response shown(const Leaf& leaf) {
  switch (leaf.form) {
    case Form::Text: return text(200, leaf.text, "text/plain");
    case Form::Json: return text(200, leaf.text, "application/json");
    case Form::Bytes: break;
  }
  return text(200, leaf.text, "application/octet-stream");
}

// Nothing: a broken escape.
std::optional<std::vector<std::string>> segments_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) {
      auto segment = base::percent_decode(path.substr(0, slash));
      if (!segment) return std::nullopt;
      out.push_back(*std::move(segment));
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return out;
}

std::optional<std::chrono::seconds> token_life(std::string_view header) {
  std::int32_t seconds = 0;
  const auto [end, failure] =
      std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (failure != std::errc() || end != header.data() + header.size()) return std::nullopt;
  if (seconds < 1 || seconds > kTokenLifeMax.count()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

Task<http::Response> Service::handle(std::string vpc_id, http::Request& request) {
  Question question{.vpc_id = std::move(vpc_id)};
  if (request.peer != nullptr) question.source_address = request.peer->address;
  question.method = request.method;
  question.path = request.path;
  question.token = request.headers.find("X-aws-ec2-metadata-token").value_or("");
  question.token_life = request.headers.find(kTokenLifeHeader).value_or("");
  question.forwarded = request.headers.find("X-Forwarded-For").has_value();
  co_return co_await runtime::run_on(parts_.control, answer(std::move(question)));
}

http::Response Service::issue_token(const Question& question, const InstanceFacts& instance) const {
  // What a proxy forwards was not asked by a program of the instance.
  if (question.forwarded) return refusal(403);
  const auto life = token_life(question.token_life);
  if (!life) return refusal(400);
  http::Response response =
      text(200, tokens_.issue(instance.instance_id, *life, parts_.clock.now()), "text/plain");
  response.headers.add(std::string(kTokenLifeHeader), std::to_string(life->count()));
  return response;
}

Task<http::Response> Service::answer(Question question) {
  const auto instance = parts_.instances.find(question.vpc_id, question.source_address);
  if (!instance) co_return refusal(404);
  if (!instance->options.endpoint_enabled) co_return refusal(403);
  auto path = segments_of(question.path);
  if (!path) co_return refusal(400);
  const bool for_token = *path == std::vector<std::string>{"latest", "api", "token"};
  if (for_token && question.method == "PUT") co_return issue_token(question, *instance);
  if (for_token || (question.method != "GET" && question.method != "HEAD")) {
    co_return refusal(405);
  }
  std::optional<std::chrono::seconds> remaining;
  if (!question.token.empty()) {
    remaining = tokens_.remaining(question.token, instance->instance_id, parts_.clock.now());
    if (!remaining) co_return refusal(401);
  } else if (instance->options.tokens_required) {
    co_return refusal(401);
  }
  http::Response response = co_await show(*instance, *std::move(path));
  if (remaining) {
    response.headers.add(std::string(kTokenLifeHeader), std::to_string(remaining->count()));
  }
  co_return response;
}

Task<http::Response> Service::show(InstanceFacts instance, std::vector<std::string> path) {
  if (path.empty()) {
    std::string all;
    for (const std::string_view version : versions()) {
      if (!all.empty()) all += '\n';
      all += version;
    }
    co_return text(200, all, "text/plain");
  }
  if (!is_version(path.front())) co_return refusal(404);
  path.erase(path.begin());
  const auto leaf = find(instance, path);
  if (!leaf) co_return refusal(404);
  const std::vector<std::string> credentials = {"meta-data", "iam", "security-credentials",
                                                role_name(instance)};
  if (path != credentials) co_return shown(*leaf);
  auto document = co_await credentials_.document(instance.instance_id, instance.profile->role_arn);
  if (!document) {
    base::log::error("imds", "no credentials for {}: {}", instance.instance_id,
                     base::describe(document.error()));
    co_return refusal(500);
  }
  co_return shown({*std::move(document), Form::Json});
}

}  // namespace terrarium::imds
