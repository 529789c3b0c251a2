#include "terrarium/services/lambda/code_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/zip.h"

namespace terrarium::lambda {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinished = ".new";

// Everything written to the file system of `folder`: there may be thousands of small files, and one
// call is all that they need.
base::Result<void> sync_all(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return base::fail_errno("open " + folder.string(), errno);
  const int status = ::syncfs(fd);
  const int error_number = errno;
  ::close(fd);
  if (status != 0) return base::fail_errno("sync " + folder.string(), error_number);
  return {};
}

base::Result<void> sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return base::fail_errno("open " + folder.string(), errno);
  const int status = ::fsync(fd);
  const int error_number = errno;
  ::close(fd);
  if (status != 0) return base::fail_errno("sync " + folder.string(), error_number);
  return {};
}

base::Result<void> write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return base::fail_errno("write " + path.string(), errno);
  return {};
}

base::Result<void> make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return base::fail_errno("make " + path.string(), error.value());
  return {};
}

base::Result<void> fill(const fs::path& folder, std::string_view zip) {
  TRY_VOID(make_folder(folder / "files"));
  TRY_VOID(write_file(folder / "code.zip", zip));
  TRY_VOID(unpack_zip(zip, folder / "files",
                      {.bytes_max = kUnzippedBytesMax, .entries_max = kZipEntriesMax}));
  return sync_all(folder);
}

}  // namespace

base::Result<StoredCode> CodeStore::add(std::string_view zip) const {
  StoredCode stored{.sha256_hex = base::hex_encode(base::digest(base::DigestKind::Sha256, zip)),
                    .bytes = static_cast<std::int64_t>(zip.size())};
  const fs::path final = folder_ / stored.sha256_hex;
  std::error_code error;
  if (fs::exists(final, error)) return stored;
  const fs::path unfinished = folder_ / (stored.sha256_hex + std::string(kUnfinished));
  fs::remove_all(unfinished, error);
  if (auto filled = fill(unfinished, zip); !filled) {
    fs::remove_all(unfinished, error);
    return std::unexpected(std::move(filled).error());
  }
  fs::rename(unfinished, final, error);
  if (error) return base::fail_errno("rename " + unfinished.string(), error.value());
  TRY_VOID(sync_folder(folder_));
  return stored;
}

void CodeStore::remove(const std::string& sha256_hex) const {
  // Renamed first: a half removed folder must not look whole.
  std::error_code error;
  const fs::path unfinished = folder_ / (sha256_hex + std::string(kUnfinished));
  fs::rename(folder_ / sha256_hex, unfinished, error);
  if (!error) fs::remove_all(unfinished, error);
}

void CodeStore::keep_only(const std::set<std::string>& sha256_hex) const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename();
    if (sha256_hex.contains(name)) continue;
    std::error_code ignored;
    fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace terrarium::lambda
