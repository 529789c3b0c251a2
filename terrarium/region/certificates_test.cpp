#include "terrarium/region/certificates.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

namespace terrarium::region {
namespace {

using namespace std::chrono_literals;

std::string contents(const std::filesystem::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

class Certification : public ::testing::Test {
 protected:
  Certification() {
    char name[] = "/tmp/certificates-test-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~Certification() override { std::filesystem::remove_all(folder_); }

  base::Result<Certificates> open(std::vector<std::string> regions = {"us-east-1"}) {
    return open_certificates(folder_ / "ca", regions, now_, random_);
  }

  // What a client that trusts the authority says of the face under this name: "ok", or why not.
  std::string verify(const Certificates& made, const std::string& host) const {
    X509_STORE* const trusted = X509_STORE_new();
    EXPECT_EQ(X509_STORE_load_file(trusted, made.authority.c_str()), 1);
    FILE* const file = std::fopen(made.face.certificate_chain.c_str(), "r");
    X509* const face = PEM_read_X509(file, nullptr, nullptr, nullptr);
    std::fclose(file);
    X509_STORE_CTX* const check = X509_STORE_CTX_new();
    X509_STORE_CTX_init(check, trusted, face, nullptr);
    X509_VERIFY_PARAM* const wanted = X509_STORE_CTX_get0_param(check);
    X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set_purpose(wanted, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_VERIFY_PARAM_set_time(
        wanted, std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count());
    const bool good = X509_verify_cert(check) == 1;
    const std::string why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(check));
    X509_STORE_CTX_free(check);
    X509_free(face);
    X509_STORE_free(trusted);
    return good ? "ok" : why;
  }

  std::filesystem::path folder_;
  base::Timestamp now_{std::chrono::seconds(1'700'000'000)};
  base::SeededRandom random_{1};
};

TEST_F(Certification, EveryEndpointOfAwsVerifies) {
  const auto made = open({"us-east-1", "eu-central-1"});
  ASSERT_TRUE(made) << base::describe(made.error());
  for (const char* const host :
       {"s3.amazonaws.com", "sts.amazonaws.com", "iam.amazonaws.com", "queue.amazonaws.com",
        "pictures.s3.amazonaws.com", "s3.us-east-1.amazonaws.com", "sqs.us-east-1.amazonaws.com",
        "ec2.us-east-1.amazonaws.com", "sts.eu-central-1.amazonaws.com",
        "pictures.s3.us-east-1.amazonaws.com", "pictures.s3.eu-central-1.amazonaws.com",
        "eu-central-1.queue.amazonaws.com", "pictures.s3-eu-central-1.amazonaws.com",
        "s3-eu-central-1.amazonaws.com"}) {
    EXPECT_EQ(verify(*made, host), "ok") << host;
  }
  for (const char* const host : {"amazonaws.com", "example.com", "sqs.us-west-2.amazonaws.com",
                                 "a.b.s3.amazonaws.com", "localhost"}) {
    EXPECT_NE(verify(*made, host), "ok") << host;
  }
}

TEST_F(Certification, KeysAreForTheirOwnerOnly) {
  const auto made = open();
  ASSERT_TRUE(made);
  const auto mode = [this](const char* name) {
    struct stat found{};
    EXPECT_EQ(::stat((folder_ / "ca" / name).c_str(), &found), 0);
    return found.st_mode & 0777U;
  };
  EXPECT_EQ(mode("ca.pem"), 0644U);
  EXPECT_EQ(mode("ca.key"), 0600U);
  EXPECT_EQ(mode("server.pem"), 0600U);
  EXPECT_EQ(contents(made->authority).find("PRIVATE"), std::string::npos);
}

TEST_F(Certification, AServerCanUseTheFaceWithOneFile) {
  const auto made = open();
  ASSERT_TRUE(made);
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context, made->face.certificate_chain.c_str()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context, made->face.private_key.c_str(), SSL_FILETYPE_PEM),
            1);
  EXPECT_EQ(SSL_CTX_check_private_key(context), 1);
  SSL_CTX_free(context);
}

TEST_F(Certification, NothingChangesWhileItIsGood) {
  ASSERT_TRUE(open());
  const std::string authority = contents(folder_ / "ca/ca.pem");
  const std::string face = contents(folder_ / "ca/server.pem");
  now_ += std::chrono::days(300);
  ASSERT_TRUE(open());
  EXPECT_EQ(contents(folder_ / "ca/ca.pem"), authority);
  EXPECT_EQ(contents(folder_ / "ca/server.pem"), face);
}

TEST_F(Certification, TheFaceIsRenewedBeforeItExpires) {
  ASSERT_TRUE(open());
  const std::string authority = contents(folder_ / "ca/ca.pem");
  const std::string face = contents(folder_ / "ca/server.pem");
  now_ += std::chrono::days(500);
  const auto made = open();
  ASSERT_TRUE(made);
  EXPECT_EQ(contents(folder_ / "ca/ca.pem"), authority);
  EXPECT_NE(contents(folder_ / "ca/server.pem"), face);
  now_ += std::chrono::days(700);
  EXPECT_EQ(verify(*made, "sqs.us-east-1.amazonaws.com"), "ok");
}

TEST_F(Certification, ARegionMoreIsANewFaceOfTheSameAuthority) {
  ASSERT_TRUE(open());
  const std::string authority = contents(folder_ / "ca/ca.pem");
  const auto made = open({"us-east-1", "eu-west-1"});
  ASSERT_TRUE(made);
  EXPECT_EQ(contents(folder_ / "ca/ca.pem"), authority);
  EXPECT_EQ(verify(*made, "sqs.eu-west-1.amazonaws.com"), "ok");
}

TEST_F(Certification, TheAuthorityIsRenewedBeforeItExpiresAndTheFaceWithIt) {
  ASSERT_TRUE(open());
  now_ += std::chrono::days(3400);
  const auto made = open();
  ASSERT_TRUE(made);
  EXPECT_EQ(verify(*made, "s3.amazonaws.com"), "ok");
  now_ += std::chrono::days(400);
  EXPECT_EQ(verify(*made, "s3.amazonaws.com"), "ok");
}

TEST_F(Certification, AnAuthorityWithoutItsKeyIsAnErrorNotANewAuthority) {
  ASSERT_TRUE(open());
  std::filesystem::remove(folder_ / "ca/ca.key");
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, base::ErrorKind::Conflict);
}

TEST_F(Certification, ACrashBetweenKeyAndCertificateIsStartedOver) {
  ASSERT_TRUE(open());
  std::filesystem::remove(folder_ / "ca/ca.pem");
  const auto made = open();
  ASSERT_TRUE(made);
  EXPECT_EQ(verify(*made, "s3.amazonaws.com"), "ok");
}

TEST_F(Certification, ADamagedFaceIsMadeAnew) {
  ASSERT_TRUE(open());
  std::ofstream(folder_ / "ca/server.pem") << "-----BEGIN";
  const auto made = open();
  ASSERT_TRUE(made);
  EXPECT_EQ(verify(*made, "s3.amazonaws.com"), "ok");
}

TEST_F(Certification, ARegionThatIsNoNameIsRefused) {
  const auto refused = open({"us-east-1,DNS:example.com"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, base::ErrorKind::InvalidInput);
}

}  // namespace
}  // namespace terrarium::region
