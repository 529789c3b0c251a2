// Receives the file of a form upload as FastAPI does, with limits: the last part with the field's
// name counts; what is not there, is text, or is not multipart gets FastAPI's answer.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "lib/http/server.h"
#include "lib/runtime/task.h"
#include "messageboard/api/answer.h"
#include "messageboard/api/upload_budget.h"
#include "messageboard/api/validation.h"

namespace messageboard {

inline constexpr std::size_t kFileBytesMax = std::size_t{20} * 1024 * 1024;

struct Upload {
  std::string filename;  // the client's, fit to be shown
  std::string bytes;
  UploadLease lease;
};

// `field` lives as long as the program.
runtime::Task<std::variant<Upload, Problem, Refusal>> receive_upload(http::Request& request,
                                                                     std::string_view field,
                                                                     UploadBudget& budget);

// A file name without control characters and text-direction overrides, cut to 255 characters.
std::string displayable(std::string_view filename);

}  // namespace messageboard
