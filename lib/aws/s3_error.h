// S3's error answers as our Result. Used by s3_client.cpp only. Pure.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace aws {

// The text of the first <name> element, entities decoded; empty when there is none.
std::string xml_text(std::string_view xml, std::string_view name);

// What an answer that is not 2xx means: kind by status and code, the code in Error::fields.
base::Error s3_error(int status, std::string_view body);

// Whether S3's clients may send the same again.
bool may_be_sent_again(const base::Error& error);

}  // namespace aws
