// System calls that must succeed: the shim's and PID 1's whole error handling. A step that fails is
// reported by name, and the process ends.
#pragma once

#include <string>
#include <string_view>

namespace terrarium::host::shim {

// Where must() reports: a descriptor, kept for the process.
void report_failures_to(int fd);
// Ends the process with 1 after reporting "doing: reason".
[[noreturn]] void give_up(std::string_view doing, int error_number);
// `result` of a system call; gives up when it is negative.
long must(long result, std::string_view doing);

void write_file(const std::string& path, std::string_view text);
// All bytes; false when the other side is gone.
bool write_all(int fd, std::string_view bytes);
// Empty when there is no such file.
std::string read_file(const std::string& path);
std::string read_whole(int fd);
// Folders down to `path`, those that are missing.
void make_folders(const std::string& path, unsigned mode = 0755);
// Waits for a child; its status as waitpid gives it.
int wait_for(int pid);

}  // namespace terrarium::host::shim
