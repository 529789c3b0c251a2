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

// What unpacking wrote: sizes of plain files, links not followed.
std::int64_t size_of(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    std::error_code ignored;
    if (!entry.is_symlink(ignored) && entry.is_regular_file(ignored)) {
      bytes += static_cast<std::int64_t>(entry.file_size(ignored));
    }
  }
  return bytes;
}

base::Result<void> unpack(const fs::path& folder, std::string_view zip) {
  TRY_VOID(write_file(folder / "code.zip", zip));
  return unpack_zip(zip, folder / "files",
                    {.bytes_max = kUnzippedBytesMax, .entries_max = kZipEntriesMax});
}

// Files are linked, not copied: layers are never written to.
base::Result<void> lay_over(const fs::path& from, const fs::path& into) {
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(from, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const fs::path target = into / fs::relative(entry->path(), from, error);
    std::error_code status;
    const bool is_folder = !entry->is_symlink(status) && entry->is_directory(status);
    const bool there_is_folder = fs::is_directory(fs::symlink_status(target, status));
    if (is_folder && there_is_folder) continue;
    fs::remove_all(target, error);
    if (error) break;
    if (is_folder) {
      fs::create_directory(target, error);
    } else if (entry->is_symlink(status)) {
      fs::copy_symlink(entry->path(), target, error);
    } else {
      fs::create_hard_link(entry->path(), target, error);
    }
    if (error) break;
  }
  if (error) return base::fail_errno("merge layers into " + into.string(), error.value());
  return {};
}

}  // namespace

template <class Fill>
base::Result<void> CodeStore::make(const std::string& id, Fill fill) const {
  const fs::path unfinished = folder_ / (id + std::string(kUnfinished));
  std::error_code error;
  fs::remove_all(unfinished, error);
  base::Result<void> made = make_folder(unfinished / "files");
  if (made) made = fill(unfinished);
  if (made) made = sync_all(unfinished);
  if (!made) {
    fs::remove_all(unfinished, error);
    return made;
  }
  fs::rename(unfinished, folder_ / id, error);
  if (error) return base::fail_errno("rename " + unfinished.string(), error.value());
  return sync_folder(folder_);
}

base::Result<StoredCode> CodeStore::add(std::string_view zip) const {
  StoredCode stored{.sha256_hex = base::hex_encode(base::digest(base::DigestKind::Sha256, zip)),
                    .bytes = static_cast<std::int64_t>(zip.size())};
  std::error_code error;
  if (!fs::exists(folder_ / stored.sha256_hex, error)) {
    TRY_VOID(
        make(stored.sha256_hex, [zip](const fs::path& folder) { return unpack(folder, zip); }));
  }
  stored.unzipped_bytes = size_of(files(stored.sha256_hex));
  return stored;
}

base::Result<StoredCode> CodeStore::merge(const std::vector<std::string>& sha256_hex) const {
  std::string all;
  for (const std::string& one : sha256_hex) all += one + "\n";
  StoredCode stored{.sha256_hex = base::hex_encode(base::digest(base::DigestKind::Sha256, all))};
  std::error_code error;
  if (fs::exists(folder_ / stored.sha256_hex, error)) return stored;
  TRY_VOID(make(stored.sha256_hex, [&](const fs::path& folder) -> base::Result<void> {
    for (const std::string& one : sha256_hex) TRY_VOID(lay_over(files(one), folder / "files"));
    return {};
  }));
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
