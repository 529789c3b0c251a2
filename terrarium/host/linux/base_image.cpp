#include "terrarium/host/linux/base_image.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <sstream>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/host/linux/launch_plan.h"

namespace terrarium::host::linux_host {
namespace {

namespace fs = std::filesystem;

// Changes with what this file makes.
constexpr std::string_view kEdition = "1";
constexpr unsigned kSystemIdEnd = 1000;
constexpr unsigned kNobody = 65'534;
constexpr unsigned kLoginId = 1000;

// What programs of the host's /usr need to run. Chosen by name: what is not listed may be a secret.
constexpr std::array<const char*, 26> kCopied = {
    "alternatives",   "bash.bashrc", "debian_version", "gai.conf",     "host.conf",
    "inputrc",        "ld.so.cache", "ld.so.conf",     "ld.so.conf.d", "localtime",
    "locale.alias",   "login.defs",  "magic",          "mime.types",   "networks",
    "nsswitch.conf",  "os-release",  "profile",        "protocols",    "python3",
    "python3.11",     "rpc",         "services",       "shells",       "ssl/certs",
    "ssl/openssl.cnf"};

struct TextFile {
  const char* path;
  const char* text;
  unsigned mode = 0644;
};

constexpr std::array<TextFile, 15> kWritten = {{
    {"etc/fstab", "# The machine's disk is mounted before it starts.\n"},
    {"etc/issue", "Debian GNU/Linux\n"},
    {"etc/sudoers",
     "Defaults env_reset\n"
     "Defaults secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\n"
     "root ALL=(ALL:ALL) ALL\n"
     "@includedir /etc/sudoers.d\n",
     0440},
    {"etc/sudoers.d/90-cloud-init-users", "ec2-user ALL=(ALL) NOPASSWD:ALL\n", 0440},
    {"etc/ssh/ssh_config", "Host *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n"},
    {"etc/ssh/sshd_config",
     "HostKey /etc/ssh/ssh_host_ed25519_key\n"
     "PasswordAuthentication no\n"
     "KbdInteractiveAuthentication no\n"
     "PermitRootLogin no\n"
     "UsePAM yes\n"
     "UseDNS no\n"
     "X11Forwarding no\n"
     "PrintMotd no\n"
     "AcceptEnv LANG LC_*\n"
     "Subsystem sftp internal-sftp\n"},
    {"etc/pam.d/common-auth", "auth required pam_unix.so\n"},
    {"etc/pam.d/common-account", "account required pam_unix.so\n"},
    {"etc/pam.d/common-password", "password required pam_unix.so\n"},
    {"etc/pam.d/common-session", "session required pam_unix.so\nsession required pam_env.so\n"},
    {"etc/pam.d/common-session-noninteractive",
     "session required pam_unix.so\nsession required pam_env.so\n"},
    {"etc/pam.d/other",
     "@include common-auth\n@include common-account\n@include common-password\n"
     "@include common-session\n"},
    {"usr/sbin/poweroff", "#!/bin/sh\n# Asks PID 1.\nexec kill -s PWR 1\n", 0755},
    {"usr/sbin/reboot", "#!/bin/sh\n# Asks PID 1.\nexec kill -s INT 1\n", 0755},
    {"usr/sbin/shutdown",
     "#!/bin/sh\n"
     "# shutdown [-h|-P|-r] now: asks PID 1. Nothing here waits for a later time.\n"
     "action=PWR\n"
     "for word; do\n"
     "  case $word in\n"
     "    -r|--reboot) action=INT ;;\n"
     "    -h|-P|-H|--poweroff|--halt|now|+0) ;;\n"
     "    *) echo \"shutdown: '$word' is not supported\" >&2; exit 1 ;;\n"
     "  esac\n"
     "done\n"
     "exec kill -s $action 1\n",
     0755},
}};
// The services of PAM, each with what the others have.
constexpr std::array<const char*, 6> kPamServices = {"sshd", "sudo", "sudo-i",
                                                     "su",   "su-l", "login"};

constexpr std::array<const char*, 20> kFolders = {
    "dev",      "proc",        "sys",       "run",           "usr",
    "opt",      "srv",         "mnt",       "media",         "boot",
    "home",     "var/log",     "var/lib",   "var/cache",     "var/spool",
    "var/mail", "var/backups", "var/empty", "etc/sudoers.d", "var/lib/cloud/data"};

std::string read_text(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  std::stringstream text;
  text << input.rdbuf();
  return text.str();
}

// Whatever the daemon's umask is. Folders that are there stay as they are.
void make_folder(const fs::path& path) {
  if (path.has_parent_path() && path != path.root_path()) {
    std::error_code ignored;
    if (!fs::exists(path.parent_path(), ignored)) make_folder(path.parent_path());
  }
  if (::mkdir(path.c_str(), 0755) == 0) ::chmod(path.c_str(), 0755);
}

base::Result<void> put(const fs::path& path, std::string_view text, unsigned mode = 0644) {
  std::error_code error;
  make_folder(path.parent_path());
  fs::remove(path, error);
  std::ofstream(path, std::ios::binary) << text;
  if (::chmod(path.c_str(), mode) != 0) return base::fail_errno("write " + path.string(), errno);
  return {};
}

// Text lines' fields up to the next ':'.
std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> all;
  std::istringstream stream(line);
  for (std::string part; std::getline(stream, part, ':');) all.push_back(part);
  return all;
}

bool is_system_id(const std::string& text) {
  const unsigned long id = std::strtoul(text.c_str(), nullptr, 10);
  return id < kSystemIdEnd || id == kNobody;
}

// The host's system users and groups, none of its people, and nobody's password.
base::Result<void> write_accounts(const fs::path& root) {
  std::string users;
  std::string shadow;
  std::istringstream passwd(read_text("/etc/passwd"));
  for (std::string line; std::getline(passwd, line);) {
    auto field = fields(line);
    if (field.size() < 7 || !is_system_id(field[2]) || field[0] == "ec2-user") continue;
    users += field[0] + ":x:" + field[2] + ":" + field[3] + ":" + field[4] + ":" + field[5] + ":" +
             field[6] + "\n";
    shadow += field[0] + ":*:19000:0:99999:7:::\n";
  }
  std::string groups;
  std::istringstream group(read_text("/etc/group"));
  for (std::string line; std::getline(group, line);) {
    auto field = fields(line);
    if (field.size() < 3 || !is_system_id(field[2]) || field[0] == "ec2-user") continue;
    groups += field[0] + ":x:" + field[2] + ":\n";
  }
  const std::string id = std::to_string(kLoginId);
  users += "ec2-user:x:" + id + ":" + id + ":EC2 Default User:/home/ec2-user:/bin/bash\n";
  shadow += "ec2-user:*:19000:0:99999:7:::\n";
  groups += "ec2-user:x:" + id + ":\n";
  TRY_VOID(put(root / "etc/passwd", users));
  TRY_VOID(put(root / "etc/group", groups));
  TRY_VOID(put(root / "etc/shadow", shadow, 0600));
  const fs::path home = root / "home/ec2-user";
  std::error_code error;
  for (const fs::path& copy : {root / "etc/skel", home}) {
    make_folder(copy.parent_path());
    fs::copy("/etc/skel", copy, fs::copy_options::recursive, error);
  }
  make_folder(home);
  for (const auto& entry : fs::recursive_directory_iterator(home)) {
    if (::lchown(entry.path().c_str(), kLoginId, kLoginId) != 0) break;
  }
  if (::chmod(home.c_str(), 0700) != 0 || ::chown(home.c_str(), kLoginId, kLoginId) != 0) {
    return base::fail_errno("give away " + home.string(), errno);
  }
  return {};
}

// Debian's programs look in the bundle or, by the hash of the subject, in the folder.
base::Result<void> trust(const fs::path& root, const fs::path& certificate) {
  if (certificate.empty()) return {};
  const std::string pem = read_text(certificate);
  const std::unique_ptr<BIO, decltype(&::BIO_free)> bio(
      ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &::BIO_free);
  const std::unique_ptr<X509, decltype(&::X509_free)> parsed(
      bio ? ::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr, &::X509_free);
  if (!parsed) {
    return base::fail(base::ErrorKind::Internal, certificate.string() + " is no certificate");
  }
  const fs::path folder = root / "etc/ssl/certs";
  const std::string bundle = read_text(folder / "ca-certificates.crt");
  TRY_VOID(put(folder / "ca-certificates.crt", bundle + pem));
  TRY_VOID(put(folder / "terrarium.pem", pem));
  char name[16];
  std::snprintf(name, sizeof name, "%08lx.0", ::X509_subject_name_hash(parsed.get()));
  std::error_code ignored;
  fs::create_symlink("terrarium.pem", folder / name, ignored);
  return {};
}

base::Result<void> make_folders(const fs::path& root) {
  std::error_code error;
  for (const char* folder : kFolders) make_folder(root / folder);
  for (const char* folder : {"tmp", "var/tmp"}) {
    make_folder(root / folder);
    ::chmod((root / folder).c_str(), 01777);
  }
  make_folder(root / "root");
  ::chmod((root / "root").c_str(), 0700);
  fs::create_symlink("/run", root / "var/run", error);
  fs::create_symlink("/run/lock", root / "var/lock", error);
  // /bin and its like, as this machine links them into /usr.
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const fs::path link = fs::path("/") / name;
    if (fs::is_symlink(link, error)) fs::create_symlink(fs::read_symlink(link), root / name, error);
  }
  if (!fs::is_symlink(root / "bin")) {
    return base::fail(base::ErrorKind::Unavailable, "/bin is no link into /usr");
  }
  return {};
}

