// Function code as it comes from outside: whatever the bytes, nothing is written beside the folder
// and no limit is passed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>

#include "lib/base/check.h"
#include "terrarium/services/lambda/zip.h"

namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kBytesMax = 1 << 20;

// Folders of this process; the inner one is unpacked into, the outer one must stay as it was.
struct Folders {
  fs::path outer;
  fs::path inner;
  Folders() {
    std::string pattern = (fs::temp_directory_path() / "fuzz-zip-XXXXXX").string();
    outer = ::mkdtemp(pattern.data());
    inner = outer / "inner";
  }
  ~Folders() { fs::remove_all(outer); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folders folders;
  fs::remove_all(folders.inner);
  fs::create_directory(folders.inner);
  const std::string_view zip(reinterpret_cast<const char*>(data), size);
  const auto unpacked = terrarium::lambda::unpack_zip(zip, folders.inner,
                                                      {.bytes_max = kBytesMax, .entries_max = 100});
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folders.inner)) {
    if (entry.is_regular_file() && !entry.is_symlink()) bytes += entry.file_size();
    if (!entry.is_symlink()) continue;
    std::error_code loops;
    const fs::path leads_to = fs::weakly_canonical(entry.path(), loops);
    if (loops) continue;
    CHECK(leads_to.string().starts_with(folders.inner.string()), "a link left the folder");
  }
  CHECK(!unpacked || bytes <= kBytesMax, "more was unpacked than the limit");
  CHECK(std::distance(fs::directory_iterator(folders.outer), fs::directory_iterator()) == 1,
        "something was written beside the folder");
  return 0;
}
