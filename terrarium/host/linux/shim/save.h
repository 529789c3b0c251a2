// Keeps what a machine wrote to its disk as a layer of an image.
#pragma once

namespace terrarium::host::shim {

// arguments: the machine's folder, its first id, the pid of its shim (0: it does not run), and the
// folder to be made. Whiteouts, extended attributes and hard links stay, owners become the ids that
// the machine saw. Exit code; what failed goes to kReportFd.
int save_disk(char** arguments);

}  // namespace terrarium::host::shim
