// Versions as clients meet them: put, read, deleted, brought back, listed.
#include "terrarium/services/s3/versions.h"

#include <algorithm>
#include <set>

#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

class VersionedRegion : public S3Region {
 public:
  explicit VersionedRegion(store::Store* store = nullptr) : S3Region(store) {
    EXPECT_TRUE(create_bucket("box").has_value());
  }

  void set_versioning(const std::string& status) {
    PutBucketVersioningRequest request;
    request.bucket = "box";
    request.versioning_configuration.status = status;
    EXPECT_TRUE(wait(s3().put_bucket_versioning(root(), request)).has_value());
  }
  std::string put_version(const std::string& key, std::string bytes) {
    const auto output = put("box", key, std::move(bytes));
    EXPECT_TRUE(output.has_value());
    return output->version_id.value_or("none");
  }
  base::Result<DeleteObjectOutput> remove(const std::string& key,
                                          std::optional<std::string> version_id = {}) {
    DeleteObjectRequest request{.bucket = "box", .key = key};
    request.version_id = std::move(version_id);
    return wait(s3().delete_object(root(), request));
  }
  base::Result<GetObjectOutput> get_version(const std::string& key, std::string version_id) {
    GetObjectRequest request = get_request("box", key);
    request.version_id = std::move(version_id);
    return get(std::move(request));
  }
  // The body of a version, or the error's code.
  std::string body_of_version(const std::string& key, const std::string& version_id) {
    auto output = get_version(key, version_id);
    return output.has_value() ? read(*output) : code_of(output);
  }
  ListObjectVersionsOutput page(const ListObjectVersionsRequest& request) {
    auto output = wait(s3().list_object_versions(root(), request));
    EXPECT_TRUE(output.has_value()) << code_of(output);
    return output.has_value() ? *std::move(output) : ListObjectVersionsOutput();
  }
  // "key:id[!][*]" of every entry, ! for a delete marker and * for the latest, page by page.
  std::vector<std::string> versions(std::int32_t page_size, const std::string& delimiter = {}) {
    std::vector<std::string> all;
    ListObjectVersionsRequest request;
    request.bucket = "box";
    request.max_keys = page_size;
    if (!delimiter.empty()) request.delimiter = delimiter;
    for (;;) {
      const ListObjectVersionsOutput output = page(request);
      std::vector<std::string> some;
      for (const ObjectVersion& version : output.versions.value_or(std::vector<ObjectVersion>())) {
        some.push_back(*version.key + ":" + *version.version_id + (*version.is_latest ? "*" : ""));
      }
      for (const DeleteMarkerEntry& marker :
           output.delete_markers.value_or(std::vector<DeleteMarkerEntry>())) {
        some.push_back(*marker.key + ":" + *marker.version_id + "!" +
                       (*marker.is_latest ? "*" : ""));
      }
      for (const CommonPrefix& prefix :
           output.common_prefixes.value_or(std::vector<CommonPrefix>())) {
        some.push_back(*prefix.prefix);
      }
      EXPECT_LE(some.size(), static_cast<std::size_t>(page_size));
      all.insert(all.end(), some.begin(), some.end());
      if (!*output.is_truncated) return all;
      request.key_marker = output.next_key_marker;
      request.version_id_marker = output.next_version_id_marker;
    }
  }
};

TEST(S3VersionIds, AreThirtyTwoCharactersThatNameOneVersion) {
  base::SeededRandom random(3);
  std::set<std::string> ids;
  for (std::uint64_t sequence = 1; sequence < 200; ++sequence) {
    ObjectRecord record;
    record.sequence = sequence * 977;
    record.version_nonce = base::hex_decode(random.hex(kVersionNonceBytes)).value();
    const std::string id = version_id_of(record);
    EXPECT_EQ(id.size(), kVersionIdCharacters);
    EXPECT_TRUE(ids.insert(id).second);
    const auto name = parse_version_id(id);
    ASSERT_TRUE(name.has_value());
    EXPECT_EQ(name->sequence, record.sequence);
    EXPECT_TRUE(names(*name, record));
    record.sequence += 1;
    EXPECT_FALSE(names(*name, record));
  }
  EXPECT_EQ(version_id_of(ObjectRecord()), "null");
  EXPECT_TRUE(parse_version_id("null")->is_null());
  for (const std::string text :
       {"", "Null", "x", "0123456789012345678901234567890-", "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"}) {
    EXPECT_FALSE(parse_version_id(text).has_value()) << text;
  }
}

