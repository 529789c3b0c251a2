// What tools/modelgen writes for each service: descriptors of shapes, members and operations that
// one small generic codec per protocol walks. Nothing is parsed or printed by hand.
//
// A generated struct has one field per member of the AWS shape, named in snake_case: plain T when
// the model requires the member, std::optional<T> otherwise, std::shared_ptr<T> for a structure
// that holds itself. string and enum -> std::string, blob ->
// std::string (bytes), integer -> std::int32_t, long -> std::int64_t, float/double -> double,
// boolean -> bool, timestamp -> base::Timestamp, list -> std::vector, map -> std::map<std::string,
// T>. A streaming blob (S3 bodies) is a Body.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/http/body.h"

namespace terrarium::wire {

// A streamed blob. In a request it is left empty: Context::body is the stream. In an answer the
// service puts the source here.
struct Body {
  std::unique_ptr<http::BodyReader> source;
};

// The input or output of an operation that has none in the model.
struct Empty {};

enum class Protocol : std::uint8_t { Query, Ec2, Json10, Json11, RestJson, RestXml };

enum class Kind : std::uint8_t {
  Structure,
  List,
  Map,
  String,
  Blob,
  Body,
  Integer,
  Long,
  Double,
  Boolean,
  Timestamp,
};

enum class Location : std::uint8_t { Body, Header, Headers, Uri, QueryString, StatusCode, Payload };

enum class TimestampFormat : std::uint8_t { Default, Iso8601, UnixSeconds, HttpDate };

struct Shape;

// Accessors are generated captureless functions, so that the codecs stay free of templates.
struct Member {
  std::string_view name;         // the model's member name: JSON key, unless wire_name says other
  std::string_view wire_name;    // locationName, or name; of a flattened list its elements' name
  std::string_view ec2_name;     // EC2's requests: "Filter" of what answers call "filterSet"
  const Shape* shape = nullptr;  //
  Location location = Location::Body;
  bool required = false;
  bool xml_attribute = false;
  std::string_view xml_namespace_prefix;  // of an attribute such as xsi:type
  std::string_view xml_namespace_uri;
  TimestampFormat timestamp_format = TimestampFormat::Default;
  // The member's value, or null when an optional is empty.
  const void* (*get)(const void* structure) = nullptr;
  // The member's value, made when an optional is empty.
  void* (*ensure)(void* structure) = nullptr;
};

struct Shape {
  std::string_view name;
  Kind kind = Kind::Structure;
  // Structure.
  std::span<const Member> members;
  std::string_view payload;   // member that is the whole body (REST)
  std::string_view xml_root;  // root element and namespace of an XML payload
  std::string_view xml_namespace;
  bool unwrapped = false;  // an XML answer whose root is the only member itself
  // List and Map.
  const Shape* element = nullptr;  // map: the value
  const Shape* key = nullptr;
  std::string_view element_name;  // locationName of a list's member or a map's value
  std::string_view key_name;
  bool flattened = false;
  std::size_t (*size)(const void* container) = nullptr;
  const void* (*at)(const void* list, std::size_t index) = nullptr;
  void* (*append)(void* list) = nullptr;
  void* (*insert)(void* map, std::string key) = nullptr;
  void (*for_each)(const void* map, void* context,
                   void (*visit)(void* context, std::string_view key, const void* value)) = nullptr;
  // Constraints: of a number's value, a text's bytes or a container's size. At their defaults the
  // model gives none, or the service has no validation_code.
  std::int64_t min = INT64_MIN;
  std::int64_t max = INT64_MAX;
  std::span<const std::string_view> enum_values;  // empty: any string
};

struct OperationModel {
  std::string_view name;         // "CreateQueue"
  std::string_view http_method;  // "POST"
  std::string_view uri;          // REST template: "/{Bucket}/{Key+}?acl"
  int http_status = 200;
  const Shape* input = nullptr;   // null: none
  const Shape* output = nullptr;  //
  std::shared_ptr<void> (*make_input)() = nullptr;
  std::string_view result_wrapper;
  bool streaming_input = false;    // Context::body carries the body
  bool checksum_required = false;  // refused without Content-MD5 or x-amz-checksum-*
  // x-amz-checksum-* speak of the request's body, not (CompleteMultipartUpload) of the object.
  bool checksum_of_body = true;
};

struct ServiceModel {
  std::string_view name;           // folder: "sqs"
  std::string_view signing_name;   // credential scope: "sqs"
  std::string_view api_version;    // "2012-11-05"
  std::string_view target_prefix;  // "AmazonSQS", for JSON protocols
  std::string_view xml_namespace;
  std::string_view error_namespace;  // "com.amazonaws.sqs": before '#' in a JSON error's __type
  // The code with which a violated constraint of the model is answered; empty: the service checks
  // values itself, and the wire layer only what is missing.
  std::string_view validation_code;
  std::size_t request_bytes_max = 16 * 1024 * 1024;  // of a body that does not stream
  // Query keys that choose an operation ("acl", "uploads"), of the service's whole model: a request
  // that carries one which the chosen operation does not take meant another operation.
  std::span<const std::string_view> sub_resources;
  std::span<const Protocol> protocols;
  std::span<const OperationModel> operations;
};

}  // namespace terrarium::wire
