// The lines that Lambda itself writes into a function's log, character by character as AWS does.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/runtime/process.h"

namespace terrarium::lambda {

// "2023/04/29/[$LATEST]0123456789abcdef0123456789abcdef"
std::string log_stream_name(base::Timestamp now, std::string_view version, base::Random& random);

// `shown` is what really runs ("python:3.11"), `runtime` what the function asks for.
std::string init_start_line(std::string_view shown, std::string_view runtime,
                            std::string_view region);
// Of a start that failed: `phase` is "init" or "invoke", `status` "error" or "timeout".
std::string init_report_line(base::Duration duration, std::string_view phase,
                             std::string_view status, std::string_view error_type);
std::string start_line(std::string_view request_id, std::string_view version);
std::string end_line(std::string_view request_id);

struct Report {
  std::string request_id;
  base::Duration duration{};
  std::optional<base::Duration> init_duration;  // the first invocation's
  std::int32_t memory_mb = 0;
  std::uint64_t memory_peak_bytes = 0;
  std::string status;      // empty, "timeout" or "error"
  std::string error_type;  // with "error"
};
std::string report_line(const Report& report);

// "3.00 seconds"
std::string timed_out_text(base::Duration timeout);
// "2023-04-29T16:19:51.000Z <id> Task timed out after 3.00 seconds"
std::string timeout_line(base::Timestamp now, std::string_view request_id, base::Duration timeout);
// "Runtime exited with error: exit status 1", "... signal: killed", "... without providing a
// reason".
std::string exit_text(runtime::ExitStatus status);
// {"errorType":...,"errorMessage":"RequestId: ... Error: ..."}
std::string error_payload(std::string_view request_id, std::string_view type,
                          std::string_view text);

}  // namespace terrarium::lambda
