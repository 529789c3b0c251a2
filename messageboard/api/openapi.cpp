#include "messageboard/api/openapi.h"

#include <fmt/core.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <map>

namespace messageboard {
namespace {

namespace json = boost::json;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

// "message_id" -> "Message Id", as str.title() does after replacing underscores.
std::string title(std::string_view name) {
  std::string text(name);
  bool in_word = false;
  for (char& c : text) {
    if (c == '_') c = ' ';
    c = static_cast<char>(in_word ? std::tolower(c) : std::toupper(c));
    in_word = is_letter(c);
  }
  return text;
}

std::string operation_id(const OperationDescription& operation) {
  std::string path = operation.path;
  for (char& c : path) {
    if (!is_letter(c) && !std::isdigit(static_cast<unsigned char>(c))) c = '_';
  }
  return fmt::format("{}{}_{}", operation.function, path, operation.method);
}

json::object reference(std::string_view schema) {
  return {{"$ref", fmt::format("#/components/schemas/{}", schema)}};
}

json::object content(std::string_view media_type, json::object schema) {
  return {{media_type, json::object{{"schema", std::move(schema)}}}};
}

json::object object_schema(const TypeDescription& type) {
  json::array required;
  json::object properties;
  for (const FieldDescription& field : type.fields) {
    if (field.required) required.emplace_back(field.name);
    json::object schema{{"title", title(field.name)}};
    if (!field.choices.empty()) {
      schema["enum"] = json::array(field.choices.begin(), field.choices.end());
    }
    schema["type"] = field.type;
    properties[field.name] = std::move(schema);
  }
  return {{"title", type.name},
          {"required", std::move(required)},
          {"type", "object"},
          {"properties", std::move(properties)}};
}

using Schemas = std::map<std::string, json::object>;

void add_error_schemas(Schemas& schemas) {
  schemas["ValidationError"] = json::parse(R"({
      "title": "ValidationError", "required": ["loc", "msg", "type"], "type": "object",
      "properties": {
        "loc": {"title": "Location", "type": "array",
                "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
        "msg": {"title": "Message", "type": "string"},
        "type": {"title": "Error Type", "type": "string"}}})")
                                   .as_object();
  schemas["HTTPValidationError"] = json::parse(R"({
      "title": "HTTPValidationError", "type": "object",
      "properties": {"detail": {"title": "Detail", "type": "array",
                     "items": {"$ref": "#/components/schemas/ValidationError"}}}})")
                                       .as_object();
}

json::array parameters(const OperationDescription& operation) {
  json::array list;
  for (const ParameterDescription& parameter : operation.parameters) {
    json::object schema{{"title", title(parameter.name)}, {"type", parameter.type}};
    if (parameter.default_value) schema["default"] = *parameter.default_value;
    list.push_back(json::object{{"required", parameter.required},
                                {"schema", std::move(schema)},
                                {"name", parameter.name},
                                {"in", parameter.in}});
  }
  return list;
}

json::object request_body(const OperationDescription& operation, Schemas& schemas) {
  if (operation.body) {
    schemas[operation.body->name] = object_schema(*operation.body);
    return {{"content", content("application/json", reference(operation.body->name))},
            {"required", true}};
  }
  const std::string name = "Body_" + operation_id(operation);
  const std::string& field = operation.file_field;
  schemas[name] =
      json::object{{"title", name},
                   {"required", json::array{field}},
                   {"type", "object"},
                   {"properties", json::object{{field, json::object{{"title", title(field)},
                                                                    {"type", "string"},
                                                                    {"format", "binary"}}}}}};
  return {{"content", content("multipart/form-data", reference(name))}, {"required", true}};
}

json::object responses(const OperationDescription& operation, bool validates) {
  json::object schema = reference(operation.answer.name);
  if (operation.answers_list) {
    schema = json::object{{"title", "Response " + title(operation_id(operation))},
                          {"type", "array"},
                          {"items", std::move(schema)}};
  }
  json::object answers{
      {"200", json::object{{"description", "Successful Response"},
                           {"content", content("application/json", std::move(schema))}}}};
  if (validates) {
    answers["422"] =
        json::object{{"description", "Validation Error"},
                     {"content", content("application/json", reference("HTTPValidationError"))}};
  }
  return answers;
}

json::object describe(const OperationDescription& operation, Schemas& schemas) {
  schemas[operation.answer.name] = object_schema(operation.answer);
  const bool has_body = operation.body || !operation.file_field.empty();
  const bool validates = has_body || !operation.parameters.empty();
  json::object described{{"summary", title(operation.function)},
                         {"operationId", operation_id(operation)}};
  if (!operation.parameters.empty()) described["parameters"] = parameters(operation);
  if (has_body) described["requestBody"] = request_body(operation, schemas);
  if (validates) add_error_schemas(schemas);
  described["responses"] = responses(operation, validates);
  return described;
}

}  // namespace

std::string openapi_document(const std::vector<OperationDescription>& operations) {
  json::object paths;
  Schemas schemas;
  for (const OperationDescription& operation : operations) {
    auto& path = paths[operation.path];
    if (path.is_null()) path = json::object();
    path.as_object()[operation.method] = describe(operation, schemas);
  }
  json::object components;
  for (auto& [name, schema] : schemas) components[name] = std::move(schema);
  const json::object document{{"openapi", "3.0.2"},
                              {"info", json::object{{"title", "FastAPI"}, {"version", "0.1.0"}}},
                              {"paths", std::move(paths)},
                              {"components", json::object{{"schemas", std::move(components)}}}};
  return json::serialize(document);
}

}  // namespace messageboard