TEST(S3Versions, EveryWriteOfAnEnabledBucketStays) {
  VersionedRegion region;
  EXPECT_EQ(region.put_version("k", "zero"), "none");
  region.set_versioning("Enabled");
  const std::string first = region.put_version("k", "one");
  const std::string second = region.put_version("k", std::string(kInlineBytesMax + 1, '2'));
  EXPECT_EQ(first.size(), kVersionIdCharacters);
  EXPECT_NE(first, second);
  EXPECT_EQ(region.body_of("box", "k").size(), kInlineBytesMax + 1);
  EXPECT_EQ(region.body_of_version("k", first), "one");
  EXPECT_EQ(region.body_of_version("k", "null"), "zero");
  EXPECT_EQ(*region.wait(region.s3().read_object("box", "k", first, 100)), "one");
  EXPECT_EQ(region.code_of(region.wait(
                region.s3().read_object("box", "k", std::string(kVersionIdCharacters, 'x'), 100))),
            "InvalidArgument");
  EXPECT_EQ(*region.get(S3Region::get_request("box", "k"))->version_id, second);
  EXPECT_EQ(region.versions(10),
            (std::vector<std::string>{"k:" + second + "*", "k:" + first, "k:null"}));
}

TEST(S3Versions, ADeletedObjectComesBackWithoutItsMarker) {
  VersionedRegion region;
  region.set_versioning("Enabled");
  const std::string id = region.put_version("k", "body");
  const auto deleted = region.remove("k");
  ASSERT_TRUE(deleted.has_value());
  EXPECT_EQ(deleted->delete_marker, true);
  const auto gone = region.get(S3Region::get_request("box", "k"));
  EXPECT_EQ(S3Region::code_of(gone), "NoSuchKey");
  EXPECT_EQ(field_of(gone.error(), "header:x-amz-delete-marker"), "true");
  EXPECT_EQ(field_of(gone.error(), "header:x-amz-version-id"), *deleted->version_id);
  const auto marker = region.get_version("k", *deleted->version_id);
  EXPECT_EQ(S3Region::code_of(marker), "MethodNotAllowed");
  EXPECT_EQ(field_of(marker.error(), "header:Allow"), "DELETE");
  EXPECT_NE(field_of(marker.error(), "header:Last-Modified"), "no field");
  EXPECT_TRUE(region.keys_of("box").empty());
  EXPECT_EQ(region.body_of_version("k", id), "body");
  GetObjectAclRequest list;
  list.bucket = "box";
  list.key = "k";
  const auto acl_code = [&] {
    return S3Region::code_of(region.wait(region.s3().get_object_acl(region.root(), list)));
  };
  EXPECT_EQ(acl_code(), "NoSuchKey");
  list.version_id = *deleted->version_id;
  EXPECT_EQ(acl_code(), "MethodNotAllowed");

  const auto undone = region.remove("k", deleted->version_id);
  EXPECT_EQ(undone->delete_marker, true);
  EXPECT_EQ(undone->version_id, deleted->version_id);
  EXPECT_EQ(region.body_of("box", "k"), "body");
  EXPECT_EQ(region.versions(10), std::vector<std::string>{"k:" + id + "*"});
}

