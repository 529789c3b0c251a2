#include "lib/aws/credentials.h"

#include <filesystem>
#include <fstream>
#include <future>

#include "lib/aws/instance_metadata.h"
#include "lib/aws/remote_credentials.h"
#include "lib/aws/shared_files.h"
#include "lib/aws/test_server.h"
#include "lib/base/encoding.h"
#include "lib/runtime/task_group.h"

namespace aws {
namespace {

using namespace std::chrono_literals;
using namespace aws::testing;

std::string document(const std::string& id, std::optional<base::Timestamp> expiration) {
  return R"({"Code":"Success","AccessKeyId":")" + id +
         R"(","SecretAccessKey":"secret","Token":"token")" +
         (expiration ? R"(,"Expiration":")" + base::iso8601(*expiration, 0) + "\"" : "") + "}";
}

class File {
 public:
  explicit File(const std::string& text)
      : path_(std::filesystem::path(::testing::TempDir()) /
              ("aws-" + std::to_string(::getpid()) + "-" + std::to_string(++made_))) {
    std::ofstream(path_) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::string path() const { return path_.string(); }

 private:
  static inline int made_ = 0;
  std::filesystem::path path_;
};

struct Rig {
  TestServer server;
  JumpingClock clock{server.clock().now()};
  std::unique_ptr<CredentialsProvider> chain = default_credentials_chain(server.client(), clock);

  base::Result<Credentials> get() { return server.run(chain->get()); }
  std::string id() {
    const auto keys = get();
    return keys ? keys->access_key_id : "error: " + keys.error().message;
  }
};

TEST(SharedFiles, ProfilesAreFoundByTheirSections) {
  const auto profiles = parse_profiles(
      "# comment\n[default]\naws_access_key_id = A\nAWS_SECRET_ACCESS_KEY=B=C\n\n"
      "[profile two]\r\naws_session_token = T \r\n; more\n[sso-session x]\nsso_region = r\n"
      "[profile \"a b\"]\nregion=r\ns3 =\n  addressing_style = path\n",
      SharedFile::Config);
  ASSERT_TRUE(profiles.has_value());
  EXPECT_EQ(profiles->size(), 3U);
  EXPECT_EQ(profiles->at("default").at("aws_secret_access_key"), "B=C");
  EXPECT_EQ(profiles->at("two").at("aws_session_token"), "T");
  EXPECT_EQ(profiles->at("a b").at("region"), "r");
  EXPECT_FALSE(profiles->at("a b").contains("addressing_style"));
}

TEST(SharedFiles, CredentialsFileNamesProfilesBare) {
  const auto profiles = parse_profiles("[profile x]\na=1\n[y]\na=2\n", SharedFile::Credentials);
  ASSERT_TRUE(profiles.has_value());
  EXPECT_TRUE(profiles->contains("profile x"));
  EXPECT_EQ(profiles->at("y").at("a"), "2");
}

TEST(SharedFiles, LinesOfNoMeaningAreNamed) {
  const auto profiles = parse_profiles("[a]\nb=1\nnonsense\n", SharedFile::Config);
  ASSERT_FALSE(profiles.has_value());
  EXPECT_EQ(profiles.error().message, "Line 3 is neither a section nor a setting.");
  EXPECT_FALSE(parse_profiles("a=1\n", SharedFile::Config).has_value());
}

TEST(CredentialsChain, EnvironmentComesFirst) {
  Rig rig;
  const File file("[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n");
  CleanEnvironment environment{{{"AWS_ACCESS_KEY_ID", "ENV"},
                                {"AWS_SECRET_ACCESS_KEY", "secret"},
                                {"AWS_SESSION_TOKEN", "token"},
                                {"AWS_SHARED_CREDENTIALS_FILE", file.path()}}};
  const auto keys = rig.get();
  ASSERT_TRUE(keys.has_value());
  EXPECT_EQ(keys->access_key_id, "ENV");
  EXPECT_EQ(keys->session_token, "token");
}

TEST(CredentialsChain, HalfAKeyIsAnError) {
  Rig rig;
  CleanEnvironment environment{{{"AWS_ACCESS_KEY_ID", "ENV"}}};
  EXPECT_EQ(rig.id(),
            "error: Partial credentials found in the environment, missing: AWS_SECRET_ACCESS_KEY");
}

TEST(CredentialsChain, ProfileIsTakenFromEitherFile) {
  const File credentials("[default]\naws_access_key_id=D\naws_secret_access_key=s\n");
  const File config(
      "[profile other]\naws_access_key_id=O\naws_secret_access_key=s\n"
      "[profile role]\nrole_arn=arn:aws:iam::000000000000:role/r\n");
  CleanEnvironment environment{
      {{"AWS_SHARED_CREDENTIALS_FILE", credentials.path()}, {"AWS_CONFIG_FILE", config.path()}}};
  EXPECT_EQ(Rig().id(), "D");
  environment.set("AWS_PROFILE", "other");
  EXPECT_EQ(Rig().id(), "O");
  environment.set("AWS_PROFILE", "missing");
  EXPECT_EQ(Rig().id(), "error: The config profile (missing) could not be found");
  environment.set("AWS_PROFILE", "role");
  EXPECT_EQ(Rig().id(),
            "error: Profile 'role' takes its credentials from role_arn, which is not "
            "supported here.");
}

TEST(CredentialsChain, ContainerEndpointIsAskedWithItsToken) {
  Rig rig;
  CleanEnvironment environment{{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", rig.server.url() + "/keys"},
                                {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "open sesame"}}};
  rig.server.pages["/keys"] = {200, document("CONTAINER", std::nullopt), {}};
  EXPECT_EQ(rig.id(), "CONTAINER");
  EXPECT_EQ(rig.server.asked[0].headers.find("Authorization"), "open sesame");
  const File file("from a file\n");
  environment.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.path());
  rig.chain = default_credentials_chain(rig.server.client(), rig.clock);
  EXPECT_EQ(rig.id(), "CONTAINER");
  EXPECT_EQ(rig.server.asked[1].headers.find("Authorization"), "from a file");
}

