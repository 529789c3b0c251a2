// Every SQL text of the board: the tables, and the statements prepared on each connection.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace messageboard {

enum class Statement : std::uint8_t {
  InsertMessage,     // author, body -> id
  ReadMessage,       // id -> id, author, body
  ReadMessages,      // offset, limit -> the same, oldest first
  RecentMessages,    // below which id, limit -> the same, newest first
  InsertImage,       // filename, object key -> id
  ReadImage,         // id -> id, filename, object key, status
  ReadImages,        // offset, limit -> the same, oldest first
  RecentImages,      // below which id, limit -> the same, newest first
  UnfinishedImages,  // above which id, limit, failed too -> id, object key, status, age (s)
  SetImageStatus,    // id, status -> nothing
};
inline constexpr std::size_t kStatementCount = 10;

struct StatementText {
  const char* name;
  const char* sql;
  bool writes;
};
const StatementText& text_of(Statement statement);
const std::array<StatementText, kStatementCount>& statement_texts();

// One row, one column: whether the tables are there.
extern const char* const kTablesExistSql;
// Several statements, one transaction. Instances that start at the same moment take turns.
extern const char* const kCreateTablesSql;

}  // namespace messageboard
