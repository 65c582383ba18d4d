"""The table of operations and the OpenAPI document that is made of it."""

import json
import re
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.api.decoding import decode
from edged.api.docs_page import docs_page
from edged.api.operation import Operation
from edged.api.operations import OPERATIONS
from edged.api.problem import STATUS, Code, Problem
from edged.api.requests import RecognizeRequest
from edged.api.schema import document
from edged.http.calls import CALLS
from edged.settings.http import EVERY_SCOPE

DOCUMENT = document("1.2.3")


def _named(operation: Operation) -> str:
    return operation.id


def _references(part: object) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(_references, part.values())) if part else own
    return set().union(*map(_references, part)) if isinstance(part, list) else set()


def _validator(name: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema.Draft202012Validator(schema)


def test_ids_and_places_are_there_once() -> None:
    assert len({one.id for one in OPERATIONS}) == len(OPERATIONS)
    assert len({(one.method, one.path) for one in OPERATIONS}) == len(OPERATIONS)


def test_every_operation_is_served_and_nothing_else_is() -> None:
    assert set(CALLS) == {one.id for one in OPERATIONS}


def test_every_scope_is_good_for_something() -> None:
    assert {one.scope for one in OPERATIONS if one.scope} == set(EVERY_SCOPE)


def test_only_getting_a_token_needs_none() -> None:
    assert [one.id for one in OPERATIONS if not one.needs_token] == ["token"]
    assert [one.id for one in OPERATIONS if one.scope is None] == ["token", "revokeToken"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=_named)
def test_an_operation_is_in_the_document_with_all_that_is_said_of_it(operation: Operation) -> None:
    told: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    assert told["operationId"] == operation.id
    assert ("requestBody" in told) == (operation.asked is not None)
    in_path = [one["name"] for one in told.get("parameters", ()) if one["in"] == "path"]
    assert in_path == re.findall(r"{(\w+)}", operation.path)
    assert {int(status) for status in told["responses"]} == {200, *(STATUS[code] for code in operation.codes)}


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.example], ids=_named)
def test_an_example_is_what_its_operation_takes(operation: Operation) -> None:
    assert operation.asked is not None
    assert operation.example is not None
    decode(msgspec.json.encode(operation.example), operation.asked)
    _validator(operation.asked.__name__).validate(operation.example)


def test_every_reference_leads_somewhere() -> None:
    for reference in _references(DOCUMENT):
        part: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def test_every_schema_is_one() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_what_docstrings_say_of_fields_stands_with_the_fields() -> None:
    face = DOCUMENT["components"]["schemas"]["FaceAnswer"]
    assert face["description"] == "A face: `image` in the API's words."
    assert face["properties"]["sharpness"]["description"].startswith("0 to 1; one half is where")
    assert face["properties"]["width"]["description"] == face["properties"]["height"]["description"]
    assert "Attributes:" not in json.dumps(DOCUMENT)


def test_nothing_that_is_answered_is_ever_null() -> None:
    answered = {
        name for name in DOCUMENT["components"]["schemas"] if name.endswith(("Answer", "Job", "Edge"))
    }
    asked = {"IdentityEdge"}
    for name in answered - asked:
        assert "null" not in json.dumps(DOCUMENT["components"]["schemas"][name])


def _is_taken(body: bytes) -> bool:
    try:
        decode(body, RecognizeRequest)
    except Problem as problem:
        return problem.code is not Code.MALFORMED
    return True


TEXTS = st.none() | st.text(max_size=6) | st.sampled_from(["AAAA", "AAA=", "QR==", "a\0b"])
ITEMS = st.fixed_dictionaries({}, optional={"url": TEXTS, "blob": TEXTS, "customId": TEXTS})
BODIES = st.fixed_dictionaries({"images": st.lists(ITEMS, max_size=3)}, optional={"feedId": TEXTS})


@given(BODIES)
def test_the_document_and_the_decoder_are_of_one_mind(body: dict[str, Any]) -> None:
    assert _validator("RecognizeRequest").is_valid(body) == _is_taken(json.dumps(body).encode())


def test_the_page_shows_every_call_and_every_type() -> None:
    page = docs_page(DOCUMENT).html
    for operation in OPERATIONS:
        assert f'id="{operation.id}"' in page
    for name in DOCUMENT["components"]["schemas"]:
        assert f'id="type-{name}"' in page
    linked = set(re.findall(r'href="#([^"]+)"', page))
    assert linked <= set(re.findall(r'id="([^"]+)"', page))


def test_what_the_document_says_is_escaped_on_the_page() -> None:
    told = {**DOCUMENT, "info": {**DOCUMENT["info"], "title": "<script>"}}
    assert "<script>" not in docs_page(told).html
