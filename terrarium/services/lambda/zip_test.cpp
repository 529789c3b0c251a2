#include "terrarium/services/lambda/zip.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "terrarium/services/lambda/code_store.h"
#include "terrarium/services/lambda/testing_zip.h"

namespace terrarium::lambda {
namespace {

namespace fs = std::filesystem;
constexpr UnpackLimits kLimits{.bytes_max = 1 << 20, .entries_max = 100};

class LambdaZip : public testing::Test {
 protected:
  LambdaZip() {
    std::string pattern = (fs::temp_directory_path() / "zip-test-XXXXXX").string();
    parent_ = ::mkdtemp(pattern.data());
    into_ = parent_ / "into";
    fs::create_directory(into_);
  }
  ~LambdaZip() override { fs::remove_all(parent_); }

  bool unpacks(const std::vector<ZipEntry>& entries, UnpackLimits limits = kLimits) {
    fs::remove_all(into_);
    fs::create_directory(into_);
    return unpack_zip(zip_of(entries), into_, limits).has_value();
  }
  std::string read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  mode_t mode(const fs::path& path) {
    struct stat status = {};
    ::stat(path.c_str(), &status);
    return status.st_mode & 07777;
  }

  fs::path parent_;
  fs::path into_;
};

TEST_F(LambdaZip, FilesFoldersAndModesArrive) {
  ASSERT_TRUE(unpacks({{"bootstrap", "run", 0777},
                       {"lib/", "", 0700, AE_IFDIR},
                       {"lib/a.so", "library", 0600},
                       {"deep/er/x", "x"},
                       {"\xC3\xA9t\xC3\xA9.txt", "summer"}}));
  EXPECT_EQ(read(into_ / "bootstrap"), "run");
  EXPECT_EQ(mode(into_ / "bootstrap"), 0755U);
  EXPECT_EQ(mode(into_ / "lib/a.so"), 0644U);
  EXPECT_EQ(read(into_ / "deep/er/x"), "x");
  EXPECT_EQ(read(into_ / "\xC3\xA9t\xC3\xA9.txt"), "summer");
}

TEST_F(LambdaZip, NothingIsWrittenOutside) {
  EXPECT_FALSE(unpacks({{"../escaped", "x"}}));
  EXPECT_FALSE(unpacks({{"a/../../escaped", "x"}}));
  EXPECT_FALSE(unpacks({{(parent_ / "escaped").string(), "x"}}));
  EXPECT_FALSE(unpacks({{"link", parent_.string(), 0777, AE_IFLNK}, {"link/escaped", "x"}}));
  EXPECT_FALSE(unpacks({{"link", "..", 0777, AE_IFLNK}, {"link/escaped", "x"}}));
  // Through a link that stays inside, too: what is behind it may change.
  EXPECT_FALSE(unpacks({{"d/x", "x"}, {"link", "d", 0777, AE_IFLNK}, {"link/escaped", "x"}}));
  EXPECT_FALSE(unpacks({{"f", "first"}, {"f", "second"}}));
  EXPECT_FALSE(fs::exists(parent_ / "escaped"));
}

TEST_F(LambdaZip, LinksStayInside) {
  EXPECT_TRUE(unpacks({{"lib/a.so.1", "x"}, {"lib/a.so", "a.so.1", 0777, AE_IFLNK}}));
  EXPECT_EQ(read(into_ / "lib/a.so"), "x");
  EXPECT_TRUE(link_stays_inside("../b/c", 1));
  EXPECT_FALSE(link_stays_inside("../b/c", 0));
  EXPECT_FALSE(link_stays_inside("/etc/passwd", 3));
  EXPECT_FALSE(link_stays_inside("d/../x", 3));
  EXPECT_FALSE(link_stays_inside("", 3));
}

TEST_F(LambdaZip, BombsAreRefused) {
  const std::string zeros(kLimits.bytes_max / 2, '\0');
  EXPECT_TRUE(unpacks({{"a", zeros}, {"b", zeros}}));
  EXPECT_FALSE(unpacks({{"a", zeros}, {"b", zeros}, {"c", "x"}}));
  EXPECT_FALSE(unpacks({{"a", ""}, {"b", ""}, {"c", ""}}, {.bytes_max = 10, .entries_max = 2}));
}

TEST_F(LambdaZip, WhatIsNoZipIsRefused) {
  EXPECT_FALSE(unpack_zip("", into_, kLimits).has_value());
  EXPECT_FALSE(unpack_zip("not a zip at all", into_, kLimits).has_value());
  const std::string empty = std::string("PK\x05\x06") + std::string(18, '\0');
  const auto nothing = unpack_zip(empty, into_, kLimits);
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().message, "Uploaded file must be a non-empty zip");
  std::string cut = zip_of({{"bootstrap", std::string(10'000, 'x')}});
  cut.resize(cut.size() / 2);
  EXPECT_FALSE(unpack_zip(cut, into_, kLimits).has_value());
}

TEST_F(LambdaZip, EqualCodeIsKeptOnceAndGoesWhenUnused) {
  const CodeStore code(parent_ / "code");
  const auto first = code.add(zip_of({{"bootstrap", "1", 0755}}));
  ASSERT_TRUE(first.has_value()) << base::describe(first.error());
  const auto again = code.add(zip_of({{"bootstrap", "1", 0755}}));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(first->sha256_hex, again->sha256_hex);
  EXPECT_EQ(read(code.files(first->sha256_hex) / "bootstrap"), "1");
  code.keep_only({first->sha256_hex});
  EXPECT_TRUE(fs::exists(code.zip(first->sha256_hex)));
  code.keep_only({});
  EXPECT_FALSE(fs::exists(code.zip(first->sha256_hex)));
  EXPECT_FALSE(code.add("rubbish").has_value());
  EXPECT_TRUE(fs::is_empty(parent_ / "code"));
}

}  // namespace
}  // namespace terrarium::lambda
