#include "terrarium/host/linux/shim/system_setup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "terrarium/host/linux/shim/system_call.h"

namespace terrarium::host::shim {
namespace {

using linux_host::LaunchPlan;
using linux_host::PlannedFile;

constexpr const char* kIdentityFile = "/var/lib/cloud/data/instance-id";
constexpr const char* kScriptsFolder = "/var/lib/cloud/instance/scripts";

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

unsigned number(const std::string& text) {
  return static_cast<unsigned>(std::strtoul(text.c_str(), nullptr, 10));
}

void put(const PlannedFile& file) {
  const std::size_t slash = file.path.rfind('/');
  if (slash > 0) make_folders(file.path.substr(0, slash));
  // A new file: what lies there may be somebody's link.
  ::unlink(file.path.c_str());
  const int fd = static_cast<int>(
      must(::open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
           "make " + file.path));
  if (!write_all(fd, file.content)) give_up("write " + file.path, errno);
  must(::fchmod(fd, file.mode), "set the mode of " + file.path);
  ::close(fd);
}

void put_authorized_keys(const LaunchPlan& plan) {
  const Account account = find_account(plan.login_user);
  const std::string folder = account.home + "/.ssh";
  make_folders(account.home);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) give_up("make " + folder, errno);
  put({folder + "/authorized_keys", plan.authorized_keys, 0600});
  for (const std::string& path : {folder, folder + "/authorized_keys"}) {
    must(::lchown(path.c_str(), account.uid, account.gid), "give away " + path);
  }
}

void remove_old_host_keys() {
  for (const char* kind : {"rsa", "dsa", "ecdsa", "ed25519"}) {
    const std::string key = std::string("/etc/ssh/ssh_host_") + kind + "_key";
    ::unlink(key.c_str());
    ::unlink((key + ".pub").c_str());
  }
}

void say(const std::string& text) { write_all(1, text + "\n"); }

}  // namespace

Account find_account(const std::string& name) {
  Account account;
  bool found = false;
  for (const std::string& line : split(read_file("/etc/passwd"), '\n')) {
    const auto field = split(line, ':');
    if (field.size() < 7 || field[0] != name) continue;
    account.uid = number(field[2]);
    account.gid = number(field[3]);
    account.home = field[5];
    found = true;
  }
  if (!found) give_up("find the user " + name, ENOENT);
  for (const std::string& line : split(read_file("/etc/group"), '\n')) {
    const auto field = split(line, ':');
    if (field.size() < 4) continue;
    const auto members = split(field[3], ',');
    if (std::ranges::find(members, name) != members.end()) {
      account.groups.push_back(number(field[2]));
    }
  }
  return account;
}

void write_system_files(const LaunchPlan& plan) {
  for (const char* folder : {"/run/lock", "/run/sshd"}) make_folders(folder);
  must(::chmod("/run/lock", 01777), "open /run/lock");
  for (const PlannedFile& file : plan.files) put(file);
}

bool take_identity(const LaunchPlan& plan) {
  if (read_file(kIdentityFile) == plan.name + "\n") return false;
  remove_old_host_keys();
  for (const PlannedFile& file : plan.first_files) put(file);
  put_authorized_keys(plan);
  return true;
}

void mark_booted(const LaunchPlan& plan) { put({kIdentityFile, plan.name + "\n", 0644}); }

void execute(const std::vector<std::string>& argv, const std::vector<std::string>& env) {
  std::vector<char*> arguments;
  std::vector<char*> variables;
  for (const std::string& text : argv) arguments.push_back(const_cast<char*>(text.c_str()));
  for (const std::string& text : env) variables.push_back(const_cast<char*>(text.c_str()));
  arguments.push_back(nullptr);
  variables.push_back(nullptr);
  ::execve(arguments[0], arguments.data(), variables.data());
  give_up("start " + argv[0], errno);
}

void run_user_data(const LaunchPlan& plan) {
  for (const std::string& line : plan.notices) say("cloud-init: " + line);
  for (std::size_t i = 0; i < plan.scripts.size(); ++i) {
    const std::string digits = std::to_string(i + 1);
    const std::string name =
        "part-" + std::string(3 - std::min<std::size_t>(3, digits.size()), '0') + digits;
    const std::string path = std::string(kScriptsFolder) + "/" + name;
    put({path, plan.scripts[i], 0700});
    const int child = ::fork();
    if (child == 0) {
      must(::chdir("/"), "change to /");
      std::vector<std::string> env = plan.env;
      env.emplace_back("HOME=/root");
      env.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
      execute({path}, env);
    }
    const int status = wait_for(child);
    say("cloud-init: user data " + name + " ended: " +
        (WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "exit " + std::to_string(WEXITSTATUS(status))));
  }
  ::_exit(0);
}

}  // namespace terrarium::host::shim
