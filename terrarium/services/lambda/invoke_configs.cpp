#include "terrarium/services/lambda/invoke_configs.h"

#include <fmt/format.h>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/page.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

std::unexpected<base::Error> no_function() {
  return base::fail(errors::kResourceNotFoundException, "The function doesn't exist.");
}

template <class Request>
base::Result<void> check_given(const Request& request) {
  if (request.maximum_retry_attempts || request.maximum_event_age_in_seconds ||
      request.destination_config) {
    return {};
  }
  return invalid("You must specify at least one of error handling or destination setting.");
}

std::string destination_of(const auto& end) { return end ? end->destination.value_or("") : ""; }

// What AWS takes for an ARN before it looks at what it names.
bool is_arn(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; parts.size() < 5;) {
    const std::size_t colon = text.find(':', from);
    if (colon == text.npos) return false;
    parts.push_back(text.substr(from, colon - from));
    from = colon + 1;
  }
  const std::string_view service = parts[2];
  const std::string_view account = parts[4];
  const bool is_digits = account.find_first_not_of("0123456789") == account.npos;
  return parts[0] == "arn" && parts[1].starts_with("aws") && is_word(service) &&
         service.find('_') == service.npos && (parts[3].empty() || is_word(parts[3])) &&
         (account.empty() || (account.size() == 12 && is_digits));
}

base::Result<void> check_arn(const std::string& arn, std::string_view member) {
  static constexpr std::string_view kPattern =
      "^$|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:"
      "((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)";
  if (arn.empty() || is_arn(arn)) return {};
  return pattern_violation(arn, member, kPattern);
}

std::string shown(std::string_view name, const std::string& arn) {
  return arn.empty() ? "null" : fmt::format("{}(destination={})", name, arn);
}

std::unexpected<base::Error> invalid_config(const DestinationConfig& config) {
  return invalid(fmt::format(
      "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
      shown("OnSuccess", destination_of(config.on_success)),
      shown("OnFailure", destination_of(config.on_failure))));
}

FunctionEventInvokeConfig describe(const InvokeConfigRecord& record, const Place& place) {
  FunctionEventInvokeConfig view;
  view.last_modified = record.last_modified;
  view.function_arn = qualified_arn(place, record.function_name, record.qualifier);
  view.maximum_retry_attempts = record.retries_max;
  view.maximum_event_age_in_seconds = record.event_age_max_s;
  auto& destinations = view.destination_config.emplace();
  auto& success = destinations.on_success.emplace();
  auto& failure = destinations.on_failure.emplace();
  if (!record.on_success_arn.empty()) success.destination = record.on_success_arn;
  if (!record.on_failure_arn.empty()) failure.destination = record.on_failure_arn;
  return view;
}

// What a request gives, over what there was.
template <class Request>
void apply(InvokeConfigRecord& record, const Request& request) {
  if (request.maximum_retry_attempts) record.retries_max = request.maximum_retry_attempts;
  if (request.maximum_event_age_in_seconds) {
    record.event_age_max_s = request.maximum_event_age_in_seconds;
  }
  if (request.destination_config) {
    record.on_success_arn = destination_of(request.destination_config->on_success);
    record.on_failure_arn = destination_of(request.destination_config->on_failure);
  }
}

}  // namespace

base::Result<void> InvokeConfigs::load() {
  const std::string prefix(keys::kAllInvokeConfigs);
  const auto cursor = parts_.store.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(InvokeConfigRecord record, parse_invoke_config(cursor->value()));
    const keys::Parts parts = keys::parts(cursor->key());
    const Key key{parts.region, record.function_name, record.qualifier};
    configs_[key] = std::move(record);
  }
  return cursor->status();
}

InvokeConfigRecord InvokeConfigs::find(const std::string& region, const std::string& function,
                                       const std::string& qualifier) const {
  const std::string asked = qualifier.empty() ? std::string(kLatest) : qualifier;
  const auto found = configs_.find({region, function, asked});
  if (found != configs_.end()) return found->second;
  return {.function_name = function, .qualifier = asked};
}

void InvokeConfigs::forget(store::Batch& batch, const std::string& region,
                           const std::string& function) {
  const std::string prefix = keys::invoke_configs(region, function);
  batch.erase_range(kTable, prefix, store::prefix_end(prefix));
  std::erase_if(configs_, [&](const auto& entry) {
    return entry.first.region == region && entry.first.function == function;
  });
}

void InvokeConfigs::forget(store::Batch& batch, const std::string& region,
                           const std::string& function, const std::string& qualifier) {
  batch.erase(kTable, keys::invoke_config(region, function, qualifier));
  configs_.erase({region, function, qualifier});
}

base::Result<InvokeConfigs::Key> InvokeConfigs::key_of(
    const wire::Context& context, std::string_view name,
    const std::optional<std::string>& qualifier) const {
  TRY(FunctionName parsed, parse_function_name(name, qualifier, place_of(context)));
  if (parsed.qualifier.empty()) parsed.qualifier = kLatest;
  return Key{context.region, std::move(parsed.name), std::move(parsed.qualifier)};
}

bool InvokeConfigs::is_there(const wire::Context& context, const Key& key) const {
  return parts_.catalog.resolve(place_of(context), FunctionName{key.function, key.qualifier})
      .has_value();
}

