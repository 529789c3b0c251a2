// The OpenAPI 3.0.2 document as FastAPI writes it: its titles, operation identifiers and names of
// generated schemas, so that clients generated from the original's document stay right.
#pragma once

#include <string>
#include <vector>

#include "messageboard/api/describe.h"

namespace messageboard {

std::string openapi_document(const std::vector<OperationDescription>& operations);

}  // namespace messageboard
