"""The C++ text of a service."""

import json

import model
from names import pascal, snake

_NOTICE = "// Made by tools/modelgen from the service's model, operations.txt and amendments.json.\n"

_KINDS = {
    "structure": "Structure",
    "list": "List",
    "map": "Map",
    "string": "String",
    "character": "String",
    "blob": "Blob",
    "integer": "Integer",
    "long": "Long",
    "float": "Double",
    "double": "Double",
    "boolean": "Boolean",
    "timestamp": "Timestamp",
}

_SCALARS = {
    "String": "std::string",
    "Blob": "std::string",
    "Body": "wire::Body",
    "Integer": "std::int32_t",
    "Long": "std::int64_t",
    "Double": "double",
    "Boolean": "bool",
    "Timestamp": "base::Timestamp",
}

_PROTOCOLS = {
    "query": "Query",
    "ec2": "Ec2",
    "json1.0": "Json10",
    "json1.1": "Json11",
    "rest-json": "RestJson",
    "rest-xml": "RestXml",
}

_LOCATIONS = {
    "header": "Header",
    "headers": "Headers",
    "uri": "Uri",
    "querystring": "QueryString",
    "statusCode": "StatusCode",
}

_FORMATS = {"iso8601": "Iso8601", "unixTimestamp": "UnixSeconds", "rfc822": "HttpDate"}


def quote(text):
    return json.dumps(text)


def texts(service):
    return {
        "model.h": model_header(service),
        "model.cpp": Descriptors(service).text(),
        "errors.h": errors_header(service),
        "dispatch.h": dispatch_header(service),
        "permissions.h": permissions_header(service),
    }


def ec2_name(name, member):
    """A member's name in a request of the EC2 protocol, which differs from that in an answer."""
    location = member.get("locationName", name)
    return member.get("queryName", location[:1].upper() + location[1:])


def is_body(service, member):
    shape = service.shapes[member["shape"]]
    return shape["type"] == "blob" and (member.get("streaming") or shape.get("streaming"))


def cpp_type(service, shape_name):
    shape = service.shapes[shape_name]
    kind = _KINDS[shape["type"]]
    if kind == "Structure":
        return shape_name
    if kind == "List":
        return f"std::vector<{cpp_type(service, shape['member']['shape'])}>"
    if kind == "Map":
        return f"std::map<std::string, {cpp_type(service, shape['value']['shape'])}>"
    return _SCALARS[kind]


def field_type(service, structure, name, member):
    if is_body(service, member):
        return _SCALARS["Body"]
    inner = cpp_type(service, member["shape"])
    if model.holds_itself(service.shapes, structure, member["shape"]):
        return f"std::shared_ptr<{inner}>"  # a structure within itself
    required = name in service.shapes[structure].get("required", [])
    return inner if required else f"std::optional<{inner}>"


def model_header(service):
    lines = [_NOTICE, "#pragma once\n"]
    for header in ("cstdint", "map", "memory", "optional", "string", "vector"):
        lines.append(f"#include <{header}>")
    lines += ['\n#include "lib/base/clock.h"', '#include "terrarium/wire/model.h"\n']
    lines.append(f"namespace terrarium::{service.name} {{\n")
    lines += [f"struct {name};" for name in service.structures] + [""]
    for structure in service.structures:
        lines.append(f"struct {structure} {{")
        for name, member in service.shapes[structure]["members"].items():
            kind = field_type(service, structure, name, member)
            plain = kind in ("bool", "double") or kind.startswith("std::int")
            lines.append(f"  {kind} {snake(name)}{'{}' if plain else ''};")
        lines.append("};\n")
    lines.append("extern const wire::ServiceModel kModel;\n")
    lines.append(f"}}  // namespace terrarium::{service.name}\n")
    return "\n".join(lines)


def errors_header(service):
    lines = [_NOTICE, "#pragma once\n", '#include "lib/base/result.h"\n']
    lines.append(f"namespace terrarium::{service.name}::errors {{\n")
    for constant, code, status, query in service.errors:
        row = f"{{{quote(code)}, {status}, {quote(query)}}}"
        lines.append(f"inline constexpr base::ErrorRow k{pascal(constant)}{row};")
    lines.append(f"\n}}  // namespace terrarium::{service.name}::errors\n")
    return "\n".join(lines)


