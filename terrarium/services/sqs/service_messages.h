// What the parts of the service share about messages. Part of service.h.
#pragma once

#include <string>
#include <vector>

#include "terrarium/services/sqs/service.h"

namespace terrarium::sqs {

// A message whose visibility is about to change, and what it becomes.
struct Service::Visibility {
  std::uint64_t sequence = 0;
  IndexRecord record;
};

// What a receive asks for.
struct Service::Wish {
  std::size_t max = 1;
  std::chrono::seconds visibility{};
  base::Timestamp until;                   // waits so long for the first message
  std::string attempt_id;                  // of FIFO queues; empty: none
  const http::Presence* client = nullptr;  // who waits; null for calls inside the region
};

// QueueDoesNotExist, in the words of the caller's protocol.
std::unexpected<base::Error> no_queue(const wire::Context& context);

// AWS's SenderId: the unique id of a user or session, the account of its root, the address of
// somebody unknown.
std::string sender_id_of(const wire::Context& context);

// The system attributes of a message that has been received.
std::map<std::string, std::string> system_attributes_of(const Taken& taken, bool fifo);

BatchResultErrorEntry failed_entry(std::string id, const base::Error& error);

template <class Entry>
std::vector<std::string_view> ids_of(const std::vector<Entry>& entries) {
  std::vector<std::string_view> ids;
  for (const Entry& entry : entries) ids.push_back(entry.id);
  return ids;
}

// A list that is not there when nothing is in it.
template <class Entry>
void add_to(std::optional<std::vector<Entry>>& list, Entry entry) {
  if (!list.has_value()) list.emplace();
  list->push_back(std::move(entry));
}

}  // namespace terrarium::sqs
