// A board in this process, and a client that asks it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/http/headers.h"
#include "lib/runtime/runtime.h"
#include "messageboard/api/board.h"
#include "messageboard/api/integration/fake_s3.h"

namespace messageboard {

struct Asked {
  int status = 0;  // 0: no answer
  http::Headers headers;
  std::string body;
};

class BoardUnderTest {
 public:
  BoardUnderTest(const DatabaseAddress& database, const FakeS3& s3);
  ~BoardUnderTest();
  BoardUnderTest(const BoardUnderTest&) = delete;
  BoardUnderTest& operator=(const BoardUnderTest&) = delete;

  Asked get(const std::string& target) { return ask("GET", target, {}, ""); }
  Asked post_message(const std::string& author, const std::string& body);
  Asked upload(const std::string& filename, const std::string& bytes);
  Asked ask(const std::string& method, const std::string& target,
            const std::vector<std::pair<std::string, std::string>>& headers,
            const std::string& body);
  // Whether the board has its database.
  // Every thread of it: each has a database connection of its own, each request comes by another.
  bool ready() {
    for (int asked = 0; asked < 16; ++asked) {
      if (get("/messages/?limit=0").status != 200) return false;
    }
    return true;
  }

 private:
  base::SystemClock clock_;
  base::SystemRandom random_;
  runtime::Runtime runtime_;
  std::unique_ptr<Board> board_;
  std::uint16_t port_ = 0;
};

// Tries until it is true, for 20 seconds at most.
bool eventually(const std::function<bool()>& predicate);

// A member of a JSON object, as text.
std::string field(const std::string& json, const std::string& name);

}  // namespace messageboard
