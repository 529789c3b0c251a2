// What the region's own components ask of CloudWatch Logs: to keep a line. Lambda writes its
// functions' logs here.
//
// Control executor only. Never waits: lines are gathered and written together in the next turn of
// the loop; when more than a bound has gathered they are written at once.
#pragma once

#include <string>

#include "lib/base/clock.h"

namespace terrarium::logs {

struct Line {
  std::string region;
  std::string group;  // made on demand, as is the stream
  std::string stream;
  base::Timestamp time;
  std::string message;  // bytes that are no UTF-8 are replaced; too long a message is split
};

class Api {
 public:
  virtual ~Api() = default;
  virtual void append(Line line) = 0;
};

}  // namespace terrarium::logs