TEST(CredentialsChain, KeysAreNotFetchedInTheClearFromAfar) {
  Rig rig;
  CleanEnvironment environment{{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/keys"}}};
  EXPECT_EQ(rig.id(),
            "error: AWS_CONTAINER_CREDENTIALS_FULL_URI must use https or name a local host.");
}

TEST(CredentialsChain, BrokenContainerEndpointIsAnError) {
  Rig rig;
  CleanEnvironment environment{
      {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", rig.server.url() + "/keys"}}};
  for (const std::string body : {"", "[]", "{}", R"({"AccessKeyId":"a"})", "{\"AccessKeyId\":1}",
                                 R"({"Code":"Failed","AccessKeyId":"a","SecretAccessKey":"b"})",
                                 R"({"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"x"})"}) {
    rig.server.pages["/keys"] = {200, body, {}};
    EXPECT_FALSE(rig.get().has_value()) << body;
  }
  rig.server.pages["/keys"] = {500, document("A", std::nullopt), {}};
  EXPECT_EQ(rig.id(), "error: The container credentials endpoint answered 500");
}

constexpr std::string_view kRoles = "/latest/meta-data/iam/security-credentials/";

void serve_role(TestServer& server, const std::string& id, base::Timestamp expiration) {
  server.pages[std::string(kRoles)] = {200, "role", {}};
  server.pages[std::string(kRoles) + "role"] = {200, document(id, expiration), {}};
}

TEST(CredentialsChain, InstanceRoleIsUsedWithToken) {
  Rig rig;
  CleanEnvironment environment{{{"AWS_EC2_METADATA_DISABLED", "false"},
                                {"AWS_EC2_METADATA_SERVICE_ENDPOINT", rig.server.url()}}};
  rig.server.pages["/latest/api/token"] = {200, "TOKEN", {}};
  serve_role(rig.server, "ROLE", rig.clock.now() + 6h);
  EXPECT_EQ(rig.id(), "ROLE");
  ASSERT_EQ(rig.server.asked.size(), 3U);
  EXPECT_EQ(rig.server.asked[0].method, "PUT");
  EXPECT_EQ(rig.server.asked[0].headers.find("X-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(rig.server.asked[2].headers.find("X-aws-ec2-metadata-token"), "TOKEN");
}

TEST(CredentialsChain, NothingAnywhereIsDenied) {
  Rig rig;
  CleanEnvironment environment;
  const auto keys = rig.get();
  ASSERT_FALSE(keys.has_value());
  EXPECT_EQ(keys.error().kind, base::ErrorKind::Denied);
  EXPECT_EQ(keys.error().message, "Unable to locate credentials");
}

struct RefreshRig : Rig {
  CleanEnvironment environment{{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/keys"}}};
  void serve(const std::string& id, base::Duration life) {
    server.pages["/keys"] = {200, document(id, clock.now() + life), {}};
  }
};

TEST(CredentialsRefresh, KeysAreKeptUntilFiveMinutesBeforeTheyExpire) {
  RefreshRig rig;
  rig.serve("FIRST", 1h);
  EXPECT_EQ(rig.id(), "FIRST");
  rig.serve("SECOND", 2h);
  rig.clock.advance(54min);
  EXPECT_EQ(rig.id(), "FIRST");
  EXPECT_EQ(rig.server.asked.size(), 1U);
  rig.clock.advance(1min + 1s);
  EXPECT_EQ(rig.id(), "SECOND");
}

TEST(CredentialsRefresh, OldKeysServeUntilTheyExpireWhenRefreshFails) {
  RefreshRig rig;
  rig.serve("FIRST", 1h);
  EXPECT_EQ(rig.id(), "FIRST");
  rig.server.pages["/keys"] = {.status = 500};
  rig.clock.advance(56min);
  EXPECT_EQ(rig.id(), "FIRST");
  EXPECT_EQ(rig.id(), "FIRST");
  EXPECT_EQ(rig.server.asked.size(), 2U) << "a failed refresh is not repeated at once";
  rig.clock.advance(5min);
  EXPECT_EQ(rig.id(), "error: The container credentials endpoint answered 500");
  rig.serve("LATER", 1h);
  EXPECT_EQ(rig.id(), "LATER");
}

TEST(CredentialsRefresh, ExpiredKeysAreNotAccepted) {
  RefreshRig rig;
  rig.serve("OLD", -1h);
  EXPECT_EQ(rig.id(), "error: The credentials found have expired.");
}

runtime::Task<void> note(CredentialsProvider& chain, std::vector<std::string>& ids,
                         std::promise<void>& last, std::size_t count) {
  const auto keys = co_await chain.get();
  ids.push_back(keys ? keys->access_key_id : "error");
  if (ids.size() == count) last.set_value();
}

runtime::Task<void> ask_at_once(runtime::TaskGroup& group, CredentialsProvider& chain,
                                std::vector<std::string>& ids, std::promise<void>& last) {
  for (int i = 0; i < 10; ++i) group.spawn("asker", note(chain, ids, last, 10));
  co_return;
}

TEST(CredentialsRefresh, ManyAskersCauseOneLoad) {
  RefreshRig rig;
  // Waiting askers sleep on a clock that does not jump to their deadline.
  rig.chain = default_credentials_chain(rig.server.client(), rig.server.clock());
  rig.serve("ONE", 1h);
  std::vector<std::string> ids;
  std::promise<void> last;
  runtime::TaskGroup group(rig.server.executor());
  rig.server.run(ask_at_once(group, *rig.chain, ids, last));
  last.get_future().wait();
  rig.server.run(group.stop());
  EXPECT_EQ(ids, std::vector<std::string>(10, "ONE"));
  EXPECT_EQ(rig.server.asked.size(), 1U);
}

struct MetadataRig {
  TestServer server;
  CleanEnvironment environment{{{"AWS_EC2_METADATA_DISABLED", "false"},
                                {"AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url() + "/"}}};
  // The client's own clock: what the metadata asks for is bounded by deadlines on it.
  InstanceMetadata metadata{server.client(), server.clock()};

  std::string instance_id() {
    const auto id = server.run(metadata.instance_id());
    return id ? *id : std::string(base::to_string(id.error().kind));
  }
};

TEST(InstanceMetadata, VersionTwoTokenIsReused) {
  MetadataRig rig;
  rig.server.pages["/latest/api/token"] = {200, "TOKEN", {}};
  rig.server.pages["/latest/meta-data/instance-id"] = {200, "i-0123456789abcdef0", {}};
  rig.server.pages["/latest/meta-data/placement/availability-zone"] = {200, "us-east-1a", {}};
  EXPECT_EQ(rig.instance_id(), "i-0123456789abcdef0");
  EXPECT_EQ(rig.server.run(rig.metadata.availability_zone()).value(), "us-east-1a");
  EXPECT_EQ(rig.server.asked.size(), 3U);
}

TEST(InstanceMetadata, VersionOneServesWhereTokensAreUnknown) {
  MetadataRig rig;
  rig.server.pages["/latest/meta-data/instance-id"] = {200, "i-1", {}};
  EXPECT_EQ(rig.instance_id(), "i-1");
  EXPECT_FALSE(rig.server.asked.back().headers.find("X-aws-ec2-metadata-token").has_value());
  rig.environment.set("AWS_EC2_METADATA_V1_DISABLED", "true");
  EXPECT_EQ(rig.instance_id(), "NotFound");
}

TEST(InstanceMetadata, RefusedTokenIsRenewedOnce) {
  MetadataRig rig;
  rig.server.pages["/latest/api/token"] = {200, "TOKEN", {}};
  rig.server.replies = {{.status = 401}, {200, "i-1", {}}};
  EXPECT_EQ(rig.instance_id(), "i-1");
  rig.server.replies = {{.status = 401}};
  EXPECT_EQ(rig.instance_id(), "Unavailable");
}

TEST(InstanceMetadata, NothingThereIsNotFound) {
  MetadataRig rig;
  EXPECT_EQ(rig.instance_id(), "NotFound");
  rig.environment.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
  EXPECT_EQ(rig.instance_id(), "NotFound");
  rig.environment.set("AWS_EC2_METADATA_DISABLED", "true");
  EXPECT_EQ(rig.instance_id(), "NotFound");
}

}  // namespace
}  // namespace aws
