// Where a picture lies and how it fares: the rules shared by uploads, reads and the sweeper.
//
// A picture has one key in both buckets. The function that anonymises it writes the processed
// object, or, when it refuses the picture for good, a marker `failed/<key>` beside the raw one. A
// processed object counts whatever else is there.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "messageboard/api/config.h"
#include "messageboard/api/picture.h"
#include "messageboard/api/types.h"
#include "messageboard/api/worker.h"

namespace messageboard {

// "pictures/<uuid>.jpg": no two uploads share a key, and nothing of the client's is in it.
std::string new_picture_key(base::Random& random, PictureFormat format);
std::string failure_marker(std::string_view key);

// The address of an object for a browser: below Config::picture_url; else bucket.s3.amazonaws.com
// as the original wrote it, or below the endpoint that overrides AWS's.
std::string picture_url(const Config& config, std::string_view bucket, std::string_view key);

std::optional<ImageStatus> parse_status(std::string_view text);

// Asks S3 how the picture fares now. Unknown answers leave it as it is: pending.
runtime::Task<base::Result<ImageStatus>> look_up(Worker& worker, std::string key,
                                                 base::Timestamp deadline);

// How long to wait before looking again: often while a person may be watching.
base::Duration pause_before_look(base::Duration age);

}  // namespace messageboard
