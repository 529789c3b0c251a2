#include <algorithm>

#include "lib/runtime/runtime.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/exchange.h"
#include "terrarium/wire/json_parse.h"
#include "terrarium/wire/json_print.h"
#include "terrarium/wire/query.h"
#include "terrarium/wire/rest.h"

namespace terrarium::wire {
namespace {

base::Result<void> decode(const Exchange& exchange, void* input, DecodeReport& report) {
  const OperationModel& operation = *exchange.operation->model;
  switch (exchange.selection.protocol) {
    case Protocol::Query:
    case Protocol::Ec2:
      return decode_query(exchange.selection.protocol, operation, exchange.form, input, report);
    case Protocol::Json10:
    case Protocol::Json11:
      if (operation.input == nullptr) return {};
      return parse_json(exchange.body, *operation.input, JsonNames::Model, input, Path{}, report);
    case Protocol::RestJson:
    case Protocol::RestXml: break;
  }
  const RestRequest request{exchange.headers, exchange.query, exchange.labels, exchange.body};
  return decode_rest(exchange.selection.protocol, operation, request, input, report);
}

// EC2's DryRun asks whether the call is allowed and would succeed, and changes nothing.
bool is_dry_run(const Shape& input, const void* value) {
  const auto member = std::ranges::find(input.members, "DryRun", &Member::name);
  if (member == input.members.end() || member->shape->kind != Kind::Boolean) return false;
  const auto* const wanted = static_cast<const bool*>(member->get(value));
  return wanted != nullptr && *wanted;
}

base::Result<http::Response> encode(const Exchange& exchange, const Answer& answer) {
  const OperationModel& operation = *exchange.operation->model;
  const Protocol protocol = exchange.selection.protocol;
  if (protocol == Protocol::RestJson || protocol == Protocol::RestXml) {
    return encode_rest(exchange.model(), protocol, operation, answer.output.get());
  }
  http::Response response;
  if (protocol == Protocol::Ec2) {
    response.headers.add("Content-Type", "text/xml;charset=UTF-8");
    response.body =
        encode_ec2(exchange.model(), operation, answer.output.get(), exchange.context.request_id);
    return response;
  }
  if (protocol == Protocol::Query) {
    response.headers.add("Content-Type", "text/xml");
    response.body =
        encode_query(exchange.model(), operation, answer.output.get(), exchange.context.request_id);
    return response;
  }
  response.headers.add("Content-Type", protocol == Protocol::Json10 ? "application/x-amz-json-1.0"
                                                                    : "application/x-amz-json-1.1");
  if (operation.output == nullptr) {
    response.body = "{}";
  } else {
    print_json(response.body, *operation.output, answer.output.get(), JsonNames::Model);
  }
  return response;
}

runtime::Task<base::Result<void>> authorise_there(const Exchange& exchange, const void* input) {
  co_return authorise(exchange, input);
}

// Asked where the service runs, when its records are asked too.
runtime::Task<base::Result<void>> may_call(const Exchange& exchange, const void* input) {
  const RoutedService& service = *exchange.selection.service;
  if (service.permissions.add_conditions == nullptr || !service.entry.executor) {
    return authorise_there(exchange, input);
  }
  return runtime::run_on(*service.entry.executor, authorise_there(exchange, input));
}

}  // namespace

runtime::Task<base::Result<http::Response>> answer(Exchange& exchange) {
  const ServiceEntry& entry = exchange.selection.service->entry;
  const OperationHandler& handler = *exchange.operation;
  std::shared_ptr<void> input = handler.make_input();
  DecodeReport report;
  CO_TRY_VOID(decode(exchange, input.get(), report));
  if (handler.model->input != nullptr) {
    CO_TRY_VOID(validate(exchange.model(), exchange.selection.protocol, *handler.model->input,
                         input.get(), report));
    exchange.context.dry_run = exchange.selection.protocol == Protocol::Ec2 &&
                               is_dry_run(*handler.model->input, input.get());
  }
  CO_TRY_VOID(co_await may_call(exchange, input.get()));
  // Who waits long does not hold what has been read.
  exchange.body = std::string();
  exchange.form = Parameters();
  auto task = handler.call(exchange.context, std::move(input));
  base::Result<Answer> result;
  if (entry.executor) {
    result = co_await runtime::run_on(*entry.executor, std::move(task));
  } else {
    result = co_await std::move(task);
  }
  if (!result) co_return std::unexpected(std::move(result).error());
  if (exchange.context.dry_run) {
    co_return base::fail(errors::kDryRunOperation,
                         "Request would have succeeded, but DryRun flag is set.");
  }
  co_return encode(exchange, *result);
}

}  // namespace terrarium::wire
