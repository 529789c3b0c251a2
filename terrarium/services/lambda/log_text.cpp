#include "terrarium/services/lambda/log_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>

#include "lib/base/encoding.h"
#include "terrarium/services/lambda/runtimes.h"

namespace terrarium::lambda {
namespace {

double milliseconds(base::Duration duration) {
  return static_cast<double>(duration.count()) / 1000.0;
}

std::int64_t billed_milliseconds(base::Duration duration) {
  return std::max<std::int64_t>((duration.count() + 999) / 1000, 1);
}

// As Go, which Lambda's own runtime is written in, names them.
std::string signal_name(int signal) {
  switch (signal) {
    case SIGHUP: return "hangup";
    case SIGINT: return "interrupt";
    case SIGILL: return "illegal instruction";
    case SIGTRAP: return "trace/breakpoint trap";
    case SIGABRT: return "aborted";
    case SIGBUS: return "bus error";
    case SIGFPE: return "floating point exception";
    case SIGKILL: return "killed";
    case SIGSEGV: return "segmentation fault";
    case SIGPIPE: return "broken pipe";
    case SIGALRM: return "alarm clock";
    case SIGTERM: return "terminated";
    default: return fmt::format("signal {}", signal);
  }
}

}  // namespace

std::string log_stream_name(base::Timestamp now, std::string_view version, base::Random& random) {
  std::string day = base::iso8601(now, 0).substr(0, 10);
  std::ranges::replace(day, '-', '/');
  return fmt::format("{}/[{}]{}", day, version, random.hex(16));
}

std::string init_start_line(std::string_view shown, std::string_view runtime,
                            std::string_view region) {
  return fmt::format("INIT_START Runtime Version: {}.v1\tRuntime Version ARN: {}\n", shown,
                     runtime_version_arn(runtime, region));
}

std::string init_report_line(base::Duration duration, std::string_view phase,
                             std::string_view status, std::string_view error_type) {
  std::string line = fmt::format("INIT_REPORT Init Duration: {:.2f} ms\tPhase: {}\tStatus: {}",
                                 milliseconds(duration), phase, status);
  if (!error_type.empty()) line += fmt::format("\tError Type: {}", error_type);
  return line + "\n";
}

std::string start_line(std::string_view request_id, std::string_view version) {
  return fmt::format("START RequestId: {} Version: {}\n", request_id, version);
}

std::string end_line(std::string_view request_id) {
  return fmt::format("END RequestId: {}\n", request_id);
}

std::string report_line(const Report& report) {
  constexpr std::uint64_t kMebibyte = 1 << 20;
  std::string line = fmt::format(
      "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\tMemory Size: {} MB\t"
      "Max Memory Used: {} MB\t",
      report.request_id, milliseconds(report.duration), billed_milliseconds(report.duration),
      report.memory_mb, (report.memory_peak_bytes + kMebibyte - 1) / kMebibyte);
  if (report.init_duration) {
    line += fmt::format("Init Duration: {:.2f} ms\t", milliseconds(*report.init_duration));
  }
  if (!report.status.empty()) line += fmt::format("Status: {}\t", report.status);
  if (!report.error_type.empty()) line += fmt::format("Error Type: {}\t", report.error_type);
  return line + "\n";
}

std::string timed_out_text(base::Duration timeout) {
  return fmt::format("Task timed out after {:.2f} seconds", milliseconds(timeout) / 1000.0);
}

std::string timeout_line(base::Timestamp now, std::string_view request_id, base::Duration timeout) {
  return fmt::format("{} {} {}\n\n", base::iso8601(now, 3), request_id, timed_out_text(timeout));
}

std::string exit_text(runtime::ExitStatus status) {
  if (status.signal != 0) {
    return "Runtime exited with error: signal: " + signal_name(status.signal);
  }
  if (status.code != 0)
    return fmt::format("Runtime exited with error: exit status {}", status.code);
  return "Runtime exited without providing a reason";
}

std::string error_payload(std::string_view request_id, std::string_view type,
                          std::string_view text) {
  return boost::json::serialize(boost::json::object{
      {"errorType", type},
      {"errorMessage", fmt::format("RequestId: {} Error: {}", request_id, text)}});
}

}  // namespace terrarium::lambda
