// StartMessageMoveTask's tasks: what is kept of them, and their handles. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace terrarium::sqs {

enum class MoveStatus : std::uint8_t { Running, Completed, Cancelled, Failed };
std::string_view to_string(MoveStatus status);  // "RUNNING"

struct MoveTask {
  std::string id;  // UUID
  std::string source_arn;
  std::optional<std::string> destination_arn;  // nothing: where each message came from
  std::optional<std::int32_t> per_second_max;
  MoveStatus status = MoveStatus::Running;
  std::int64_t moved = 0;
  std::int64_t to_move = 0;
  base::Timestamp started;
  std::string failure;  // of Failed
};

std::string encode(const MoveTask& task);
base::Result<MoveTask> decode_move_task(std::string_view value);

// A TaskHandle: base64 of {"taskId":...,"sourceArn":...}.
struct MoveHandle {
  std::string id;
  std::string source_arn;
};
std::string encode(const MoveHandle& handle);
// InvalidParameterValue in AWS's words for what is none.
base::Result<MoveHandle> decode_move_handle(std::string_view handle);

}  // namespace terrarium::sqs
