// What the API does, one function a route. Names and signatures appear in the OpenAPI document.
#pragma once

#include <limits>
#include <vector>

#include "messageboard/api/parameters.h"

namespace messageboard {

inline constexpr std::int64_t kAnyNumber = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kPageMax = 1000;

using Skip = Query<"skip", 0, 0, kAnyNumber>;
using Limit = Query<"limit", 100, 0, kPageMax>;
using Before = Query<"before", kAnyNumber, 0, kAnyNumber>;
using BoardLimit = Query<"limit", 20, 1, 100>;

runtime::Task<Answer<HealthCheckResponse>> health_check(Worker& worker);

runtime::Task<Answer<Message>> create_message(Worker& worker, Body<MessageCreate> message);
runtime::Task<Answer<std::vector<Message>>> read_messages(Worker& worker, Skip skip, Limit limit);
runtime::Task<Answer<Message>> read_message(Worker& worker, Path<"message_id"> message_id);

runtime::Task<Answer<LoadBalancerTestResponse>> test_load_balancer(Worker& worker,
                                                                   TextQuery<"trace_id"> trace_id);

runtime::Task<Answer<Image>> upload_and_create_image(Worker& worker, File<"file"> file);
runtime::Task<Answer<std::vector<Image>>> read_images(Worker& worker, Skip skip, Limit limit);
runtime::Task<Answer<Image>> read_image(Worker& worker, Path<"image_id"> image_id);

// For the web page: newest first, from below an identifier on, so that pages stay stable while
// others post.
runtime::Task<Answer<std::vector<Message>>> recent_messages(Worker& worker, Before before,
                                                            BoardLimit limit);
runtime::Task<Answer<std::vector<Image>>> recent_images(Worker& worker, Before before,
                                                        BoardLimit limit);

}  // namespace messageboard