// False: AWS has no such destination. An error: there is one, but not for this function.
base::Result<bool> InvokeConfigs::is_destination(const Place& place, const std::string& function,
                                                 const std::string& arn) const {
  if (arn.empty()) return true;
  static constexpr std::string_view kOthers[] = {"sns", "events", "s3"};
  for (const std::string_view other : kOthers) {
    if (!arn.starts_with(fmt::format("arn:aws:{}:", other))) continue;
    return unsupported(fmt::format("The destination {} (queues and functions are)", arn));
  }
  if (arn.starts_with("arn:aws:sqs:")) return !arn.ends_with(".fifo");
  if (!arn.starts_with("arn:aws:lambda:")) return false;
  const auto name = parse_function_name(arn, place);
  if (!name || !parts_.catalog.resolve(place, *name)) {
    return invalid(fmt::format("The destination ARN {} is invalid.", arn));
  }
  if (name->name == function) {
    return invalid("You can't specify the function as a destination for itself.");
  }
  return true;
}

InvokeConfigs::Answer<void> InvokeConfigs::check_destinations(Place place, std::string function,
                                                              DestinationConfig config) {
  const std::string failure = destination_of(config.on_failure);
  const std::string success = destination_of(config.on_success);
  CO_TRY_VOID(check_arn(failure, "destinationConfig.onFailure.destination"));
  CO_TRY_VOID(check_arn(success, "destinationConfig.onSuccess.destination"));
  for (const std::string& arn : {failure, success}) {
    CO_TRY(const bool known, is_destination(place, function, arn));
    if (!known) co_return invalid_config(config);
    const bool is_queue = arn.starts_with("arn:aws:sqs:");
    if (is_queue && !co_await parts_.queues.queue_exists(arn)) {
      co_return invalid(fmt::format("The destination ARN {} is invalid.", arn));
    }
  }
  co_return base::Result<void>();
}

InvokeConfigs::Answer<FunctionEventInvokeConfig> InvokeConfigs::save(const wire::Context& context,
                                                                     Key key,
                                                                     InvokeConfigRecord record) {
  record.function_name = key.function;
  record.qualifier = key.qualifier;
  record.last_modified = parts_.clock.now();
  store::Batch batch;
  batch.put(kTable, keys::invoke_config(key.region, key.function, key.qualifier), to_text(record));
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  configs_[key] = record;
  CO_TRY_VOID(co_await parts_.store.sync());
  co_return describe(record, place_of(context));
}

InvokeConfigs::Answer<FunctionEventInvokeConfig> InvokeConfigs::put(
    const wire::Context& context, PutFunctionEventInvokeConfigRequest request) {
  CO_TRY_VOID(check_given(request));
  CO_TRY(const Key key, key_of(context, request.function_name, request.qualifier));
  if (!is_there(context, key)) co_return no_function();
  if (request.destination_config) {
    CO_TRY_VOID(
        co_await check_destinations(place_of(context), key.function, *request.destination_config));
    if (!is_there(context, key)) co_return no_function();
  }
  InvokeConfigRecord record;
  apply(record, request);
  co_return co_await save(context, key, std::move(record));
}

InvokeConfigs::Answer<FunctionEventInvokeConfig> InvokeConfigs::update(
    const wire::Context& context, UpdateFunctionEventInvokeConfigRequest request) {
  CO_TRY_VOID(check_given(request));
  CO_TRY(const Key key, key_of(context, request.function_name, request.qualifier));
  if (!is_there(context, key)) co_return no_function();
  if (request.destination_config) {
    CO_TRY_VOID(
        co_await check_destinations(place_of(context), key.function, *request.destination_config));
  }
  const auto found = configs_.find(key);
  if (found == configs_.end()) co_return none(context, key);
  InvokeConfigRecord record = found->second;
  apply(record, request);
  co_return co_await save(context, key, std::move(record));
}

std::unexpected<base::Error> InvokeConfigs::none(const wire::Context& context,
                                                 const Key& key) const {
  return base::fail(errors::kResourceNotFoundException,
                    fmt::format("The function {} doesn't have an EventInvokeConfig",
                                qualified_arn(place_of(context), key.function, key.qualifier)));
}

InvokeConfigs::Answer<FunctionEventInvokeConfig> InvokeConfigs::get(
    const wire::Context& context, GetFunctionEventInvokeConfigRequest request) {
  CO_TRY(const Key key, key_of(context, request.function_name, request.qualifier));
  const auto found = configs_.find(key);
  if (found == configs_.end()) co_return none(context, key);
  co_return describe(found->second, place_of(context));
}

InvokeConfigs::Answer<ListFunctionEventInvokeConfigsResponse> InvokeConfigs::list(
    const wire::Context& context, ListFunctionEventInvokeConfigsRequest request) {
  CO_TRY(const Key key, key_of(context, request.function_name, std::nullopt));
  if (!is_there(context, {key.region, key.function, std::string(kLatest)})) {
    co_return no_function();
  }
  CO_TRY(const Page page, page_of(request.marker, request.max_items));
  std::vector<InvokeConfigRecord> all;
  for (const auto& [at, record] : configs_) {
    if (at.region == key.region && at.function == key.function) all.push_back(record);
  }
  ListFunctionEventInvokeConfigsResponse response;
  response.next_marker =
      cut(all, page, [](const InvokeConfigRecord& record) { return record.qualifier; });
  auto& shown = response.function_event_invoke_configs.emplace();
  for (const InvokeConfigRecord& record : all) {
    shown.push_back(describe(record, place_of(context)));
  }
  co_return response;
}

InvokeConfigs::Answer<wire::Empty> InvokeConfigs::remove(
    const wire::Context& context, DeleteFunctionEventInvokeConfigRequest request) {
  CO_TRY(const Key key, key_of(context, request.function_name, request.qualifier));
  if (!configs_.contains(key)) co_return none(context, key);
  store::Batch batch;
  forget(batch, key.region, key.function, key.qualifier);
  CO_TRY_VOID(co_await parts_.store.commit(std::move(batch)));
  co_return wire::Empty();
}

}  // namespace terrarium::lambda
