// Function code on disk: <folder>/<sha256 hex>/code.zip and, unpacked, files/. A folder appears
// whole, by rename, after its content is on disk; equal code is kept once. Every call blocks; calls
// for one code do not overlap.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace terrarium::lambda {

struct StoredCode {
  std::string sha256_hex;
  std::int64_t bytes = 0;  // of the zip
  std::int64_t unzipped_bytes = 0;
};

class CodeStore {
 public:
  explicit CodeStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Unpacks and keeps. Refused as AWS refuses what is no zip, or too large.
  base::Result<StoredCode> add(std::string_view zip) const;
  // One folder with the files of several, those of later ones instead of earlier ones' of the same
  // path. Under an id made of theirs; it has no zip.
  base::Result<StoredCode> merge(const std::vector<std::string>& sha256_hex) const;
  std::filesystem::path files(const std::string& sha256_hex) const {
    return folder_ / sha256_hex / "files";
  }
  std::filesystem::path zip(const std::string& sha256_hex) const {
    return folder_ / sha256_hex / "code.zip";
  }
  void remove(const std::string& sha256_hex) const;
  // Removes what no function has, and what was being added when a daemon died.
  void keep_only(const std::set<std::string>& sha256_hex) const;

 private:
  // `fill` writes into the folder that it is given.
  template <class Fill>
  base::Result<void> make(const std::string& id, Fill fill) const;

  std::filesystem::path folder_;
};

}  // namespace terrarium::lambda