def dispatch_header(service):
    lines = [_NOTICE, "#pragma once\n", "#include <utility>\n"]
    lines += [f'#include "generated/{service.name}/model.h"', '#include "terrarium/wire/binding.h"\n']
    lines.append(f"namespace terrarium::{service.name} {{\n")
    lines.append("// `service` outlives the entry. Its operations run on `executor`, or on the")
    lines.append("// connection's own when there is none.")
    lines.append("template <class Service>")
    lines.append("wire::ServiceEntry entry(Service& service,")
    lines.append("                         std::optional<runtime::Executor> executor = {}) {")
    lines.append("  wire::ServiceEntry entry{&kModel, {}, executor, {}};")
    for index, operation in enumerate(service.operations):
        source = operation["input"]["shape"] if "input" in operation else "wire::Empty"
        answer = operation["output"]["shape"] if "output" in operation else "wire::Empty"
        lines.append(f"  entry.operations.push_back(wire::bind<{source}, {answer}>(")
        lines.append(f"      kModel.operations[{index}],")
        lines.append(f"      [&service](const wire::Context& context, {source} input) {{")
        call = f"service.{snake(operation['name'])}(context, std::move(input))"
        lines.append(f"        return {call};")
        lines.append("      }));")
    lines.append("  if constexpr (requires { &Service::finish_answer; }) {")
    lines.append("    entry.finish = [&service](const wire::Context& context, std::string_view path,")
    lines.append("                              http::Response& response) {")
    lines.append("      service.finish_answer(context, path, response);")
    lines.append("    };\n  }")
    lines.append("  return entry;\n}\n")
    lines.append(f"}}  // namespace terrarium::{service.name}\n")
    return "\n".join(lines)


def permissions_header(service):
    lines = [_NOTICE, "#pragma once\n", '#include "terrarium/wire/authorisation.h"\n']
    lines.append(f"namespace terrarium::{service.name} {{\n")
    rows = []
    for operation, needed in service.permissions.items():
        constant = f"k{operation}Needs"
        rows.append(f"    {{{quote(operation)}, {constant if needed else '{}'}}},")
        if not needed:
            continue
        lines.append(f"inline constexpr wire::Permission {constant}[] = {{")
        for one in needed:
            given = ", true" if one.when_given else ""
            lines.append(f"    {{{quote(one.action)}, {quote(one.resource)}{given}}},")
        lines.append("};")
    lines.append("\ninline constexpr wire::OperationPermissions kPermissions[] = {")
    lines += rows + ["};\n"]
    lines.append(f"}}  // namespace terrarium::{service.name}\n")
    return "\n".join(lines)


