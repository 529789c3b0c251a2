// The small files of control groups and of /proc, and which hierarchies this machine has.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace terrarium::host::linux_host {

// Empty when it cannot be read.
std::string read_small(const std::string& path);
bool write_small(const std::string& path, std::string_view text);
std::uint64_t leading_number(std::string_view text);
// The number after "name " at the start of a line; 0 when there is none.
std::uint64_t field(std::string_view text, std::string_view name);
std::vector<std::string> folders_in(const std::string& folder);

// Ends every process of a group: a process that forks meanwhile is met in the next round.
void kill_members(const std::string& folder);

struct Hierarchies {
  std::map<std::string, std::string> v1;  // mount point by controller
  std::string unified;                    // mount point; empty: none
};
Hierarchies mounted_hierarchies();

}  // namespace terrarium::host::linux_host
