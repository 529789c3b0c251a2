// A database that fails, and a board that goes on.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "messageboard/api/integration/board_under_test.h"
#include "messageboard/api/integration/postgres_server.h"

namespace messageboard {
namespace {

TEST(BoardDatabase, BoardsThatStartAtOnceMakeTheTablesOnce) {
  const FakeS3 s3;
  const DatabaseAddress address = PostgresServer::get().new_database();
  BoardUnderTest first(address, s3);
  BoardUnderTest second(address, s3);
  BoardUnderTest third(address, s3);
  for (BoardUnderTest* board : {&first, &second, &third}) {
    ASSERT_TRUE(eventually([&] { return board->ready(); }));
  }
  EXPECT_EQ(first.post_message("a", "b").status, 200);
  EXPECT_EQ(second.get("/message/1").body, R"({"author":"a","body":"b","id":1})");
  EXPECT_EQ(third.get("/message/1").status, 200);
}

TEST(BoardDatabase, ABoardStartsBeforeItsDatabase) {
  const FakeS3 s3;
  PostgresServer& postgres = PostgresServer::get();
  const DatabaseAddress address = postgres.new_database();
  postgres.kill();
  BoardUnderTest board(address, s3);
  EXPECT_EQ(board.get("/").status, 200);
  const Asked refused = board.post_message("a", "b");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body, R"({"detail":"The database is not available, try again later"})");
  EXPECT_EQ(board.get("/messages/").status, 503);
  EXPECT_EQ(board.upload("a.png", "\x89PNG\r\n\x1a\n").status, 415);
  postgres.start();
  EXPECT_TRUE(eventually([&] { return board.post_message("a", "b").status == 200; }));
}

// Whatever was answered 200 is there afterwards; nothing hangs, nothing is answered 500.
TEST(BoardDatabase, NoAcknowledgedMessageIsLostWhenItIsKilled) {
  const FakeS3 s3;
  PostgresServer& postgres = PostgresServer::get();
  const DatabaseAddress address = postgres.new_database();
  BoardUnderTest board(address, s3);
  ASSERT_TRUE(eventually([&] { return board.ready(); }));
  std::mutex mutex;
  std::set<std::string> acknowledged;
  std::atomic<std::size_t> after_restart = 0;
  std::atomic<bool> restarted = false;
  std::atomic<bool> stop = false;
  std::atomic<std::size_t> odd = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; !stop; ++i) {
        const std::string body = std::to_string(writer) + "/" + std::to_string(i);
        const Asked asked = board.post_message("writer", body);
        if (asked.status == 200) {
          const std::lock_guard lock(mutex);
          acknowledged.insert(body);
          if (restarted) ++after_restart;
        } else if (asked.status != 503) {
          ++odd;
        }
      }
    });
  }
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return acknowledged.size();
  };
  EXPECT_TRUE(eventually([&] { return count() > 200; }));
  postgres.kill();
  postgres.start();
  restarted = true;
  EXPECT_TRUE(eventually([&] { return after_restart > 100; }));
  stop = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(odd, 0u);
  for (const std::string& body : acknowledged) {
    EXPECT_EQ(postgres.query(address, "SELECT count(*) FROM messages WHERE body = '" + body + "'"),
              "1");
  }
}

// One statement that the database refuses takes nothing else down with it.
TEST(BoardDatabase, AFailingWriteFailsAlone) {
  const FakeS3 s3;
  PostgresServer& postgres = PostgresServer::get();
  const DatabaseAddress address = postgres.new_database();
  BoardUnderTest board(address, s3);
  ASSERT_TRUE(eventually([&] { return board.ready(); }));
  postgres.query(address,
                 "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                 "IF NEW.author = 'poison' THEN RAISE 'refused'; END IF; RETURN NEW; END $$; "
                 "CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION "
                 "refuse()");
  std::atomic<std::size_t> good = 0;
  std::atomic<std::size_t> bad = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 6; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 50; ++i) {
        const bool poison = writer == 0;
        const Asked asked = board.post_message(poison ? "poison" : "ann", "b");
        if (poison ? asked.status == 500 : asked.status == 200) {
          ++(poison ? bad : good);
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(good, 250u);
  EXPECT_EQ(bad, 50u);
  EXPECT_EQ(postgres.query(address, "SELECT count(*) FROM messages"), "250");
}

TEST(BoardDatabase, TablesThatVanishAreMadeAgain) {
  const FakeS3 s3;
  PostgresServer& postgres = PostgresServer::get();
  const DatabaseAddress address = postgres.new_database();
  BoardUnderTest board(address, s3);
  ASSERT_TRUE(eventually([&] { return board.ready(); }));
  postgres.query(address, "DROP TABLE messages");
  EXPECT_TRUE(eventually([&] { return board.post_message("a", "b").status == 200; }));
}

TEST(BoardDatabase, AnEndedSessionIsReplacedUnnoticed) {
  const FakeS3 s3;
  PostgresServer& postgres = PostgresServer::get();
  const DatabaseAddress address = postgres.new_database();
  BoardUnderTest board(address, s3);
  ASSERT_TRUE(eventually([&] { return board.ready(); }));
  EXPECT_EQ(board.post_message("a", "b").status, 200);
  postgres.query(address,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
                 "'messageboard' AND datname = current_database()");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(board.get("/message/1").status, 200);
}

}  // namespace
}  // namespace messageboard