class Descriptors:
    """model.cpp: constant tables that point at each other."""

    def __init__(self, service):
        self.service = service
        self.declared = []
        self.definitions = []
        self.names = {}
        self.ec2 = service.metadata["protocol"] == "ec2"

    def shape(self, shape_name, flattened=False, body=False):
        """The constant of a shape, defined at first use."""
        key = (shape_name, flattened, body)
        if key not in self.names:
            constant = "k" + pascal(shape_name)
            constant += "Flat" if flattened else "Stream" if body else ""
            self.names[key] = constant
            self.declared.append(constant)
            self.define(constant, shape_name, flattened, body)
        return self.names[key]

    def define(self, constant, shape_name, flattened, body):
        shape = self.service.shapes[shape_name]
        kind = "Body" if body else _KINDS[shape["type"]]
        fields = [f".name = {quote(shape_name)}", f".kind = wire::Kind::{kind}"]
        if kind == "Structure":
            fields += self.structure(constant, shape_name, shape)
        elif kind == "List":
            element = cpp_type(self.service, shape["member"]["shape"])
            fields.append(f".element = &{self.shape(shape['member']['shape'])}")
            default = "item" if self.ec2 else "member"
            fields.append(f".element_name = {quote(shape['member'].get('locationName', default))}")
            fields += [".flattened = true"] if flattened else []
            for name in ("size", "at", "append"):
                fields.append(f".{name} = wire::list_{name}<{element}>")
        elif kind == "Map":
            value = cpp_type(self.service, shape["value"]["shape"])
            fields.append(f".element = &{self.shape(shape['value']['shape'])}")
            fields.append(f".key = &{self.shape(shape['key']['shape'])}")
            fields.append(f".element_name = {quote(shape['value'].get('locationName', 'value'))}")
            fields.append(f".key_name = {quote(shape['key'].get('locationName', 'key'))}")
            fields += [".flattened = true"] if flattened else []
            for name in ("size", "insert", "for_each"):
                fields.append(f".{name} = wire::map_{name}<{value}>")
        fields += self.constraints(constant, shape)
        joined = ",\n    ".join(fields)
        self.definitions.append(f"const wire::Shape {constant} = {{\n    {joined}}};\n")

    def constraints(self, constant, shape):
        fields = []
        if not self.service.metadata.get("validationCode"):
            return fields
        if "min" in shape:
            fields.append(f".min = {int(shape['min'])}")
        if "max" in shape:
            fields.append(f".max = {int(shape['max'])}")
        if "enum" in shape:
            values = ", ".join(quote(value) for value in shape["enum"])
            self.definitions.append(
                f"constexpr std::string_view {constant}Values[] = {{\n    {values}}};\n"
            )
            fields.append(f".enum_values = {constant}Values")
        return fields

    def structure(self, constant, shape_name, shape):
        fields = []
        if shape["members"]:
            rows = [self.member(shape_name, shape, name) for name in shape["members"]]
            table = ",\n".join(rows)
            self.definitions.append(f"const wire::Member {constant}Members[] = {{\n{table},\n}};\n")
            fields.append(f".members = {constant}Members")
        payload = shape.get("payload")
        root = shape.get("locationName", shape_name)
        space = shape.get("xmlNamespace", {}).get("uri", "")
        if payload:
            fields.append(f".payload = {quote(payload)}")
            member = shape["members"][payload]
            root = member.get("locationName", payload)
            space = member.get("xmlNamespace", {}).get("uri", "")
        fields.append(f".xml_root = {quote(root)}")
        if space:
            fields.append(f".xml_namespace = {quote(space)}")
        if shape.get("unwrapped"):
            fields.append(".unwrapped = true")
        return fields

    def member(self, structure, shape, name):
        member = shape["members"][name]
        target = self.service.shapes[member["shape"]]
        flattened = bool(member.get("flattened") or target.get("flattened"))
        body = bool(is_body(self.service, member))
        wire_name = member.get("locationName", name)
        if flattened and target["type"] == "list":
            wire_name = target["member"].get("locationName", wire_name)
        prefix = ""
        space = {}
        if member.get("xmlAttribute"):
            prefix, wire_name = wire_name.split(":", 1) if ":" in wire_name else ("", wire_name)
            space = shape.get("xmlNamespace", target.get("xmlNamespace", {}))
        location = "Payload" if shape.get("payload") == name else "Body"
        location = _LOCATIONS.get(member.get("location"), location)
        stamp = member.get("timestampFormat", target.get("timestampFormat"))
        fields = [
            f".name = {quote(name)}",
            f".wire_name = {quote(wire_name)}",
        ]
        if self.ec2:
            fields.append(f".ec2_name = {quote(ec2_name(name, member))}")
        fields.append(f".shape = &{self.shape(member['shape'], flattened, body)}")
        if location != "Body":
            fields.append(f".location = wire::Location::{location}")
        if name in shape.get("required", []):
            fields.append(".required = true")
        if member.get("xmlAttribute"):
            fields.append(".xml_attribute = true")
            fields.append(f".xml_namespace_prefix = {quote(prefix)}")
            fields.append(f".xml_namespace_uri = {quote(space.get('uri', ''))}")
        if stamp:
            fields.append(f".timestamp_format = wire::TimestampFormat::{_FORMATS[stamp]}")
        field = f"&{structure}::{snake(name)}"
        fields += [f".get = wire::get_field<{field}>", f".ensure = wire::ensure_field<{field}>"]
        return "    {" + ",\n     ".join(fields) + "}"

    def operation(self, operation):
        http = operation.get("http", {})
        fields = [f".name = {quote(operation['name'])}"]
        fields.append(f".http_method = {quote(http.get('method', 'POST'))}")
        fields.append(f".uri = {quote(http.get('requestUri', '/'))}")
        if "responseCode" in http:
            fields.append(f".http_status = {http['responseCode']}")
        for direction in ("input", "output"):
            if direction in operation:
                shape = operation[direction]["shape"]
                fields.append(f".{direction} = &{self.shape(shape)}")
        if "input" in operation:
            fields.append(f".make_input = wire::make_shared<{operation['input']['shape']}>")
        if "resultWrapper" in operation.get("output", {}):
            fields.append(f".result_wrapper = {quote(operation['output']['resultWrapper'])}")
        if self.streams(operation):
            fields.append(".streaming_input = true")
        if operation.get("requireChecksum"):
            fields.append(".checksum_required = true")
        if not self.checksums_are_of_body(operation):
            fields.append(".checksum_of_body = false")
        return "    {" + ",\n     ".join(fields) + "}"

    def streams(self, operation):
        if "input" not in operation:
            return False
        members = self.service.shapes[operation["input"]["shape"]]["members"].values()
        return any(is_body(self.service, member) for member in members)

    def checksums_are_of_body(self, operation):
        if "httpChecksum" in operation or "input" not in operation or self.streams(operation):
            return True
        members = self.service.shapes[operation["input"]["shape"]]["members"].values()
        return "x-amz-checksum-crc32" not in [m.get("locationName") for m in members]

    def text(self):
        service, metadata = self.service, self.service.metadata
        operations = ",\n".join(self.operation(operation) for operation in service.operations)
        default = metadata["protocol"]
        default = default + metadata["jsonVersion"] if default == "json" else default
        protocols = ", ".join(
            f"wire::Protocol::{_PROTOCOLS[name]}" for name in metadata.get("protocols", [default])
        )
        signing = metadata.get("signingName", metadata["endpointPrefix"])
        fields = [
            f".name = {quote(service.name)}",
            f".signing_name = {quote(signing)}",
            f".api_version = {quote(metadata['apiVersion'])}",
            f".target_prefix = {quote(metadata.get('targetPrefix', ''))}",
            f".xml_namespace = {quote(metadata.get('xmlNamespace', ''))}",
            f".error_namespace = {quote(metadata.get('errorNamespace', ''))}",
            f".validation_code = {quote(metadata.get('validationCode', ''))}",
            ".protocols = kProtocols",
            ".operations = kOperations",
        ]
        if "requestBytesMax" in metadata:
            fields.insert(-2, f".request_bytes_max = {metadata['requestBytesMax']}")
        if service.sub_resources:
            fields.insert(-2, ".sub_resources = kSubResources")
        lines = [_NOTICE, f'#include "generated/{service.name}/model.h"\n']
        lines += ['#include "terrarium/wire/field.h"\n', f"namespace terrarium::{service.name} {{"]
        lines += ["namespace {\n"]
        lines += [f"extern const wire::Shape {name};" for name in self.declared] + [""]
        lines += self.definitions
        lines += [f"const wire::OperationModel kOperations[] = {{\n{operations},\n}};\n"]
        if service.sub_resources:
            keys = ", ".join(quote(key) for key in service.sub_resources)
            lines += [f"constexpr std::string_view kSubResources[] = {{\n    {keys}}};\n"]
        lines += [f"const wire::Protocol kProtocols[] = {{{protocols}}};\n", "}  // namespace\n"]
        joined = ",\n    ".join(fields)
        lines += [f"const wire::ServiceModel kModel = {{\n    {joined}}};\n"]
        lines += [f"}}  // namespace terrarium::{service.name}\n"]
        return "\n".join(lines)
