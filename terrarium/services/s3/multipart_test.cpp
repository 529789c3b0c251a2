#include "lib/base/encoding.h"
#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

using base::DigestKind;

constexpr std::size_t kPartBytes = kPartBytesMin;

std::string part_bytes(char fill, std::size_t bytes = kPartBytes) {
  return std::string(bytes, fill);
}

class S3Multipart : public testing::Test {
 protected:
  S3Multipart() { EXPECT_TRUE(region.create_bucket("pictures").has_value()); }

  std::string begin(const std::string& key = "key",
                    const std::function<void(CreateMultipartUploadRequest&)>& adjust = {}) {
    CreateMultipartUploadRequest request;
    request.bucket = "pictures";
    request.key = key;
    if (adjust) adjust(request);
    const auto output = region.wait(region.s3().create_multipart_upload(region.root(), request));
    return output.has_value() ? *output->upload_id : region.code_of(output);
  }

  base::Result<UploadPartOutput> send(const std::string& upload, int number, std::string bytes,
                                      const std::function<void(UploadPartRequest&)>& adjust = {}) {
    UploadPartRequest request;
    request.bucket = "pictures";
    request.key = "key";
    request.upload_id = upload;
    request.part_number = number;
    if (adjust) adjust(request);
    const auto body = http::body_of(std::move(bytes));
    wire::Context context = region.root();
    context.body = body.get();
    return region.wait(region.s3().upload_part(context, std::move(request)));
  }

  using Chosen = std::vector<std::pair<int, std::string>>;
  base::Result<CompleteMultipartUploadOutput> complete(
      const std::string& upload, const Chosen& parts,
      const std::function<void(CompleteMultipartUploadRequest&)>& adjust = {}) {
    CompleteMultipartUploadRequest request;
    request.bucket = "pictures";
    request.key = "key";
    request.upload_id = upload;
    auto& chosen = request.multipart_upload.emplace().parts.emplace();
    for (const auto& [number, etag] : parts) {
      CompletedPart& part = chosen.emplace_back();
      part.part_number = number;
      part.etag = etag;
    }
    if (adjust) adjust(request);
    return region.wait(region.s3().complete_multipart_upload(region.root(), request));
  }

  std::string abort(const std::string& upload) {
    AbortMultipartUploadRequest request;
    request.bucket = "pictures";
    request.key = "key";
    request.upload_id = upload;
    return region.code_of(region.wait(region.s3().abort_multipart_upload(region.root(), request)));
  }

  S3Region region;
};

TEST_F(S3Multipart, MakesOneObjectOfItsPartsWithoutCopyingThem) {
  const std::string upload = begin("key", [](auto& request) {
    request.content_type = "image/png";
    request.tagging = "a=1";
  });
  const auto second = send(upload, 7, part_bytes('b', 10));
  const auto first = send(upload, 2, part_bytes('a'));
  ASSERT_TRUE(first.has_value() && second.has_value());
  const auto done = complete(upload, {{2, *first->etag}, {7, *second->etag}});
  ASSERT_TRUE(done.has_value()) << region.code_of(done);
  const std::string md5s = base::digest(DigestKind::Md5, part_bytes('a')) +
                           base::digest(DigestKind::Md5, part_bytes('b', 10));
  EXPECT_EQ(done->etag, quoted_etag(base::hex_encode(base::digest(DigestKind::Md5, md5s)) + "-2"));
  const std::string whole = part_bytes('a') + part_bytes('b', 10);
  EXPECT_EQ(done->checksum_crc64nvme,
            base::base64_encode(base::digest(DigestKind::Crc64Nvme, whole)));
  EXPECT_EQ(done->checksum_type, "FULL_OBJECT");
  EXPECT_EQ(region.body_of("pictures", "key"), whole);
  EXPECT_EQ(region.files(), 2U);
  GetObjectRequest request = region.get_request("pictures", "key");
  request.range = "bytes=" + std::to_string(kPartBytes - 2) + "-" + std::to_string(kPartBytes + 1);
  auto across = region.get(request);
  EXPECT_EQ(region.read(*across), "aabb");
  EXPECT_EQ(across->content_type, "image/png");
  request.range.reset();
  request.part_number = 2;
  request.checksum_mode = "ENABLED";
  auto part = region.get(request);
  EXPECT_FALSE(part->checksum_crc64nvme.has_value()) << "only composite ones are made of parts'";
  EXPECT_EQ(part->parts_count, 2);
  EXPECT_EQ(part->status_code, 206);
  EXPECT_EQ(region.read(*part), part_bytes('b', 10));
  request.part_number = 3;
  EXPECT_EQ(region.code_of(region.get(request)), "InvalidPartNumber");
}

