#include "terrarium/services/s3/checksum.h"

#include <gtest/gtest.h>

#include "lib/base/encoding.h"
#include "lib/base/random.h"

namespace terrarium::s3 {
namespace {

using base::DigestKind;

TEST(S3Checksum, CrcOfTheWholeFollowsFromThatOfItsParts) {
  base::SeededRandom random(1);
  for (const DigestKind kind : {DigestKind::Crc32, DigestKind::Crc32c, DigestKind::Crc64Nvme}) {
    for (int round = 0; round < 50; ++round) {
      std::string whole;
      std::vector<PartDigest> parts;
      for (std::uint64_t count = random.below(6); count > 0; --count) {
        // The same size twice in a row goes another way than a new one.
        const std::size_t bytes = random.below(2) == 0 ? 64 : random.below(3000);
        const std::string part = random.hex(bytes).substr(0, bytes);
        parts.push_back({base::digest(kind, part), part.size()});
        whole += part;
      }
      EXPECT_EQ(base::hex_encode(combined_crc(kind, parts)),
                base::hex_encode(base::digest(kind, whole)))
          << checksum_name(kind) << " of " << parts.size() << " parts";
    }
  }
}

TEST(S3Checksum, CombinesPartsOfManyGigabytes) {
  // crc(zeros of n bytes) by combining halves must not depend on where the halves are cut.
  const std::uint64_t giga = std::uint64_t{1} << 30;
  const std::string one = base::digest(DigestKind::Crc64Nvme, "x");
  const std::vector<PartDigest> parts{{one, 1}, {std::string(8, '\0'), giga}, {one, 1}};
  const std::vector<PartDigest> cut{{one, 1},
                                    {std::string(8, '\0'), giga / 2},
                                    {std::string(8, '\0'), giga - giga / 2},
                                    {one, 1}};
  EXPECT_EQ(combined_crc(DigestKind::Crc64Nvme, parts), combined_crc(DigestKind::Crc64Nvme, cut));
}

TEST(S3Checksum, CompositeIsTheChecksumOfChecksums) {
  const std::vector<PartDigest> parts{{base::digest(DigestKind::Sha256, "a"), 1},
                                      {base::digest(DigestKind::Sha256, "b"), 1}};
  const std::string joined = parts[0].value + parts[1].value;
  EXPECT_EQ(composite_checksum(DigestKind::Sha256, parts),
            base::base64_encode(base::digest(DigestKind::Sha256, joined)) + "-2");
}

TEST(S3Checksum, EtagOfAMultipartObjectCountsItsParts) {
  const std::string md5 = base::hex_encode(base::digest(DigestKind::Md5, "part"));
  const std::string bytes = base::digest(DigestKind::Md5, "part");
  const std::vector<std::string> etags{md5, md5};
  EXPECT_EQ(multipart_etag(etags),
            base::hex_encode(base::digest(DigestKind::Md5, bytes + bytes)) + "-2");
}

TEST(S3Checksum, NamesAreThoseOfTheHeaders) {
  EXPECT_EQ(checksum_header(DigestKind::Crc64Nvme), "x-amz-checksum-crc64nvme");
  EXPECT_EQ(checksum_kind("SHA256"), DigestKind::Sha256);
  EXPECT_EQ(checksum_kind("sha256"), std::nullopt);
  EXPECT_EQ(checksum_kind("MD5"), std::nullopt);
  EXPECT_TRUE(is_checksum(DigestKind::Crc32, "AAAAAA=="));
  EXPECT_FALSE(is_checksum(DigestKind::Crc32, "AAAA"));
  EXPECT_FALSE(is_checksum(DigestKind::Crc32, "not base64"));
}

TEST(S3Checksum, DigestsComputeWhatTheyWereAskedFor) {
  const std::vector<DigestKind> kinds{DigestKind::Sha1, DigestKind::Crc32};
  BodyDigests digests(kinds);
  digests.update("hel");
  digests.update("lo");
  digests.finish();
  EXPECT_EQ(base::hex_encode(digests.md5()), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(base::hex_encode(digests.digest(DigestKind::Crc32)), "3610a686");
  EXPECT_EQ(digests.digest(DigestKind::Sha1), base::digest(DigestKind::Sha1, "hello"));
}

}  // namespace
}  // namespace terrarium::s3
