"""The OpenAPI 3.1 document, made of the table of operations and of the types that validate."""

from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec

from edged.api.detect_job import INSTALLED
from edged.api.docstrings import described
from edged.api.operation import JPEG, JSON, NOTHING, Operation, QueryParameter, Topic
from edged.api.operations import OPERATIONS
from edged.api.problem import STATUS, Code, ErrorAnswer
from edged.settings.names import NAMESPACE

Schema = dict[str, Any]

ID_PATTERN: Final = r"^[A-Za-z0-9_.-]{1,64}$"

_REF: Final = "#/components/schemas/{name}"
_NO_NUL: Final = r"^[^\u0000]*$"
_BASE64: Final = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$"
_PROBLEMS: Final[Mapping[Code, str]] = {
    Code.MALFORMED: "The request is not what this call takes; `field` says where.",
    Code.UNAUTHORIZED: "No good access token came with it; or, getting one, the secret is wrong.",
    Code.FORBIDDEN: "The client lacks the scope, or may not use the namespace.",
    Code.NOT_FOUND: "There is nothing of this id here.",
    Code.METHOD_NOT_ALLOWED: "The path has no such method; `Allow` names those it has.",
    Code.NOT_ACCEPTABLE: "It is not answered in any form that `Accept` takes.",
    Code.TIMEOUT: "The body came too slowly.",
    Code.CONFLICT: "It is well formed, and contradicts what is there; or a picture cannot be enrolled.",
    Code.TOO_LARGE: "The body is longer than `http.max_body`.",
    Code.UNSUPPORTED: "The body is not `application/json`.",
    Code.TOO_MANY: "The queue is full, or the address guesses secrets: try again after `Retry-After`.",
    Code.INTERNAL: "A mistake of edged's own; its log says more.",
    Code.UNAVAILABLE: "It cannot be served just now: try again after `Retry-After`.",
}


def document(version: str) -> Schema:
    """The whole document; `version` is edged's."""
    used = [one for operation in OPERATIONS for one in (operation.asked, _item(operation.answered)) if one]
    kinds = list(dict.fromkeys([*used, ErrorAnswer]))
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REF)
    for name, schema in schemas.items():
        schemas[name] = described(schema)
    asked = _names_of_bodies(schemas)
    for name, schema in schemas.items():
        schemas[name] = _tightened(schema) if name in asked else _never_null(schema)
    schemas["ImageItem"] = _url_or_blob(schemas["ImageItem"])
    _detect_what_is_installed(schemas)
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edged: the recognition API, version 2",
            "version": version,
            "description": "Who is in a picture. Times are UTC milliseconds, boxes are fractions of the"
            " upright picture. Fields are absent when empty, never null.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": topic.value} for topic in Topic],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {code.value: _problem(code) for code in Code},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The `accessToken` that `POST /v2/oauth/token` answers.",
                }
            },
        },
    }


def _operation(operation: Operation) -> Schema:
    made: Schema = {
        "operationId": operation.id,
        "tags": [operation.topic.value],
        "summary": operation.summary,
        "x-extension": operation.is_extension,
        "responses": {
            "200": _answered(operation),
            **{str(STATUS[code]): {"$ref": f"#/components/responses/{code}"} for code in operation.codes},
        },
    }
    if operation.scope is not None:
        made["description"] = f"Needs the scope `{operation.scope}`."
    if not operation.needs_token:
        made["security"] = []
    parameters = [*_path_parameters(operation.path), *map(_query_parameter, operation.query)]
    if parameters:
        made["parameters"] = parameters
    if operation.asked is not None:
        content: Schema = {"schema": {"$ref": _REF.format(name=operation.asked.__name__)}}
        if operation.example is not None:
            content["example"] = operation.example
        made["requestBody"] = {"required": True, "content": {JSON: content}}
    return made


def _answered(operation: Operation) -> Schema:
    if operation.answered == JPEG:
        return {"description": "The picture.", "content": {JPEG: {}}}
    schema: Schema = {"type": "object"}
    if operation.answered != NOTHING:
        schema = {"$ref": _REF.format(name=_item(operation.answered).__name__)}
        if get_args(operation.answered):
            schema = {"type": "array", "items": schema}
    content: Schema = {JSON: {"schema": schema}}
    if operation.has_picture:
        content[JPEG] = {}
    return {"description": "Done." if operation.answered == NOTHING else "As asked.", "content": content}


