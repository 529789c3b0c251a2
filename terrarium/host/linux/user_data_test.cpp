#include "terrarium/host/linux/user_data.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace terrarium::host::linux_host {
namespace {

using Texts = std::vector<std::string>;

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(UserData, AScriptIsRunAsItIs) {
  EXPECT_EQ(parse_user_data("#!/bin/sh\necho\r\n").scripts, Texts{"#!/bin/sh\necho\r\n"});
  EXPECT_TRUE(parse_user_data("").scripts.empty());
  EXPECT_TRUE(parse_user_data("").refused.empty());
}

TEST(UserData, GzipIsUnpacked) {
  EXPECT_EQ(parse_user_data(gzip("#!/bin/sh\n")).scripts, Texts{"#!/bin/sh\n"});
  const UserData damaged = parse_user_data(gzip("#!/bin/sh\n").substr(0, 20));
  EXPECT_TRUE(damaged.scripts.empty());
  EXPECT_EQ(damaged.refused.size(), 1U);
}

TEST(UserData, ABombIsRefused) {
  const UserData data = parse_user_data(gzip("#!" + std::string(5 << 20, ' ')));
  EXPECT_TRUE(data.scripts.empty());
  EXPECT_EQ(data.refused.size(), 1U);
}

TEST(UserData, PartsRunInTheirOrder) {
  const UserData data = parse_user_data(
      "Content-Type: multipart/mixed;\r\n boundary=\"==b==\"\r\nMIME-Version: 1.0\r\n\r\n"
      "--==b==\r\nContent-Type: text/x-shellscript; charset=\"us-ascii\"\r\n\r\n"
      "#!/bin/sh\necho 1\n\r\n--==b==\r\n"
      "Content-Type: text/x-shellscript\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "IyEvYmlu\r\nL3NoCg==\r\n--==b==\r\n"
      "Content-Type: text/cloud-config\r\n\r\n#cloud-config\n\r\n--==b==--\r\nrest");
  EXPECT_EQ(data.scripts, (Texts{"#!/bin/sh\necho 1\n", "#!/bin/sh\n"}));
  ASSERT_EQ(data.refused.size(), 1U);
  EXPECT_NE(data.refused[0].find("text/cloud-config"), std::string::npos);
}

TEST(UserData, APartThatIsNotClosedIsStillAPart) {
  const UserData data = parse_user_data(
      "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n#!/bin/sh\n");
  EXPECT_EQ(data.scripts, Texts{"#!/bin/sh\n"});
}

TEST(UserData, WhatIsNotSupportedIsNamed) {
  for (const char* kind : {"#cloud-config", "#include", "#cloud-boothook", "## template: jinja"}) {
    const UserData data = parse_user_data(std::string(kind) + "\nx: y\n");
    EXPECT_TRUE(data.scripts.empty());
    ASSERT_EQ(data.refused.size(), 1U);
    EXPECT_NE(data.refused[0].find(kind), std::string::npos) << data.refused[0];
  }
  EXPECT_EQ(parse_user_data("hello").refused.size(), 1U);
  EXPECT_EQ(parse_user_data("MIME-Version: 1.0\n\nhello").refused.size(), 1U);
  EXPECT_EQ(parse_user_data("Content-Type: multipart/mixed; boundary=\"").refused.size(), 1U);
}

}  // namespace
}  // namespace terrarium::host::linux_host