TEST_F(S3Multipart, IsCompletedOnceButMayBeAskedAgain) {
  const std::string upload = begin();
  const auto part = send(upload, 1, "x");
  const auto done = complete(upload, {{1, *part->etag}});
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(complete(upload, {{1, *part->etag}})->etag, done->etag);
  ASSERT_TRUE(region.put("pictures", "key", "other").has_value());
  EXPECT_EQ(region.code_of(complete(upload, {{1, *part->etag}})), "NoSuchUpload");
  EXPECT_EQ(region.code_of(send(upload, 1, "x")), "NoSuchUpload");
  EXPECT_EQ(region.files(), 0U);
}

TEST_F(S3Multipart, KeepsTheRulesOfCompletion) {
  const std::string upload = begin();
  const auto small = send(upload, 1, "small");
  const auto last = send(upload, 2, "last");
  const std::string etag1 = *small->etag;
  const std::string etag2 = *last->etag;
  EXPECT_EQ(region.code_of(complete(upload, {})), "MalformedXML");
  EXPECT_EQ(region.code_of(complete(upload, {{2, etag2}, {1, etag1}})), "InvalidPartOrder");
  EXPECT_EQ(region.code_of(complete(upload, {{1, etag1}, {1, etag1}})), "InvalidPartOrder");
  const auto wrong = complete(upload, {{1, etag2}});
  EXPECT_EQ(region.code_of(wrong), "InvalidPart");
  EXPECT_EQ(field_of(wrong.error(), "ETag"), etag2.substr(1, etag2.size() - 2));
  EXPECT_EQ(region.code_of(complete(upload, {{3, etag1}})), "InvalidPart");
  const auto too_small = complete(upload, {{1, etag1}, {2, etag2}});
  EXPECT_EQ(region.code_of(too_small), "EntityTooSmall");
  EXPECT_EQ(field_of(too_small.error(), "PartNumber"), "1");
  EXPECT_EQ(region.code_of(
                complete(upload, {{2, etag2}}, [](auto& request) { request.mpu_object_size = 5; })),
            "InvalidRequest");
  EXPECT_EQ(region.code_of(complete("nonsense", {{1, etag1}})), "NoSuchUpload");
  EXPECT_EQ(region.code_of(send(upload, 0, "x")), "InvalidArgument");
  EXPECT_EQ(region.code_of(send(upload, 10'001, "x")), "InvalidArgument");
  // A part that the list leaves out is dropped with the upload.
  EXPECT_TRUE(complete(upload, {{2, etag2}}).has_value());
  EXPECT_EQ(region.body_of("pictures", "key"), "last");
  EXPECT_EQ(region.files(), 1U);
}

TEST_F(S3Multipart, IsNotCompletedOverWhatCameMeanwhile) {
  const std::string over = begin();
  const std::string etag = *send(over, 1, "part")->etag;
  const auto absent = [](auto& request) { request.if_none_match = "*"; };
  ASSERT_TRUE(region.put("pictures", "key", "came").has_value());
  EXPECT_EQ(region.code_of(complete(over, {{1, etag}}, absent)), "PreconditionFailed");
  const auto came = region.get(S3Region::get_request("pictures", "key"));
  const auto same = [&came](auto& request) { request.if_match = *came->etag; };
  EXPECT_EQ(region.code_of(complete(over, {{1, etag}}, same)), "ConditionalRequestConflict");
  const std::string later = begin();
  const std::string again = *send(later, 1, "part")->etag;
  DeleteObjectRequest remove{.bucket = "pictures", .key = "key"};
  ASSERT_TRUE(region.wait(region.s3().delete_object(region.root(), remove)).has_value());
  EXPECT_EQ(region.code_of(complete(later, {{1, again}}, absent)), "ConditionalRequestConflict");
  EXPECT_TRUE(complete(over, {{1, etag}}, absent).has_value());
}

TEST_F(S3Multipart, APartSentAgainReplacesTheFirst) {
  const std::string upload = begin();
  ASSERT_TRUE(send(upload, 1, "first").has_value());
  const auto again = send(upload, 1, "second");
  EXPECT_EQ(region.files(), 1U);
  ASSERT_TRUE(complete(upload, {{1, *again->etag}}).has_value());
  EXPECT_EQ(region.body_of("pictures", "key"), "second");
}

TEST_F(S3Multipart, AbortLeavesNothing) {
  const std::string upload = begin();
  ASSERT_TRUE(send(upload, 1, "x").has_value());
  EXPECT_EQ(abort(upload), "no error");
  EXPECT_EQ(abort(upload), "NoSuchUpload");
  EXPECT_EQ(region.files(), 0U);
}

TEST_F(S3Multipart, EndsWithItsBucket) {
  const std::string upload = begin();
  ASSERT_TRUE(send(upload, 1, "x").has_value());
  ASSERT_TRUE(
      region.wait(region.s3().delete_bucket(region.root(), {.bucket = "pictures"})).has_value());
  EXPECT_EQ(region.files(), 0U);
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  EXPECT_EQ(region.code_of(send(upload, 1, "x")), "NoSuchUpload");
}

TEST_F(S3Multipart, ChecksumsAreOfTheKindThatWasAskedFor) {
  const std::string upload =
      begin("key", [](auto& request) { request.checksum_algorithm = "SHA256"; });
  EXPECT_EQ(region.code_of(send(upload, 1, "x")), "InvalidRequest") << "no checksum given";
  const std::string sha = base::base64_encode(base::digest(DigestKind::Sha256, "x"));
  const auto part = send(upload, 1, "x", [&](auto& request) { request.checksum_sha256 = sha; });
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(part->checksum_sha256, sha);
  EXPECT_EQ(region.code_of(complete(upload, {{1, *part->etag}})), "InvalidRequest");
  const auto name_checksum = [&](auto& request) {
    request.multipart_upload->parts->front().checksum_sha256 = sha;
  };
  const auto done = complete(upload, {{1, *part->etag}}, name_checksum);
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->checksum_type, "COMPOSITE");
  EXPECT_EQ(done->checksum_sha256, base::base64_encode(base::digest(
                                       DigestKind::Sha256, base::digest(DigestKind::Sha256, "x"))) +
                                       "-1");
  GetObjectAttributesRequest request{.bucket = "pictures", .key = "key"};
  request.object_attributes = {"Checksum", "ObjectParts"};
  const auto told = region.wait(region.s3().get_object_attributes(region.root(), request));
  EXPECT_EQ(*told->checksum->checksum_sha256 + "-1", done->checksum_sha256);
  EXPECT_EQ(told->object_parts->parts->at(0).checksum_sha256, sha);
}

TEST_F(S3Multipart, FullObjectChecksumsAreComparedWithTheWhole) {
  const std::string upload = begin("key", [](auto& request) {
    request.checksum_algorithm = "CRC32";
    request.checksum_type = "FULL_OBJECT";
  });
  const auto part = send(upload, 1, "x");
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(region.code_of(complete(upload, {{1, *part->etag}},
                                    [](auto& request) { request.checksum_crc32 = "AAAAAA=="; })),
            "BadDigest");
  const std::string crc = base::base64_encode(base::digest(DigestKind::Crc32, "x"));
  EXPECT_EQ(
      complete(upload, {{1, *part->etag}}, [&](auto& request) { request.checksum_crc32 = crc; })
          ->checksum_crc32,
      crc);
}

TEST_F(S3Multipart, ChecksumTypesThatDoNotExistAreRefused) {
  EXPECT_EQ(begin("key",
                  [](auto& request) {
                    request.checksum_algorithm = "SHA1";
                    request.checksum_type = "FULL_OBJECT";
                  }),
            "InvalidRequest");
  EXPECT_EQ(begin("key",
                  [](auto& request) {
                    request.checksum_algorithm = "CRC64NVME";
                    request.checksum_type = "COMPOSITE";
                  }),
            "InvalidRequest");
  EXPECT_EQ(begin("key", [](auto& request) { request.checksum_type = "COMPOSITE"; }),
            "InvalidRequest");
}

TEST_F(S3Multipart, PartsAreCopiedFromObjects) {
  ASSERT_TRUE(region.put("pictures", "source", part_bytes('s', 40'000)).has_value());
  const std::string upload = begin();
  UploadPartCopyRequest request;
  request.bucket = "pictures";
  request.key = "key";
  request.upload_id = upload;
  request.part_number = 1;
  request.copy_source = "pictures/source";
  request.copy_source_range = "bytes=0-9";
  const auto some = region.wait(region.s3().upload_part_copy(region.root(), request));
  ASSERT_TRUE(some.has_value());
  EXPECT_EQ(some->copy_part_result->etag,
            quoted_etag(base::hex_encode(base::digest(DigestKind::Md5, "ssssssssss"))));
  request.copy_source_range = "bytes=0-40000";
  EXPECT_EQ(region.code_of(region.wait(region.s3().upload_part_copy(region.root(), request))),
            "InvalidArgument");
  request.copy_source_range.reset();
  const auto whole = region.wait(region.s3().upload_part_copy(region.root(), request));
  ASSERT_TRUE(complete(upload, {{1, *whole->copy_part_result->etag}}).has_value());
  ASSERT_TRUE(
      region.wait(region.s3().delete_object(region.root(), {.bucket = "pictures", .key = "source"}))
          .has_value());
  EXPECT_EQ(region.body_of("pictures", "key"), part_bytes('s', 40'000));
}

// More parts than one row of their list holds. All but the last are one file under many names.
TEST_F(S3Multipart, ManyPartsAreReadWhereverTheyLie) {
  ASSERT_TRUE(region.put("pictures", "source", part_bytes('s')).has_value());
  const std::string upload = begin();
  const int last = static_cast<int>(kPartsPerRow) + 2;
  Chosen chosen;
  for (int number = 1; number < last; ++number) {
    UploadPartCopyRequest copy;
    copy.bucket = "pictures";
    copy.key = "key";
    copy.upload_id = upload;
    copy.part_number = number;
    copy.copy_source = "pictures/source";
    const auto copied = region.wait(region.s3().upload_part_copy(region.root(), std::move(copy)));
    ASSERT_TRUE(copied.has_value());
    chosen.emplace_back(number, *copied->copy_part_result->etag);
  }
  chosen.emplace_back(last, *send(upload, last, "the end")->etag);
  const auto done = complete(upload, chosen);
  ASSERT_TRUE(done.has_value());
  EXPECT_TRUE(done->etag->ends_with("-" + std::to_string(last) + "\""));
  EXPECT_EQ(region.files(), static_cast<std::size_t>(last) + 1);

  GetObjectRequest request = S3Region::get_request("pictures", "key");
  const std::size_t bytes = kPartBytes * static_cast<std::size_t>(last - 1) + 7;
  request.range = "bytes=" + std::to_string(kPartBytes * kPartsPerRow - 2) + "-" +
                  std::to_string(kPartBytes * kPartsPerRow + 1);
  auto across = region.get(request);
  ASSERT_TRUE(across.has_value());
  EXPECT_EQ(region.read(*across), "ssss");
  request.range = "bytes=-9";
  auto tail = region.get(request);
  ASSERT_TRUE(tail.has_value());
  EXPECT_EQ(region.read(*tail), "ssthe end");
  request.range.reset();
  request.part_number = last;
  auto part = region.get(request);
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(region.read(*part), "the end");
  EXPECT_EQ(part->parts_count, last);
  EXPECT_EQ(part->content_range, "bytes " + std::to_string(bytes - 7) + "-" +
                                     std::to_string(bytes - 1) + "/" + std::to_string(bytes));

  // Those who still read hold the files; then they go.
  ASSERT_TRUE(region.put("pictures", "key", "small").has_value());
  EXPECT_EQ(region.files(), static_cast<std::size_t>(last) + 1);
  for (auto* output : {&across, &tail, &part}) (*output)->body.source.reset();
  region.settle();
  EXPECT_EQ(region.files(), 1U);
}

TEST_F(S3Multipart, PartsAndUploadsAreListedInPages) {
  const std::string upload = begin();
  for (const int number : {3, 1, 2}) ASSERT_TRUE(send(upload, number, "x").has_value());
  ListPartsRequest request;
  request.bucket = "pictures";
  request.key = "key";
  request.upload_id = upload;
  request.max_parts = 2;
  auto page = region.wait(region.s3().list_parts(region.root(), request));
  ASSERT_EQ(page->parts->size(), 2U);
  EXPECT_TRUE(*page->is_truncated);
  EXPECT_EQ(page->next_part_number_marker, 2);
  request.part_number_marker = page->next_part_number_marker;
  page = region.wait(region.s3().list_parts(region.root(), request));
  ASSERT_EQ(page->parts->size(), 1U);
  EXPECT_EQ(page->parts->front().part_number, 3);
  EXPECT_FALSE(*page->is_truncated);

  region.advance(std::chrono::seconds(1));
  const std::string later = begin();
  const std::string other = begin("another");
  ListMultipartUploadsRequest uploads;
  uploads.bucket = "pictures";
  uploads.max_uploads = 2;
  auto listed = region.wait(region.s3().list_multipart_uploads(region.root(), uploads));
  ASSERT_EQ(listed->uploads->size(), 2U);
  EXPECT_EQ(listed->uploads->at(0).upload_id, other);
  EXPECT_EQ(listed->uploads->at(1).upload_id, upload) << "the oldest of a key comes first";
  uploads.key_marker = listed->next_key_marker;
  uploads.upload_id_marker = listed->next_upload_id_marker;
  listed = region.wait(region.s3().list_multipart_uploads(region.root(), uploads));
  ASSERT_EQ(listed->uploads->size(), 1U);
  EXPECT_EQ(listed->uploads->at(0).upload_id, later);
  EXPECT_FALSE(*listed->is_truncated);
  EXPECT_EQ(listed->next_key_marker, "key") << "told on the last page too";
  EXPECT_EQ(listed->next_upload_id_marker, later);
  uploads.upload_id_marker = "nonsense";
  EXPECT_EQ(region.code_of(region.wait(region.s3().list_multipart_uploads(region.root(), uploads))),
            "InvalidArgument");
  uploads.upload_id_marker.reset();
  uploads.prefix = "nothing";
  EXPECT_EQ(region.wait(region.s3().list_multipart_uploads(region.root(), uploads))
                ->next_upload_id_marker,
            "");
}

TEST_F(S3Multipart, CopyOfAMultipartObjectIsAPlainOne) {
  const std::string upload = begin();
  const auto one = send(upload, 1, part_bytes('a'));
  const auto two = send(upload, 2, part_bytes('b', 3));
  ASSERT_TRUE(complete(upload, {{1, *one->etag}, {2, *two->etag}}).has_value());
  CopyObjectRequest copy;
  copy.bucket = "pictures";
  copy.key = "copy";
  copy.copy_source = "pictures/key";
  const auto output = region.wait(region.s3().copy_object(region.root(), copy));
  ASSERT_TRUE(output.has_value());
  const std::string whole = part_bytes('a') + part_bytes('b', 3);
  EXPECT_EQ(output->copy_object_result->etag,
            quoted_etag(base::hex_encode(base::digest(DigestKind::Md5, whole))));
  EXPECT_EQ(region.body_of("pictures", "copy"), whole);
}

}  // namespace
}  // namespace terrarium::s3
