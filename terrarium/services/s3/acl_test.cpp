#include <gtest/gtest.h>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

constexpr std::string_view kAccount = "000000000000";
const std::string kEverybodyUri = "http://acs.amazonaws.com/groups/global/AllUsers";

base::Result<StoredAcl> canned(std::string name, AclOf of = AclOf::Object) {
  AclRequest asked;
  asked.canned = std::move(name);
  return parse_acl(asked, of, kAccount);
}

std::vector<std::string> shown(std::string_view stored) {
  std::vector<std::string> lines;
  for (const Grant& grant : shown_grants(stored, kAccount)) {
    const std::string who = grant.grantee->uri.value_or("owner");
    lines.push_back(who.substr(who.rfind('/') + 1) + " " + *grant.permission);
  }
  return lines;
}

TEST(S3Acl, CannedListsGrantWhatTheirNamesSay) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(*canned("private"), "");
  EXPECT_EQ(*canned("bucket-owner-full-control"), "");
  EXPECT_EQ(shown(*canned("public-read")), (Lines{"owner FULL_CONTROL", "AllUsers READ"}));
  EXPECT_EQ(shown(*canned("public-read-write")),
            (Lines{"owner FULL_CONTROL", "AllUsers READ", "AllUsers WRITE"}));
  EXPECT_EQ(shown(*canned("authenticated-read")),
            (Lines{"owner FULL_CONTROL", "AuthenticatedUsers READ"}));
  EXPECT_EQ(shown(*canned("log-delivery-write", AclOf::Bucket)),
            (Lines{"owner FULL_CONTROL", "LogDelivery WRITE", "LogDelivery READ_ACP"}));
  EXPECT_EQ(S3Region::code_of(canned("log-delivery-write")), "InvalidArgument");
  EXPECT_EQ(field_of(canned("everyone").error(), "ArgumentValue"), "everyone");
}

TEST(S3Acl, GrantHeadersAreReadGranteeByGrantee) {
  AclRequest asked;
  asked.read = "uri=\"" + kEverybodyUri + "\", id=" + std::string(64, 'a');
  const auto acl = parse_acl(asked, AclOf::Object, kAccount);
  ASSERT_TRUE(acl.has_value());
  EXPECT_EQ(shown(*acl), (std::vector<std::string>{"AllUsers READ", "owner READ"}));
  const auto refused = [](std::string header) {
    AclRequest request;
    request.read = std::move(header);
    return parse_acl(request, AclOf::Object, kAccount).error();
  };
  EXPECT_EQ(refused("uri=\"http://nobody\"").message, "Invalid group uri");
  EXPECT_EQ(refused("id=\"me\"").message, "Invalid id");
  EXPECT_EQ(refused("name=me").message, "Argument format not recognized");
  EXPECT_EQ(refused("emailAddress=\"a@b.c\"").row->code, "UnresolvableGrantByEmailAddress");
  asked.canned = "private";
  EXPECT_EQ(S3Region::code_of(parse_acl(asked, AclOf::Object, kAccount)), "InvalidRequest");
}

// A bucket whose lists count: neither disabled nor blocked.
class AclRegion : public S3Region {
 public:
  AclRegion() {
    CreateBucketRequest request;
    request.bucket = "open";
    request.object_ownership = "ObjectWriter";
    EXPECT_TRUE(wait(s3().create_bucket(root(), request)).has_value());
    DeletePublicAccessBlockRequest unblock;
    unblock.bucket = "open";
    EXPECT_TRUE(wait(s3().delete_public_access_block(root(), unblock)).has_value());
  }
  base::Result<PutObjectOutput> put_with(const std::string& acl) {
    return put("open", "k", "body", [&acl](PutObjectRequest& request) { request.acl = acl; });
  }
  std::string read_by_stranger() {
    auto got = wait(s3().get_object(anonymous(), get_request("open", "k")));
    return got.has_value() ? read(*got) : code_of(got);
  }
  base::Result<wire::Empty> put_bucket_list(const std::string& acl) {
    PutBucketAclRequest request;
    request.bucket = "open";
    request.acl = acl;
    return wait(s3().put_bucket_acl(root(), request));
  }
  void block(PublicAccessBlockConfiguration configuration) {
    PutPublicAccessBlockRequest request;
    request.bucket = "open";
    request.public_access_block_configuration = configuration;
    EXPECT_TRUE(wait(s3().put_public_access_block(root(), request)).has_value());
  }
};

TEST(S3Acl, StrangersReadWhatTheListOfTheObjectGivesThem) {
  AclRegion region;
  ASSERT_TRUE(region.put_with("private").has_value());
  EXPECT_EQ(region.read_by_stranger(), "AccessDenied");
  ASSERT_TRUE(region.put_with("public-read").has_value());
  EXPECT_EQ(region.read_by_stranger(), "body");
  GetObjectAclRequest list;
  list.bucket = "open";
  list.key = "k";
  EXPECT_EQ(S3Region::code_of(region.wait(region.s3().get_object_acl(region.anonymous(), list))),
            "AccessDenied");
  ASSERT_TRUE(region.put_with("authenticated-read").has_value());
  EXPECT_EQ(region.read_by_stranger(), "AccessDenied");

  region.block({{}, true, {}, {}});
  ASSERT_TRUE(region.put_with("public-read").has_value());
  EXPECT_EQ(region.read_by_stranger(), "AccessDenied");
}