base::Result<void> fill(const fs::path& folder, const BaseImageSources& sources) {
  const fs::path root = folder / "root";
  std::error_code error;
  TRY_VOID(make_folders(root));
  for (const char* name : kCopied) {
    const fs::path from = fs::path("/etc") / name;
    if (!fs::exists(fs::symlink_status(from, error))) continue;
    make_folder((root / "etc" / name).parent_path());
    fs::copy(from, root / "etc" / name,
             fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
    if (error) return base::fail_errno("copy " + from.string(), error.value());
  }
  // Of /etc/security not opasswd, which keeps old passwords.
  for (const char* name : {"limits.conf", "pam_env.conf", "access.conf"}) {
    make_folder(root / "etc/security");
    fs::copy_file(fs::path("/etc/security") / name, root / "etc/security" / name, error);
  }
  for (const TextFile& file : kWritten) {
    const bool is_usr = std::string_view(file.path).starts_with("usr/");
    TRY_VOID(put((is_usr ? folder : root) / file.path, file.text, file.mode));
  }
  for (const char* service : kPamServices) {
    TRY_VOID(put(root / "etc/pam.d" / service,
                 "auth sufficient pam_rootok.so\n@include common-auth\n@include common-account\n"
                 "@include common-password\n@include common-session\n"));
  }
  TRY_VOID(write_accounts(root));
  TRY_VOID(trust(root, sources.ca_certificate));
  fs::create_symlink("poweroff", folder / "usr/sbin/halt", error);
  return put(folder / fs::path(kInitPath).relative_path(), read_text(sources.shim), 0755);
}

}  // namespace

base::Result<fs::path> make_base_image(const BaseImageSources& sources) {
  struct stat packages{};
  ::stat("/var/lib/dpkg/status", &packages);
  const std::string shim = read_text(sources.shim);
  if (shim.empty()) {
    return base::fail(base::ErrorKind::Unavailable, sources.shim.string() + " cannot be read");
  }
  const std::string state = std::string(kEdition) + '\n' + std::to_string(packages.st_mtime) +
                            '\n' + read_text(sources.ca_certificate) + '\n' + shim;
  const std::string hash =
      base::hex_encode(base::digest(base::DigestKind::Sha256, state)).substr(0, 12);
  const fs::path folder = sources.images / ("base-" + hash);
  std::error_code error;
  if (fs::exists(folder, error)) return folder;
  const fs::path making = folder.string() + ".new";
  fs::remove_all(making, error);
  make_folder(making);
  TRY_VOID(fill(making, sources));
  fs::rename(making, folder, error);
  if (error) return base::fail_errno("finish " + folder.string(), error.value());
  return folder;
}

}  // namespace terrarium::host::linux_host
