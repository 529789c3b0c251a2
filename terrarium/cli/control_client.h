// The commands' side of the daemon's control interface (region/control.h).
#pragma once

#include <boost/json.hpp>

#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/cli/options.h"

namespace terrarium::cli {

// One call to /_terrarium/<path> with the state folder's token; the answer's JSON. Blocks, at most
// for `patience`. No daemon: Unavailable. A refusal comes as the daemon worded it.
base::Result<boost::json::value> call_control(const Options& options, const std::string& method,
                                              const std::string& path,
                                              const boost::json::value& body,
                                              base::Duration patience);

// Whether a daemon of ours answers on the port.
bool daemon_answers(const Options& options);

}  // namespace terrarium::cli
