// What every command shares: where the region is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace terrarium::cli {

struct Options {
  std::uint16_t port = 4566;
  std::filesystem::path state;  // /var/lib/terrarium for root, else ~/.local/state/terrarium
  std::string account = "000000000000";
  std::string region = "us-east-1";
};

std::filesystem::path default_state_folder();

}  // namespace terrarium::cli
