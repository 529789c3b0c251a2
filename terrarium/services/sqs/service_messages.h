// What the parts of the service share about messages. Part of service.h.
#pragma once

#include <string>

#include "terrarium/services/sqs/service.h"

namespace terrarium::sqs {

// A message whose visibility is about to change, and what it becomes.
struct Service::Visibility {
  std::uint64_t sequence = 0;
  IndexRecord record;
};

// AWS's SenderId: the unique id of a user or session, the account of its root, the address of
// somebody unknown.
std::string sender_id_of(const wire::Context& context);

// The system attributes of a message that has been received.
std::map<std::string, std::string> system_attributes_of(const Taken& taken);

}  // namespace terrarium::sqs
