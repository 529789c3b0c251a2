// Logging: one line an event, `time level area: text`, to standard error. Any thread may call.
// Texts name what happened and to what; secrets and message bodies never go in.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace base::log {

enum class Level : std::uint8_t { Debug, Info, Warning, Error };

// Events below this are dropped. Info unless changed (TERRARIUM_LOG=debug does, at start).
void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view area, std::string_view text);

template <class... Args>
void debug(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Debug)) {
    write(Level::Debug, area, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void info(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Info)) {
    write(Level::Info, area, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void warning(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Warning, area, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::Error, area, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace base::log