TEST(S3Versions, RemovingTheLatestBringsTheNextToLight) {
  VersionedRegion region;
  region.set_versioning("Enabled");
  const std::string first = region.put_version("k", std::string(kInlineBytesMax + 1, '1'));
  const std::string second = region.put_version("k", "2");
  const auto removed = region.remove("k", second);
  EXPECT_FALSE(removed->delete_marker.has_value());
  EXPECT_EQ(*removed->version_id, second);
  EXPECT_EQ(*region.get(S3Region::get_request("box", "k"))->version_id, first);
  EXPECT_EQ(region.files(), 1U);
  EXPECT_TRUE(region.remove("k", first).has_value());
  region.settle();
  EXPECT_EQ(region.files(), 0U);
  EXPECT_TRUE(region.versions(10).empty());
  // What is not there is as it was asked for.
  EXPECT_EQ(*region.remove("k", first)->version_id, first);
  EXPECT_EQ(region.body_of_version("k", first), "NoSuchVersion");
  EXPECT_EQ(region.body_of_version("k", "nonsense"), "InvalidArgument");
}

TEST(S3Versions, ASuspendedBucketHasOneNullVersionOfAKey) {
  VersionedRegion region;
  region.put_version("k", "unversioned");
  region.set_versioning("Enabled");
  const std::string kept = region.put_version("k", "kept");
  region.set_versioning("Suspended");
  EXPECT_EQ(region.put_version("k", "null 1"), "null");
  EXPECT_EQ(region.put_version("k", "null 2"), "null");
  EXPECT_EQ(region.versions(10), (std::vector<std::string>{"k:null*", "k:" + kept}));
  EXPECT_EQ(region.body_of_version("k", "null"), "null 2");
  const auto deleted = region.remove("k");
  EXPECT_EQ(*deleted->version_id, "null");
  EXPECT_EQ(region.versions(10), (std::vector<std::string>{"k:" + kept, "k:null!*"}));
  EXPECT_EQ(region.body_of_version("k", "null"), "MethodNotAllowed");
  // Again: the marker is replaced by another.
  EXPECT_TRUE(region.remove("k").has_value());
  EXPECT_EQ(region.versions(10).size(), 2U);
  EXPECT_EQ(region.remove("k", "null")->delete_marker, true);
  EXPECT_EQ(region.body_of("box", "k"), "kept");
  // Behind a newer version the null version is found all the same.
  region.put_version("k", "null 3");
  region.set_versioning("Enabled");
  const std::string newest = region.put_version("k", "newest");
  EXPECT_EQ(region.body_of_version("k", "null"), "null 3");
  EXPECT_TRUE(region.remove("k", newest).has_value());
  EXPECT_EQ(region.body_of("box", "k"), "null 3");
  EXPECT_EQ(region.put_version("k", "after").size(), kVersionIdCharacters);
  EXPECT_EQ(region.body_of_version("k", "null"), "null 3");
}

TEST(S3Versions, ListingsPageThroughVersionsExactly) {
  VersionedRegion region;
  region.set_versioning("Enabled");
  std::vector<std::string> expected;
  for (const std::string key : {"a", "dir/x", "dir/y", "z"}) {
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(key + ":" + region.put_version(key, "v"));
    std::ranges::reverse(ids);
    if (key == "z") {
      ids.insert(ids.begin(), "z:" + *region.remove("z")->version_id + "!");
    }
    ids.front() += "*";
    expected.insert(expected.end(), ids.begin(), ids.end());
  }
  for (const std::int32_t size : {1, 2, 3, 5, 7, 100}) {
    std::vector<std::string> listed = region.versions(size);
    // A page tells markers after versions.
    std::ranges::sort(listed);
    std::vector<std::string> sorted = expected;
    std::ranges::sort(sorted);
    EXPECT_EQ(listed, sorted) << size;
    const std::vector<std::string> rolled = region.versions(size, "/");
    EXPECT_EQ(rolled.size(), 8U) << size;
    EXPECT_EQ(std::ranges::count(rolled, "dir/"), 1) << size;
  }
  EXPECT_EQ(region.keys_of("box"), (std::vector<std::string>{"a", "dir/x", "dir/y"}));
}

