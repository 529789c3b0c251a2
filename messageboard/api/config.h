// What the program is told: the original's environment variables, and a few options.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "messageboard/api/connect.h"

namespace messageboard {

struct Config {
  DatabaseAddress database;
  std::string raw_bucket;        // pictures as uploaded: private
  std::string processed_bucket;  // pictures anonymised: public
  std::string region;
  // Where browsers find the buckets ("http://127.0.0.1:4566"), path style; empty: where the board
  // does.
  std::string picture_url;
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::size_t threads = 1;
};

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// `arguments` without the program's name. An error names everything that is wrong, for people.
std::expected<Config, std::string> read_config(std::span<const std::string_view> arguments,
                                               const Environment& environment,
                                               std::size_t processors);

std::string_view usage();

}  // namespace messageboard
