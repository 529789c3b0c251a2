#include "terrarium/services/sqs/move_task.h"

#include <array>
#include <boost/json.hpp>

#include "generated/sqs/errors.h"
#include "lib/base/encoding.h"

namespace terrarium::sqs {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> kStatus = {"RUNNING", "COMPLETED", "CANCELLED", "FAILED"};

std::optional<std::string> text_of(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return std::string(member->as_string());
}

std::optional<std::int64_t> number_of(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  if (member == nullptr || !member->is_int64()) return std::nullopt;
  return member->as_int64();
}

}  // namespace

std::string_view to_string(MoveStatus status) { return kStatus[static_cast<std::size_t>(status)]; }

std::string encode(const MoveTask& task) {
  json::object object{
      {"id", task.id},
      {"source_arn", task.source_arn},
      {"status", to_string(task.status)},
      {"moved", task.moved},
      {"to_move", task.to_move},
      {"started_us", task.started.time_since_epoch().count()},
      {"failure", task.failure},
  };
  if (task.destination_arn.has_value()) object.emplace("destination_arn", *task.destination_arn);
  if (task.per_second_max.has_value()) object.emplace("per_second_max", *task.per_second_max);
  return json::serialize(object);
}

base::Result<MoveTask> decode_move_task(std::string_view value) {
  boost::system::error_code failure;
  const json::value parsed = json::parse(value, failure);
  if (failure || !parsed.is_object()) {
    return base::fail(base::ErrorKind::Internal, "a stored move task is damaged");
  }
  const json::object& object = parsed.as_object();
  MoveTask task;
  task.id = text_of(object, "id").value_or("");
  task.source_arn = text_of(object, "source_arn").value_or("");
  task.destination_arn = text_of(object, "destination_arn");
  if (const auto rate = number_of(object, "per_second_max")) {
    task.per_second_max = static_cast<std::int32_t>(*rate);
  }
  const std::string status = text_of(object, "status").value_or("");
  for (std::size_t i = 0; i < kStatus.size(); ++i) {
    if (kStatus[i] == status) task.status = static_cast<MoveStatus>(i);
  }
  task.moved = number_of(object, "moved").value_or(0);
  task.to_move = number_of(object, "to_move").value_or(0);
  task.started = base::Timestamp(base::Duration(number_of(object, "started_us").value_or(0)));
  task.failure = text_of(object, "failure").value_or("");
  return task;
}

std::string encode(const MoveHandle& handle) {
  return base::base64_encode(
      json::serialize(json::object{{"taskId", handle.id}, {"sourceArn", handle.source_arn}}));
}

base::Result<MoveHandle> decode_move_handle(std::string_view handle) {
  const auto bytes = base::base64_decode(handle);
  boost::system::error_code failure;
  const json::value parsed = json::parse(bytes.has_value() ? *bytes : std::string(), failure);
  if (!failure && parsed.is_object()) {
    auto id = text_of(parsed.as_object(), "taskId");
    auto source = text_of(parsed.as_object(), "sourceArn");
    if (id.has_value() && source.has_value()) return MoveHandle{*std::move(id), *std::move(source)};
  }
  return base::fail(errors::kInvalidParameterValue, "Value for parameter TaskHandle is invalid.");
}

}  // namespace terrarium::sqs
