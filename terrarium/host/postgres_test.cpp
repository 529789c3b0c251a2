#include "terrarium/host/postgres.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "lib/runtime/event.h"
#include "lib/runtime/process.h"
#include "lib/runtime/runtime.h"

namespace terrarium::host {
namespace {

using runtime::Task;
using namespace std::chrono_literals;

class PostgresTest : public testing::Test {
 protected:
  PostgresTest() {
    char name[] = "/tmp/postgres-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    ::chmod(folder_.c_str(), 0755);  // the server's user passes through
    runtime_.start();
    keeper_.emplace(runtime_.control(), clock_, folder_);
    postgres_.emplace(runtime_.control(), clock_, random_, *keeper_, folder_);
  }
  ~PostgresTest() override {
    runtime::run_and_wait(runtime_.control(), keeper_->stop_all());
    runtime_.stop();
    std::filesystem::remove_all(folder_);
  }

  Task<void> create_into(std::string name, base::Result<Database>& made) {
    made = co_await postgres_->create_database(std::move(name), clock_.now() + 60s);
  }
  base::Result<Database> create(std::string name) {
    base::Result<Database> made;
    runtime::run_and_wait(runtime_.control(), create_into(std::move(name), made));
    return made;
  }

  // psql's exit code for a statement, connected as the database's owner with its password.
  Task<void> psql_into(Database database, std::string statement, int& code) {
    runtime::SpawnOptions options;
    options.argv = {"/usr/bin/psql",
                    "-X",
                    "-q",
                    "-h",
                    "127.0.0.1",
                    "-p",
                    std::to_string(database.port),
                    "-U",
                    database.user,
                    "-d",
                    database.name,
                    "-c",
                    std::move(statement)};
    options.env = {{"PGPASSWORD", database.password}, {"PATH", "/usr/bin:/bin"}};
    auto process = runtime::Process::spawn(runtime_.control(), std::move(options));
    if (!process) co_return;
    const auto exit = co_await (*process)->wait_until(clock_, clock_.now() + 20s);
    if (exit) code = exit->signal != 0 ? 128 : exit->code;
  }
  int psql(const Database& database, const std::string& statement) {
    int code = -1;
    runtime::run_and_wait(runtime_.control(), psql_into(database, statement, code));
    return code;
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  runtime::Runtime runtime_{1, 1};
  std::filesystem::path folder_;
  std::optional<ProgramKeeper> keeper_;
  std::optional<Postgres> postgres_;
};

TEST_F(PostgresTest, ADatabaseIsMadeOnceKeepsItsPasswordAndSurvivesKill9) {
  const auto made = create("board");
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  EXPECT_EQ(psql(*made, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)"), 0);
  Database wrong = *made;
  wrong.password = "wrong";
  EXPECT_NE(psql(wrong, "SELECT 1"), 0);

  const int pid = keeper_->status().at(0).pid;
  ::kill(pid, SIGKILL);
  const auto again = create("board");
  ASSERT_TRUE(again.has_value()) << base::describe(again.error());
  EXPECT_EQ(again->password, made->password);
  EXPECT_EQ(again->port, made->port);
  EXPECT_EQ(psql(*again, "SELECT 1 / count(*) FROM kept"), 0);
}

TEST_F(PostgresTest, ANameThatCouldCarrySqlIsRefused) {
  for (const char* const name : {"", "Board", "a b", "a;drop", "1a", "a'b"}) {
    const auto made = create(name);
    ASSERT_FALSE(made.has_value()) << name;
    EXPECT_EQ(made.error().kind, base::ErrorKind::InvalidInput);
  }
}

}  // namespace
}  // namespace terrarium::host