TEST(S3Versions, MarkersOfListingsAreChecked) {
  VersionedRegion region;
  region.set_versioning("Enabled");
  ListObjectVersionsRequest request;
  request.bucket = "box";
  request.version_id_marker = "null";
  const auto alone = region.wait(region.s3().list_object_versions(region.root(), request));
  EXPECT_EQ(alone.error().message, "A version-id marker cannot be specified without a key marker.");
  request.key_marker = "k";
  request.version_id_marker = "";
  const auto empty = region.wait(region.s3().list_object_versions(region.root(), request));
  EXPECT_EQ(empty.error().message, "A version-id marker cannot be empty.");
  request.version_id_marker = "bogus";
  const auto bogus = region.wait(region.s3().list_object_versions(region.root(), request));
  EXPECT_EQ(bogus.error().message, "Invalid version id specified");
}

TEST(S3Versions, OneRequestMayRemoveSeveralVersionsOfAKey) {
  VersionedRegion region;
  region.set_versioning("Enabled");
  const std::string first = region.put_version("k", "1");
  const std::string second = region.put_version("k", "2");
  const std::string third = region.put_version("k", "3");
  DeleteObjectsRequest request;
  request.bucket = "box";
  for (const std::string& id : {third, first}) {
    ObjectIdentifier& object = request.delete_.objects.emplace_back();
    object.key = "k";
    object.version_id = id;
  }
  request.delete_.objects.emplace_back().key = "other";
  const auto output = region.wait(region.s3().delete_objects(region.root(), request));
  ASSERT_TRUE(output.has_value());
  ASSERT_EQ(output->deleted->size(), 3U);
  EXPECT_EQ(*(*output->deleted)[0].version_id, third);
  EXPECT_FALSE((*output->deleted)[0].delete_marker.has_value());
  EXPECT_EQ((*output->deleted)[2].delete_marker, true);
  EXPECT_FALSE((*output->deleted)[2].version_id.has_value());
  EXPECT_EQ((*output->deleted)[2].delete_marker_version_id->size(), kVersionIdCharacters);
  EXPECT_EQ(region.body_of("box", "k"), "2");
  EXPECT_EQ(region.versions(10).front(), "k:" + second + "*");
}

TEST(S3Versions, CopiesReadAnOldVersionAndMakeANewOne) {
  VersionedRegion region;
  region.set_versioning("Enabled");
  const std::string first = region.put_version("k", "old");
  region.put_version("k", "new");
  CopyObjectRequest request;
  request.bucket = "box";
  request.key = "k";
  request.copy_source = "box/k?versionId=" + first;
  const auto restored = region.wait(region.s3().copy_object(region.root(), request));
  ASSERT_TRUE(restored.has_value());
  EXPECT_EQ(*restored->copy_source_version_id, first);
  EXPECT_NE(*restored->version_id, first);
  EXPECT_EQ(region.body_of("box", "k"), "old");
  const auto deleted = region.remove("k");
  request.copy_source = "box/k?versionId=" + *deleted->version_id;
  EXPECT_EQ(S3Region::code_of(region.wait(region.s3().copy_object(region.root(), request))),
            "InvalidRequest");
  request.copy_source = "box/k";
  EXPECT_EQ(S3Region::code_of(region.wait(region.s3().copy_object(region.root(), request))),
            "NoSuchKey");
}

TEST(S3Versions, ABucketWithVersionsIsNotEmpty) {
  VersionedRegion region;
  region.set_versioning("Enabled");
  region.put_version("k", "1");
  const auto marker = region.remove("k");
  DeleteBucketRequest request{.bucket = "box"};
  const auto refused = region.wait(region.s3().delete_bucket(region.root(), request));
  EXPECT_EQ(S3Region::code_of(refused), "BucketNotEmpty");
  EXPECT_TRUE(refused.error().message.contains("You must delete all versions"));
}

TEST(S3Versions, MfaDeleteIsRefused) {
  VersionedRegion region;
  PutBucketVersioningRequest request;
  request.bucket = "box";
  request.versioning_configuration.status = "Enabled";
  request.versioning_configuration.mfa_delete = "Enabled";
  EXPECT_EQ(
      S3Region::code_of(region.wait(region.s3().put_bucket_versioning(region.root(), request))),
      "AccessDenied");
  EXPECT_EQ(region.put_version("k", "1"), "none");
}

}  // namespace
}  // namespace terrarium::s3
