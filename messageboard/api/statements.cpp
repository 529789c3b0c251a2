#include "messageboard/api/statements.h"

namespace messageboard {
namespace {

constexpr std::array<StatementText, kStatementCount> kTexts = {{
    {"insert_message", "INSERT INTO messages (author, body) VALUES ($1, $2) RETURNING id", true},
    {"read_message", "SELECT id, author, body FROM messages WHERE id = $1::bigint", false},
    {"read_messages", "SELECT id, author, body FROM messages ORDER BY id OFFSET $1 LIMIT $2",
     false},
    {"recent_messages",
     "SELECT id, author, body FROM messages WHERE id < $1::bigint ORDER BY id DESC LIMIT $2",
     false},
    {"insert_image", "INSERT INTO images (filename, object_key) VALUES ($1, $2) RETURNING id",
     true},
    {"read_image", "SELECT id, filename, object_key, status FROM images WHERE id = $1::bigint",
     false},
    {"read_images",
     "SELECT id, filename, object_key, status FROM images ORDER BY id OFFSET $1 LIMIT $2", false},
    {"recent_images",
     "SELECT id, filename, object_key, status FROM images WHERE id < $1::bigint ORDER BY id DESC "
     "LIMIT $2",
     false},
    {"unfinished_images",
     "SELECT id, object_key, status, extract(epoch FROM now() - created_at)::bigint FROM images "
     "WHERE status <> 'processed' AND (status = 'pending' OR $3::boolean) AND id > $1::bigint "
     "ORDER BY id LIMIT $2",
     false},
    // Nothing undoes "processed": the anonymised picture is there for good.
    {"set_image_status",
     "UPDATE images SET status = $2 WHERE id = $1::bigint AND status NOT IN ('processed', $2)",
     true},
}};

}  // namespace

const StatementText& text_of(Statement statement) {
  return kTexts[static_cast<std::size_t>(statement)];
}

const std::array<StatementText, kStatementCount>& statement_texts() { return kTexts; }

const char* const kTablesExistSql =
    "SELECT to_regclass('messages') IS NOT NULL AND to_regclass('images') IS NOT NULL "
    "AND to_regclass('images_unfinished') IS NOT NULL";

// CREATE TABLE IF NOT EXISTS alone fails with a duplicate key when two sessions run it at once:
// hence the lock, released by the commit. The number is "board" in ASCII.
const char* const kCreateTablesSql = R"(
SELECT pg_advisory_xact_lock(422775452260);
CREATE TABLE IF NOT EXISTS messages (
  id serial PRIMARY KEY,
  author text NOT NULL,
  body text NOT NULL
);
CREATE TABLE IF NOT EXISTS images (
  id serial PRIMARY KEY,
  filename text NOT NULL,
  object_key text NOT NULL UNIQUE,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processed', 'failed')),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS images_unfinished ON images (id) WHERE status <> 'processed';
)";

}  // namespace messageboard
