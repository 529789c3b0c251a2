#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <memory>

#include "lib/base/encoding.h"
#include "terrarium/services/ec2/key_pair_rules.h"
#include "terrarium/services/ec2/ssh_keys.h"
#include "terrarium/services/ec2/testing_records.h"

namespace terrarium::ec2 {
namespace {

// Made with ssh-keygen; fingerprints with `openssl md5 -c` over the DER and `ssh-keygen -l`.
constexpr std::string_view kRsaLine =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDISlwd0iSHQYoRxW1TWK+GkroPSzvtDyQoarV6dhQVNWOqT86BkZY7yW"
    "SMZavhjdK7zC24lg011VYBSlo8NjzNfozqHvEWhPY2o6KV5fgjd2/wNkGj4EIlWjPaYxrR//JucYhoA84kq3/WHd6Rk3PQ"
    "aR1Hj1NPyJuYBNMZHr/e6Q== me@host\n";
constexpr std::string_view kRsaFingerprint = "69:f8:12:62:f8:b0:eb:f8:f1:84:e9:25:3f:18:6d:17";
constexpr std::string_view kEd25519Line =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOkl5kC1lAyY+SpEW/mkj929/2U1SlrH6s+gExH4oZWO me@host";
constexpr std::string_view kEd25519Fingerprint = "YcppcOFTF6HpJKqi0nQt2NO9v1ksEeU/KIYosnBlG78=";

template <class T>
std::string code_of(const base::Result<T>& answer) {
  return answer.has_value() ? "" : std::string(answer.error().row->code);
}

class KeyPairRules : public testing::Test {
 protected:
  auto import(const std::string& name, std::string_view line) {
    return records.change([&](Transaction& transaction) {
      return import_key_pair(transaction,
                             {.key_name = name, .public_key_material = std::string(line)});
    });
  }
  auto create(const CreateKeyPairRequest& request) {
    return records.change(
        [&](Transaction& transaction) { return create_key_pair(transaction, request); });
  }
  TestingRecords records;
};

TEST_F(KeyPairRules, ImportedKeysHaveAwssFingerprints) {
  EXPECT_EQ(import("rsa", kRsaLine)->key_fingerprint, kRsaFingerprint);
  EXPECT_EQ(import("ed", kEd25519Line)->key_fingerprint, kEd25519Fingerprint);
  EXPECT_EQ(code_of(import("ed", kEd25519Line)), "InvalidKeyPair.Duplicate");
  const auto listed = describe_key_pairs(
      records.state(), {.key_names = std::vector<std::string>{"ed"}, .include_public_key = true});
  ASSERT_EQ(listed->key_pairs->size(), 1u);
  EXPECT_EQ(listed->key_pairs->front().key_type, "ed25519");
  EXPECT_TRUE(listed->key_pairs->front().public_key->ends_with(" ed"));
}

TEST_F(KeyPairRules, OtherThanOpenSshLinesAreRefused) {
  for (const std::string_view line :
       {"", "ssh-rsa", "ssh-rsa AAAA", "ssh-dss AAAAB3NzaC1kc3MAAACB me",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIOkl5kC1lAyY+SpEW/mkj929/2U1SlrH6s+gExH4oZWO"}) {
    EXPECT_EQ(code_of(import("bad", line)), "InvalidKey.Format") << line;
  }
  const std::string cut(kRsaLine.substr(0, 60));
  EXPECT_EQ(code_of(import("bad", cut)), "InvalidKey.Format");
}

TEST_F(KeyPairRules, MadeRsaKeyIsPkcs1AndItsPublicHalfIsKept) {
  const auto made = create({.key_name = "mine"});
  ASSERT_TRUE(made.has_value());
  EXPECT_TRUE(made->key_material->starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
  EXPECT_EQ(made->key_fingerprint->size(), 59u);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(
      BIO_new_mem_buf(made->key_material->data(), static_cast<int>(made->key_material->size())),
      &BIO_free_all);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(EVP_PKEY_get_bits(key.get()), 2048);
  EXPECT_TRUE(take_ssh_key((*records.state().all<KeyPairRecord>().begin()).public_key).has_value());
}

TEST_F(KeyPairRules, MadeEd25519KeyIsInOpenSshsForm) {
  const auto made = make_ssh_key(SshKeyKind::Ed25519, "mine");
  ASSERT_TRUE(made.has_value());
  EXPECT_TRUE(made->private_key.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
  std::string text;
  for (std::size_t at = made->private_key.find('\n') + 1; made->private_key[at] != '-'; ++at) {
    if (made->private_key[at] != '\n') text += made->private_key[at];
  }
  const auto bytes = base::base64_decode(text);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(std::string_view(*bytes).substr(0, 14), "openssh-key-v1");
  const auto point = base::base64_decode(made->public_key.substr(made->public_key.find(' ') + 1));
  EXPECT_NE(bytes->find(*point), std::string::npos);
  EXPECT_EQ(take_ssh_key(made->public_key)->fingerprint, made->fingerprint);
}

TEST_F(KeyPairRules, WhatCannotBeMadeIsRefused) {
  EXPECT_EQ(code_of(create({.key_name = "x", .key_format = "ppk"})), "UnsupportedOperation");
  EXPECT_EQ(code_of(create({.key_name = "x", .key_type = "dsa"})), "InvalidParameterValue");
  EXPECT_EQ(code_of(create({.key_name = ""})), "MissingParameter");
  EXPECT_EQ(records.state().count<KeyPairRecord>(), 0u);
}

TEST_F(KeyPairRules, DeletingAnAbsentKeySucceeds) {
  const std::string id = *import("rsa", kRsaLine)->key_pair_id;
  const auto erase = [this](DeleteKeyPairRequest request) {
    return records.change(
        [&](Transaction& transaction) { return delete_key_pair(transaction, request); });
  };
  EXPECT_TRUE(erase({.key_name = "other"}).has_value());
  EXPECT_EQ(records.state().count<KeyPairRecord>(), 1u);
  EXPECT_TRUE(erase({.key_pair_id = id}).has_value());
  EXPECT_TRUE(erase({.key_pair_id = id}).has_value());
  EXPECT_EQ(
      code_of(describe_key_pairs(records.state(), {.key_names = std::vector<std::string>{"rsa"}})),
      "InvalidKeyPair.NotFound");
}

}  // namespace
}  // namespace terrarium::ec2
