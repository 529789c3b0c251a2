#include <fmt/core.h>

#include "lib/base/log.h"
#include "messageboard/api/handlers.h"

namespace messageboard {
namespace {

using runtime::Task;

Message message_of(const Rows& rows, std::size_t row) {
  return {.author = std::string(rows.text(row, 1)),
          .body = std::string(rows.text(row, 2)),
          .id = rows.integer(row, 0)};
}

std::vector<Message> messages_of(const Rows& rows) {
  std::vector<Message> messages;
  messages.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) messages.push_back(message_of(rows, row));
  return messages;
}

// The trace id goes into a log line: what would break the line is shown as an escape.
std::string quoted_for_log(const std::optional<std::string>& trace_id) {
  constexpr std::size_t kShown = 200;
  std::string shown;
  for (const char c : trace_id.value_or("None").substr(0, kShown)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      shown += c;
    }
  }
  return shown;
}

}  // namespace

Task<Answer<HealthCheckResponse>> health_check(Worker&) { co_return HealthCheckResponse{}; }

Task<Answer<Message>> create_message(Worker& worker, Body<MessageCreate> message) {
  std::string& author = message.value.author;
  std::string& body = message.value.body;
  auto rows = co_await worker.database.run(Statement::InsertMessage, {author, body});
  if (!rows) co_return refuse(rows.error());
  co_return Message{
      .author = std::move(author), .body = std::move(body), .id = rows->integer(0, 0)};
}

Task<Answer<std::vector<Message>>> read_messages(Worker& worker, Skip skip, Limit limit) {
  auto rows = co_await worker.database.run(
      Statement::ReadMessages, {std::to_string(skip.value), std::to_string(limit.value)});
  if (!rows) co_return refuse(rows.error());
  co_return messages_of(*rows);
}

Task<Answer<Message>> read_message(Worker& worker, Path<"message_id"> message_id) {
  auto rows =
      co_await worker.database.run(Statement::ReadMessage, {std::to_string(message_id.value)});
  if (!rows) co_return refuse(rows.error());
  if (rows->size() == 0) co_return refuse(404, "Message not found");
  co_return message_of(*rows, 0);
}

Task<Answer<std::vector<Message>>> recent_messages(Worker& worker, Before before,
                                                   BoardLimit limit) {
  auto rows = co_await worker.database.run(
      Statement::RecentMessages, {std::to_string(before.value), std::to_string(limit.value)});
  if (!rows) co_return refuse(rows.error());
  co_return messages_of(*rows);
}

Task<Answer<LoadBalancerTestResponse>> test_load_balancer(Worker& worker,
                                                          TextQuery<"trace_id"> trace_id) {
  base::log::info("board", "Received request with trace ID: \"{}\"",
                  quoted_for_log(trace_id.value));
  co_return LoadBalancerTestResponse{.trace_id = std::move(trace_id.value),
                                     .instance_id = worker.shared.instance_id.get()};
}

}  // namespace messageboard
