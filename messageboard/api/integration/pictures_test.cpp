// Pictures from upload to their end.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <thread>

#include "messageboard/api/integration/board_under_test.h"
#include "messageboard/api/integration/postgres_server.h"

namespace messageboard {
namespace {

using namespace std::string_literals;

const std::string kPicture =
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\x02\0\0\0CRC.\0\0\0\0IDATCRC."s;

class BoardPictures : public testing::Test {
 protected:
  BoardPictures() {
    EXPECT_TRUE(eventually([&] { return board.ready(); }));
  }

  // "pictures/<uuid>.png"
  std::string key_of(const Asked& asked) {
    const std::string url = field(asked.body, "raw_img_src");
    const std::string prefix = s3.endpoint() + "/raw/";
    EXPECT_TRUE(url.starts_with(prefix)) << url;
    return url.substr(prefix.size());
  }
  std::string status(const std::string& id) {
    return field(board.get("/image/" + id).body, "status");
  }
  // As lists tell it: what the sweeper has written, without asking S3.
  std::string written_status(const std::string& id) {
    return postgres.query(address, "SELECT status FROM images WHERE id = " + id);
  }

  PostgresServer& postgres = PostgresServer::get();
  DatabaseAddress address = postgres.new_database();
  FakeS3 s3;
  BoardUnderTest board{address, s3};
};

TEST_F(BoardPictures, AnUploadIsStoredUnderAKeyOfItsOwn) {
  const Asked first = board.upload("a.jpg", kPicture);
  const Asked second = board.upload("a.jpg", kPicture);
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(field(first.body, "filename"), "a.jpg");
  EXPECT_EQ(field(first.body, "status"), "pending");
  EXPECT_EQ(field(first.body, "id"), "1");
  EXPECT_EQ(field(second.body, "id"), "2");
  EXPECT_NE(key_of(first), key_of(second));
  const auto object = s3.find("raw/" + key_of(first));
  ASSERT_TRUE(object);
  EXPECT_EQ(object->bytes, kPicture);
  EXPECT_EQ(object->content_type, "image/png");
  EXPECT_EQ(field(first.body, "processed_img_src"), s3.endpoint() + "/processed/" + key_of(first));
}

TEST_F(BoardPictures, ANameThatClimbsGoesNowhere) {
  const Asked asked = board.upload("../../etc/passwd", kPicture);
  ASSERT_EQ(asked.status, 200);
  EXPECT_EQ(field(asked.body, "filename"), "../../etc/passwd");
  EXPECT_TRUE(key_of(asked).starts_with("pictures/"));
  EXPECT_EQ(key_of(asked).find(".."), std::string::npos);
}

TEST_F(BoardPictures, StatusTurnsTrueByItself) {
  const Asked asked = board.upload("a.png", kPicture);
  EXPECT_EQ(status("1"), "pending");
  s3.put("processed/" + key_of(asked), {"anonymised", "image/png"});
  EXPECT_EQ(status("1"), "processed");
  EXPECT_TRUE(eventually([&] { return written_status("1") == "processed"; }));
  EXPECT_NE(board.get("/images/").body.find("processed\"}"), std::string::npos);
}

TEST_F(BoardPictures, ARefusedPictureFailsUntilItIsProcessedAfterAll) {
  const Asked asked = board.upload("a.png", kPicture);
  s3.put("raw/failed/" + key_of(asked), {"{}", "application/json"});
  EXPECT_TRUE(eventually([&] { return written_status("1") == "failed"; }));
  EXPECT_EQ(status("1"), "failed");
  s3.put("processed/" + key_of(asked), {"anonymised", "image/png"});
  EXPECT_EQ(status("1"), "processed");
}

TEST_F(BoardPictures, AnotherBoardsPicturesAreFollowedToo) {
  postgres.query(address, "INSERT INTO images (filename, object_key) VALUES ('x', 'pictures/x')");
  s3.put("processed/pictures/x", {"anonymised", "image/png"});
  EXPECT_TRUE(eventually([&] { return written_status("1") == "processed"; }));
}

TEST_F(BoardPictures, WhatIsNoPictureIsRefusedAndNotStored) {
  EXPECT_EQ(board.upload("a.jpg", "text").status, 415);
  EXPECT_EQ(board.upload("a.gif", "GIF89a\x01\0\x01\0"s).status, 415);
  EXPECT_EQ(board.upload("a.jpg", "").status, 415);
  std::string bomb = kPicture;
  bomb[16] = '\x7f';
  EXPECT_EQ(board.upload("a.png", bomb).status, 413);
  const Asked large = board.upload("a.png", kPicture + std::string(kFileBytesMax, 'x'));
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(large.body, R"({"detail":"The file is larger than 20 MiB"})");
  const Asked larger = board.upload("a.png", std::string(2 * kFileBytesMax, 'x'));
  EXPECT_EQ(larger.status, 413);
  EXPECT_EQ(s3.size(), 0u);
  EXPECT_EQ(board.get("/images/").body, "[]");
}

TEST_F(BoardPictures, TheLargestFileIsTaken) {
  const std::string whole = kPicture + std::string(kFileBytesMax - kPicture.size(), 'x');
  const Asked asked = board.upload("a.png", whole);
  ASSERT_EQ(asked.status, 200) << asked.body;
  EXPECT_EQ(s3.find("raw/" + key_of(asked))->bytes, whole);
}

TEST_F(BoardPictures, WithoutTheStoreAnUploadLeavesNoRow) {
  s3.set_away(true);
  EXPECT_EQ(board.upload("a.png", kPicture).status, 503);
  EXPECT_EQ(board.get("/images/").body, "[]");
  s3.set_away(false);
  EXPECT_EQ(board.upload("a.png", kPicture).status, 200);
  s3.set_away(true);
  EXPECT_EQ(status("1"), "pending");
}

TEST_F(BoardPictures, TwentyAtOnceAreTwenty) {
  std::vector<std::thread> people;
  std::atomic<int> taken = 0;
  for (int i = 0; i < 20; ++i) {
    people.emplace_back([&] {
      if (board.upload("same.png", kPicture).status == 200) ++taken;
    });
  }
  for (std::thread& person : people) person.join();
  EXPECT_EQ(taken, 20);
  EXPECT_EQ(s3.size(), 20u);
  EXPECT_EQ(postgres.query(address, "SELECT count(DISTINCT object_key) FROM images"), "20");
}

}  // namespace
}  // namespace messageboard
