// terrarium-shim run: a machine's parent; terrarium-shim save FROM TO...: copies a disk's trees for
// an image. Inside a machine the same program, started as "init", is PID 1.
#include <cstdio>
#include <string_view>

#include "terrarium/host/linux/shim/init.h"
#include "terrarium/host/linux/shim/run.h"
#include "terrarium/host/linux/shim/save.h"

int main(int argc, char** argv) {
  using namespace terrarium::host;
  const std::string_view name = argc > 0 ? argv[0] : "";
  if (name == "init") return shim::run_init();
  const std::string_view role = argc > 1 ? argv[1] : "";
  if (role == "run") return shim::run_machine();
  if (role == "save" && argc == 6) return shim::save_disk(argv + 2);
  std::fputs("terrarium-shim is started by terrarium\n", stderr);
  return 2;
}
