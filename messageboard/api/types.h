// The API's types. Parsing, answers and the OpenAPI document all follow from these descriptions:
// a member added here appears in all three.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace messageboard {

struct HealthCheckResponse {
  bool is_healthy = true;
};
BOOST_DESCRIBE_STRUCT(HealthCheckResponse, (), (is_healthy))

struct MessageCreate {
  std::string author;
  std::string body;
};
BOOST_DESCRIBE_STRUCT(MessageCreate, (), (author, body))

struct Message {
  std::string author;
  std::string body;
  std::int64_t id = 0;
};
BOOST_DESCRIBE_STRUCT(Message, (), (author, body, id))

// Enumerators are named as they are printed and stored.
enum class ImageStatus : std::uint8_t { pending, processed, failed };
BOOST_DESCRIBE_ENUM(ImageStatus, pending, processed, failed)

struct Image {
  std::string filename;
  std::string raw_img_src;
  std::string processed_img_src;
  std::int64_t id = 0;
  ImageStatus status = ImageStatus::pending;
};
BOOST_DESCRIBE_STRUCT(Image, (), (filename, raw_img_src, processed_img_src, id, status))

struct LoadBalancerTestResponse {
  std::optional<std::string> trace_id;
  std::string instance_id;
};
BOOST_DESCRIBE_STRUCT(LoadBalancerTestResponse, (), (trace_id, instance_id))

}  // namespace messageboard
