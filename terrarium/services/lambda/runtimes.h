// Runtimes: what AWS calls them, and which can run here. Pure but for the look at what is
// installed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace terrarium::lambda {

// How a function of some runtime is started.
struct RuntimeProgram {
  std::string shown;                   // in INIT_START: "python:3.11", "nodejs"
  std::vector<std::string> arguments;  // empty: the code's own bootstrap
};

class Runtimes {
 public:
  // `folder` is seen as /var/runtime inside a sandbox; filled by install().
  explicit Runtimes(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Writes our runtime clients into the folder. Blocks.
  base::Result<void> install() const;
  const std::filesystem::path& folder() const { return folder_; }
  // How to start it; `visible` is where the sandbox sees the folder.
  RuntimeProgram program(std::string_view runtime, const std::string& visible,
                         std::int32_t memory_mb) const;

 private:
  std::filesystem::path folder_;
};

// InvalidParameterValueException in AWS's words for a name that AWS does not know; for one that
// only this region does not run, with what it does run.
base::Result<void> check_runtime(std::string_view runtime);
// Whether AWS knows it, past or present: layers may name any.
bool is_known_runtime(std::string_view runtime);
// AWS's list of current runtimes, as its errors show it.
std::string_view current_runtimes();
// AWS's ARNs end in the hash of a runtime's build. Ours is of its name.
std::string runtime_version_arn(std::string_view runtime, std::string_view region);
bool is_python(std::string_view runtime);
bool is_nodejs(std::string_view runtime);

}  // namespace terrarium::lambda
