// PID 1 of a machine, inside it: writes what the plan says, starts sshd and user data (or the one
// command), adopts and reaps, and ends the machine when asked.
//
// Signals, as `kill` sends them from inside or the daemon from outside: SIGTERM and SIGPWR power
// off, SIGINT reboots. Everybody gets SIGTERM, and a minute and a half.
#pragma once

namespace terrarium::host::shim {

// Returns never but by exit.
int run_init();

}  // namespace terrarium::host::shim
