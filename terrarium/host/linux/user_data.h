// What an instance's user data asks for, as cloud-init reads it: a script, or a MIME multipart of
// scripts, either gzipped. Everything else cloud-init knows is refused by name. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace terrarium::host::linux_host {

struct UserData {
  std::vector<std::string> scripts;  // in the order in which they run
  std::vector<std::string> refused;  // a line each for the console: what was not done, and why
};

// `bytes` come from outside: anything is possible.
UserData parse_user_data(std::string_view bytes);

}  // namespace terrarium::host::linux_host
