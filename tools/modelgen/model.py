"""The service's model: read, amended, and cut down to what the listed operations reach."""

import dataclasses
import json
import pathlib
import re


class ModelError(Exception):
    pass


@dataclasses.dataclass
class Service:
    name: str
    metadata: dict
    shapes: dict  # every shape of the model
    operations: list  # the model's operations in the order of operations.txt
    errors: list  # (constant, code, http status, query code)
    sub_resources: list  # query keys that choose an operation
    structures: list  # names of the structures that the operations reach, bases first
    permissions: dict  # operation -> [Permission]: what a caller's policies must allow


@dataclasses.dataclass
class Permission:
    action: str
    resource: str
    when_given: bool


def merge(base, amendment):
    """Objects merge member by member, anything else replaces; null removes a member."""
    for key, value in amendment.items():
        if value is None:
            base.pop(key, None)
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value


# Where the prefix of a service's actions is not the name that requests are signed for.
_ACTION_PREFIXES = {"monitoring": "cloudwatch"}


def read_operations(path):
    """The lines of operations.txt as {operation: words}, and its definitions "@name template"."""
    operations, definitions = {}, {}
    for line in path.read_text().splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        name = words[0]
        if name in operations or name in definitions:
            raise ModelError(f"{path.name} names {name} twice")
        if name.startswith("@"):
            if len(words) != 2:
                raise ModelError(f"{path.name}: {name} is one template")
            definitions[name] = words[1]
        else:
            operations[name] = words[1:]
    return operations, definitions


def permissions(operation, words, prefix, definitions):
    """"self" and "free" ask nothing here; else "[action] [resource][?]", joined by "+"."""
    if words in (["self"], ["free"]):
        return []
    found = []
    for text in " ".join(words).split("+"):
        permission = Permission(f"{prefix}:{operation}", "*", False)
        for word in text.split():
            resource = word.removesuffix("?")
            if resource.startswith("@"):
                if resource not in definitions:
                    raise ModelError(f"operations.txt: {operation}: {resource} is not defined")
                resource = definitions[resource]
            if ":" in resource and not resource.startswith(("arn:", "{")):
                permission.action = resource
            else:
                permission.resource = resource
                permission.when_given = word.endswith("?")
        found.append(permission)
    return found


def check_members(operation, found, shapes):
    """A template that names no member of the input would be asked about nothing."""
    members = shapes[operation["input"]["shape"]]["members"] if "input" in operation else {}
    for permission in found:
        names = re.findall(r"[{(|](\w+)", permission.resource)
        for name in names:
            if name not in members and name not in ("region", "account"):
                raise ModelError(f"operations.txt: {operation['name']} has no member {name}")


def load(name, folder, models):
    amendments_path = folder / "amendments.json"
    amendments = json.loads(amendments_path.read_text()) if amendments_path.exists() else {}
    unknown = set(amendments) - {"model", "metadata", "shapes", "operations", "errors"}
    if unknown:
        raise ModelError(f"amendments.json has unknown members: {', '.join(sorted(unknown))}")
    versions = models / amendments.pop("model", name)
    files = sorted(versions.glob("*/service-2.json"))
    if not files:
        raise ModelError(f"no model in {versions}")
    document = json.loads(files[-1].read_text())
    extra_errors = amendments.pop("errors", {})
    merge(document, amendments)
    listed, definitions = read_operations(folder / "operations.txt")
    for operation in listed:
        if operation not in document["operations"]:
            raise ModelError(f"operations.txt names {operation}, which the model does not have")
    operations = [document["operations"][operation] for operation in listed]
    shapes = document["shapes"]
    metadata = document["metadata"]
    signing = metadata.get("signingName", metadata.get("endpointPrefix", name))
    prefix = _ACTION_PREFIXES.get(signing, signing)
    needed = {}
    for operation in operations:
        words = listed[operation["name"]]
        needed[operation["name"]] = permissions(operation["name"], words, prefix, definitions)
        check_members(operation, needed[operation["name"]], shapes)
    return Service(
        name=name,
        metadata=document["metadata"],
        shapes=shapes,
        operations=operations,
        errors=errors(shapes, operations, extra_errors),
        sub_resources=sub_resources(document),
        structures=structures(shapes, operations),
        permissions=needed,
    )


def errors(shapes, operations, extra):
    """Every error of the operations, and those that the amendments add or change."""
    rows = {}
    names = {error["shape"] for operation in operations for error in operation.get("errors", [])}
    for name in sorted(names):
        error = shapes[name].get("error", {})
        query = error.get("code", name)
        status = error.get("httpStatusCode", 500 if shapes[name].get("fault") else 400)
        rows[name] = (name, name, status, query if query != name else "")
    for name, value in extra.items():
        row = value if isinstance(value, dict) else {"status": value}
        rows[name] = (name, row.get("code", name), row["status"], row.get("query", ""))
    return list(rows.values())


def sub_resources(document):
    """Keys in the URI templates and required query parameters, of all operations of the model."""
    if document["metadata"]["protocol"] != "rest-xml":
        return []
    keys = set(document["metadata"].get("subResources", []))
    for operation in document["operations"].values():
        uri = operation["http"]["requestUri"]
        if "?" in uri:
            keys |= {part.split("=")[0] for part in uri.split("?", 1)[1].split("&")}
        shape = document["shapes"].get(operation.get("input", {}).get("shape"), {})
        for name in shape.get("required", []):
            member = shape["members"][name]
            if member.get("location") == "querystring":
                keys.add(member["locationName"])
    return sorted(keys)


def reached(shapes, shape_name):
    """Shapes that a shape is made of, directly."""
    shape = shapes[shape_name]
    kind = shape["type"]
    if kind == "structure":
        return [member["shape"] for member in shape["members"].values()]
    if kind == "list":
        return [shape["member"]["shape"]]
    if kind == "map":
        return [shape["key"]["shape"], shape["value"]["shape"]]
    return []


def structures(shapes, operations):
    """Structures in an order in which each comes after those that it holds."""
    order, seen = [], set()

    def visit(name):
        if name in seen:
            return
        seen.add(name)
        if shapes[name].get("eventstream"):
            raise ModelError(f"{name} is an event stream, which the wire layer does not speak")
        for inner in reached(shapes, name):
            visit(inner)
        if shapes[name]["type"] == "structure":
            order.append(name)

    for operation in operations:
        for direction in ("input", "output"):
            if direction in operation:
                visit(operation[direction]["shape"])
    return order


def holds_itself(shapes, structure, inner):
    """Whether `structure` can be reached from its member's structure `inner` by value."""
    seen, todo = set(), [inner]
    while todo:
        name = todo.pop()
        if name == structure:
            return True
        if name in seen or shapes[name]["type"] != "structure":
            continue
        seen.add(name)
        todo += reached(shapes, name)
    return False