TEST(S3Acl, EachVersionIsGuardedByItsOwnList) {
  AclRegion region;
  EXPECT_TRUE(region.put_with("private").has_value());
  PutBucketVersioningRequest versioning;
  versioning.bucket = "open";
  versioning.versioning_configuration.status = "Enabled";
  EXPECT_TRUE(
      region.wait(region.s3().put_bucket_versioning(region.root(), versioning)).has_value());
  EXPECT_TRUE(region.put_with("public-read").has_value());
  const auto read = [&region](std::optional<std::string> version_id) {
    GetObjectRequest request = S3Region::get_request("open", "k");
    request.version_id = std::move(version_id);
    return S3Region::code_of(
        region.wait(region.s3().get_object(region.anonymous(), std::move(request))));
  };
  EXPECT_EQ(read({}), "no error");
  EXPECT_EQ(read("null"), "AccessDenied") << "what was private before stays private";
  EXPECT_TRUE(region.put_with("private").has_value());
  EXPECT_EQ(read({}), "AccessDenied");
  CopyObjectRequest copy;
  copy.bucket = "open";
  copy.key = "copy";
  copy.copy_source = "open/k?versionId=null";
  EXPECT_EQ(S3Region::code_of(region.wait(region.s3().copy_object(region.anonymous(), copy))),
            "AccessDenied");
}

TEST(S3Acl, StrangersListAndWriteWhatTheListOfTheBucketGivesThem) {
  AclRegion region;
  ListObjectsV2Request list;
  list.bucket = "open";
  const auto listed = [&] {
    return S3Region::code_of(region.wait(region.s3().list_objects_v2(region.anonymous(), list)));
  };
  EXPECT_EQ(listed(), "AccessDenied");
  EXPECT_EQ(region.read_by_stranger(), "AccessDenied");
  ASSERT_TRUE(region.put_bucket_list("public-read").has_value());
  EXPECT_EQ(listed(), "no error");
  EXPECT_EQ(region.read_by_stranger(), "NoSuchKey");
  EXPECT_EQ(S3Region::code_of(region.put_as(region.anonymous(), "open", "n", "x")), "AccessDenied");
  ASSERT_TRUE(region.put_bucket_list("public-read-write").has_value());
  EXPECT_TRUE(region.put_as(region.anonymous(), "open", "n", "x").has_value());
}

TEST(S3Acl, PublicListsAreRefusedWhileTheyAreBlocked) {
  AclRegion region;
  region.block({true, {}, {}, {}});
  const auto refused = region.put_with("public-read");
  EXPECT_EQ(S3Region::code_of(refused), "AccessDenied");
  EXPECT_NE(refused.error().message.find("BlockPublicAcls"), std::string::npos);
  EXPECT_EQ(S3Region::code_of(region.put_bucket_list("authenticated-read")), "AccessDenied");
  EXPECT_TRUE(region.put_with("private").has_value());

  CreateBucketRequest request;
  request.bucket = "born-open";
  request.object_ownership = "ObjectWriter";
  request.acl = "public-read";
  EXPECT_EQ(S3Region::code_of(region.wait(region.s3().create_bucket(region.root(), request))),
            "InvalidBucketAclWithBlockPublicAccessError");
  request.object_ownership.reset();
  EXPECT_EQ(S3Region::code_of(region.wait(region.s3().create_bucket(region.root(), request))),
            "InvalidBucketAclWithObjectOwnership");
}

TEST(S3Acl, DisabledListsAreNeitherTakenNorShown) {
  AclRegion region;
  ASSERT_TRUE(region.put_with("public-read").has_value());
  PutBucketOwnershipControlsRequest controls;
  controls.bucket = "open";
  controls.ownership_controls.rules = {OwnershipControlsRule{"BucketOwnerEnforced"}};
  ASSERT_TRUE(region.put_bucket_list("public-read").has_value());
  const auto disable = [&] {
    return S3Region::code_of(
        region.wait(region.s3().put_bucket_ownership_controls(region.root(), controls)));
  };
  EXPECT_EQ(disable(), "InvalidBucketAclWithObjectOwnership");
  ASSERT_TRUE(region.put_bucket_list("private").has_value());
  EXPECT_EQ(disable(), "no error");

  EXPECT_EQ(region.read_by_stranger(), "AccessDenied");
  GetObjectAclRequest list;
  list.bucket = "open";
  list.key = "k";
  const auto shown_list = region.wait(region.s3().get_object_acl(region.root(), list));
  ASSERT_TRUE(shown_list.has_value());
  EXPECT_EQ(shown_list->grants->size(), 1u);
  EXPECT_EQ(S3Region::code_of(region.put_with("public-read")), "AccessControlListNotSupported");
  EXPECT_TRUE(region.put_with("private").has_value());
  EXPECT_EQ(S3Region::code_of(region.put_bucket_list("private")), "AccessControlListNotSupported");
  EXPECT_TRUE(region.put_bucket_list("bucket-owner-full-control").has_value());
}

TEST(S3Acl, DocumentsMustNameTheOwnerAndKnownGrantees) {
  AclRegion region;
  PutBucketAclRequest request;
  request.bucket = "open";
  const auto put = [&] {
    return S3Region::code_of(region.wait(region.s3().put_bucket_acl(region.root(), request)));
  };
  EXPECT_EQ(put(), "MissingSecurityHeader");
  request.access_control_policy.emplace();
  EXPECT_EQ(put(), "MalformedACLError");
  auto& document = *request.access_control_policy;
  document.owner = Owner{{}, std::string(64, 'b')};
  Grantee everybody;
  everybody.type = "Group";
  everybody.uri = kEverybodyUri;
  document.grants = {Grant{everybody, "READ"}};
  EXPECT_EQ(put(), "AccessDenied");
  document.owner->id = canonical_user_id(kAccount);
  EXPECT_EQ(put(), "no error");
  document.grants->front().permission = "ALL";
  EXPECT_EQ(put(), "MalformedACLError");
}

}  // namespace
}  // namespace terrarium::s3