def _problem(code: Code) -> Schema:
    headers: Schema = {}
    if code in {Code.TOO_MANY, Code.UNAVAILABLE}:
        headers["Retry-After"] = {
            "description": "Seconds after which trying again may help.",
            "schema": {"type": "integer", "minimum": 1},
        }
    if code is Code.UNAUTHORIZED:
        headers["WWW-Authenticate"] = {
            "description": "`Bearer`, and what is wrong with the token.",
            "schema": {"type": "string"},
        }
    return {
        "description": _PROBLEMS[code],
        **({"headers": headers} if headers else {}),
        "content": {JSON: {"schema": {"$ref": _REF.format(name=ErrorAnswer.__name__)}}},
    }


def _path_parameters(path: str) -> list[Schema]:
    forms = {"namespace": NAMESPACE["pattern"], "id": ID_PATTERN}
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}
        for name, pattern in forms.items()
        if f"{{{name}}}" in path
    ]


def _query_parameter(parameter: QueryParameter) -> Schema:
    schema: Schema = {"type": parameter.kind}
    if parameter.kind == "string":
        schema["pattern"] = NAMESPACE["pattern"] if parameter.name == "namespace" else _NO_NUL
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "description": parameter.description,
        "schema": schema,
    }


def _item(answered: Any) -> Any:
    """The type of an answer, or of each of its items; None where it is no JSON or has no fields."""
    if answered in {NOTHING, JPEG}:
        return None
    return get_args(answered)[0] if get_args(answered) else answered


def _names_of_bodies(schemas: Mapping[str, Schema]) -> set[str]:
    """Schemas that stand in what is asked."""
    names: set[str] = set()
    ahead = [operation.asked.__name__ for operation in OPERATIONS if operation.asked is not None]
    while ahead:
        name = ahead.pop()
        if name not in names:
            names.add(name)
            ahead += _references(schemas[name])
    return names


def _references(schema: object) -> list[str]:
    if isinstance(schema, list):
        return [name for part in schema for name in _references(part)]
    if not isinstance(schema, dict):
        return []
    own = [str(schema["$ref"]).rpartition("/")[2]] if "$ref" in schema else []
    return own + _references(list(schema.values()))


def _tightened(schema: Any) -> Any:
    """What decoding demands of texts, beside the types: no NUL, and true base64."""
    if isinstance(schema, list):
        return [_tightened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    tight = {name: part if name == "default" else _tightened(part) for name, part in schema.items()}
    if tight.get("type") == "string" and not tight.keys() & {"enum", "const", "pattern"}:
        tight["pattern"] = _BASE64 if tight.get("contentEncoding") == "base64" else _NO_NUL
    return tight


def _never_null(schema: Schema) -> Schema:
    """The schema of what is answered: what is empty is absent."""
    properties = dict(schema.get("properties", {}))
    for name, part in properties.items():
        kinds = [kind for kind in part.get("anyOf", []) if kind != {"type": "null"}]
        if len(kinds) == 1:
            words = {key: value for key, value in part.items() if key == "description"}
            properties[name] = kinds[0] | words
    return schema | {"properties": properties} if properties else schema


def _detect_what_is_installed(schemas: Mapping[str, Schema]) -> None:
    """Classes that there are, each once, and zones that fit their grid."""
    schemas["ClassItem"]["properties"]["class"]["enum"] = list(INSTALLED)
    schemas["DetectRequest"]["properties"]["classes"]["maxItems"] = len(INSTALLED)
    zones = schemas["ExclusionZones"]
    default = zones["properties"]["size"]["default"]
    zones["allOf"] = [
        {
            "if": {"properties": {"size": {"const": size}}, "required": [] if size == default else ["size"]},
            "then": {"properties": {"zones": {"maxItems": size, "items": {"maxItems": size}}}},
        }
        for size in zones["properties"]["size"]["enum"]
    ]


def _url_or_blob(schema: Schema) -> Schema:
    def only(name: str, other: str) -> Schema:
        return {
            "required": [name],
            "properties": {name: {"type": "string"}, other: {"type": "null"}},
        }

    return schema | {"oneOf": [only("url", "blob"), only("blob", "url")]}
