// A machine's disk and the ids on it, in the shim's own mount namespace: all of it goes when the
// last process of that namespace ends, however it ends.
#pragma once

#include <cstdint>
#include <string>

namespace terrarium::host::shim {

// From now on this process's mounts are its own; `scratch` is an empty folder in memory.
void enter_own_mounts(const std::string& scratch);

// A user namespace is made by a child, meanwhile. Its descriptor: ids `inside`, `inside` + 1, ...
// are `outside`, ... on the host.
struct NamespaceMaker {
  int child = 0;
  int ready = -1;
};
NamespaceMaker begin_user_namespace();
int finish_user_namespace(NamespaceMaker maker, std::uint32_t inside, std::uint32_t outside);

// Attaches the ext4 file `image` to a loop device and mounts it at `where`. Gives the device's
// number.
int mount_disk(const std::string& image, const std::string& where);

// The mount that `path` shows, as a descriptor, with owners as `user_namespace` maps them; and that
// mount's place.
int take_mapped(const std::string& path, int user_namespace, bool writable);
void attach_tree(int tree, const std::string& where);

}  // namespace terrarium::host::shim
