// Compressed request bodies (Content-Encoding: gzip), bounded. Pure.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::wire {

// TooLarge when more than bytes_max bytes come out.
base::Result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max);

}  // namespace terrarium::wire
