#include "lib/aws/shared_files.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "lib/aws/environment.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;

// Ways to get keys that need more than the file: skipping them would use another identity.
constexpr std::array<std::string_view, 5> kUnsupported = {
    "role_arn", "credential_process", "sso_session", "sso_start_url", "web_identity_token_file"};

// The profile that a section's title names, or nothing.
std::optional<std::string> profile_name(std::string_view title, SharedFile file) {
  title = base::trim(title);
  if (file == SharedFile::Credentials || title == "default") return std::string(title);
  constexpr std::string_view kPrefix = "profile";
  if (!title.starts_with(kPrefix)) return std::nullopt;
  title.remove_prefix(kPrefix.size());
  if (title.empty() || (title.front() != ' ' && title.front() != '\t')) return std::nullopt;
  title = base::trim(title);
  if (title.size() >= 2 && title.front() == '"' && title.back() == '"') {
    title = title.substr(1, title.size() - 2);
  }
  return std::string(title);
}

// Nothing when the file is not there.
base::Result<std::optional<std::string>> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) return base::fail(base::ErrorKind::Internal, "Could not read " + path + ".");
  if (text.size() > kFileBytesMax) {
    return base::fail(base::ErrorKind::TooLarge, path + " is larger than 1 MiB.");
  }
  return text;
}

base::Result<Profiles> read_profiles(const char* variable, std::string_view name, SharedFile file) {
  std::optional<std::string> path = environment(variable);
  if (!path) {
    const auto home = environment("HOME");
    if (!home) return Profiles();
    path = *home + "/.aws/" + std::string(name);
  }
  TRY(const std::optional<std::string> text, read_file(*path));
  if (!text) return Profiles();
  auto profiles = parse_profiles(*text, file);
  if (!profiles) return std::unexpected(base::wrap(profiles.error(), "reading " + *path));
  return profiles;
}

base::Result<std::optional<Credentials>> keys_of(const Profile& profile, const std::string& name) {
  const auto value = [&profile](const char* key) {
    const auto found = profile.find(key);
    return found == profile.end() ? std::string() : found->second;
  };
  for (const std::string_view key : kUnsupported) {
    if (!profile.contains(std::string(key))) continue;
    return base::fail(base::ErrorKind::NotImplemented,
                      "Profile '" + name + "' takes its credentials from " + std::string(key) +
                          ", which is not supported here.");
  }
  Credentials keys{value("aws_access_key_id"), value("aws_secret_access_key"),
                   value("aws_session_token"), std::nullopt};
  if (keys.access_key_id.empty() && keys.secret_access_key.empty()) return std::nullopt;
  if (keys.access_key_id.empty() || keys.secret_access_key.empty()) {
    return base::fail(base::ErrorKind::InvalidInput,
                      "Profile '" + name +
                          "' has half a key: both aws_access_key_id and "
                          "aws_secret_access_key are needed.");
  }
  return keys;
}

}  // namespace

base::Result<Profiles> parse_profiles(std::string_view text, SharedFile file) {
  Profiles profiles;
  Profile* current = nullptr;
  Profile skipped;
  int number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view raw = text.substr(at, end - at);
    const std::string_view line = base::trim(raw);
    at = end + 1;
    ++number;
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const std::size_t close = line.find(']');
      if (close != std::string_view::npos) {
        const auto name = profile_name(line.substr(1, close - 1), file);
        current = name ? &profiles[*name] : &skipped;
        continue;
      }
    }
    // A setting inside a setting ("s3 =" and indented lines): of no use here.
    const bool nested = raw.front() == ' ' || raw.front() == '\t';
    const std::size_t equals = line.find('=');
    if (nested && current != nullptr) continue;
    if (current == nullptr || equals == std::string_view::npos) {
      return base::fail(base::ErrorKind::InvalidInput,
                        "Line " + std::to_string(number) + " is neither a section nor a setting.");
    }
    (*current)[base::to_lower(base::trim(line.substr(0, equals)))] =
        base::trim(line.substr(equals + 1));
  }
  return profiles;
}

base::Result<std::optional<Credentials>> credentials_from_shared_files() {
  const auto wanted = environment("AWS_PROFILE");
  const std::string name = wanted.value_or("default");
  bool known = false;
  for (const SharedFile file : {SharedFile::Credentials, SharedFile::Config}) {
    TRY(const Profiles profiles,
        file == SharedFile::Credentials
            ? read_profiles("AWS_SHARED_CREDENTIALS_FILE", "credentials", file)
            : read_profiles("AWS_CONFIG_FILE", "config", file));
    const auto found = profiles.find(name);
    if (found == profiles.end()) continue;
    known = true;
    TRY(std::optional<Credentials> keys, keys_of(found->second, name));
    if (keys) return keys;
  }
  if (wanted && !known) {
    return base::fail(base::ErrorKind::InvalidInput,
                      "The config profile (" + name + ") could not be found");
  }
  return std::nullopt;
}

}  // namespace aws
