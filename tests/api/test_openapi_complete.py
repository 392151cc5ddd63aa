"""Nothing in the OpenAPI document is left unsaid: every field is described, has a limit and an example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from support.api import ApiWorld

Schema = dict[str, Any]

ERRORS = {"401", "403", "429", "500", "503"}
"""Of every operation. More depend on what it takes."""
LIMITS = {
    "string": {"maxLength", "format", "enum", "const"},
    "integer": {"maximum", "enum", "const"},
    "number": {"maximum"},
    "array": {"maxItems"},
}
"""By type: one of these says how large it can be. What a field answers with is as limited as what it takes."""


class Field(NamedTuple):
    """`path` is for people: `POST /email request to.*.email`."""

    path: str
    schema: Schema


@pytest.fixture
async def document(api: ApiWorld) -> Schema:
    found: Schema = (await api.anonymous.get("/openapi.json")).json()
    return found


def operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    """All but those of the tests' own resource."""
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            if operation["tags"] != ["Probe"]:
                yield f"{verb.upper()} {path}", operation


def alternatives(document: Schema, schema: Schema) -> Iterator[Schema]:
    """What the schema may be, without null; each with the words that stand around the reference to it."""
    around = {name: value for name, value in schema.items() if name not in ("$ref", "anyOf")}
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        for one in alternatives(document, document["components"]["schemas"][name]):
            yield one | around
    elif "anyOf" in schema:
        for inner in schema["anyOf"]:
            for one in alternatives(document, inner):
                yield one | around
    elif schema.get("type") != "null":
        yield schema


def fields(document: Schema, path: str, schema: Schema) -> Iterator[Field]:
    """Every field in the schema, however deep; an item of an array is one only by its own fields."""
    for one in alternatives(document, schema):
        for name, inner in one.get("properties", {}).items():
            yield Field(f"{path}.{name}", inner)
            yield from fields(document, f"{path}.{name}", inner)
        for name in ("items", "additionalProperties"):
            if isinstance(one.get(name), dict):
                yield from fields(document, f"{path}.*", one[name])


def all_fields(document: Schema) -> Iterator[Field]:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            around = {key: parameter[key] for key in ("description", "example") if key in parameter}
            yield Field(f"{name} {parameter['name']}", parameter["schema"] | around)
        bodies = {"request": operation.get("requestBody", {})} | operation["responses"]
        for kind, body in bodies.items():
            if "$ref" in body:
                body = document["components"]["responses"][body["$ref"].rpartition("/")[2]]
            for content in body.get("content", {}).values():
                yield from fields(document, f"{name} {kind} ", content["schema"])


def has_example(document: Schema, schema: Schema) -> bool:
    """Itself, or each of its fields, or what it is a list of."""
    if {"example", "examples"} & set(schema):
        return True
    for one in alternatives(document, schema):
        if {"example", "examples"} & set(one) or "properties" in one:
            continue
        inner = one.get("items") or one.get("additionalProperties")
        if not isinstance(inner, dict) or not has_example(document, inner):
            return False
    return True


def test_every_field_is_described(document: Schema) -> None:
    silent = [
        field.path
        for field in all_fields(document)
        if not all(one.get("description") for one in alternatives(document, field.schema))
    ]
    assert silent == []


def limited(document: Schema, schema: Schema) -> bool:
    """Whatever it may be, and what it is a list of."""
    for one in alternatives(document, schema):
        types = one.get("type", [])
        for name in [types] if isinstance(types, str) else types:
            if name in LIMITS and not LIMITS[name] & set(one):
                return False
        inner = one.get("items") or one.get("additionalProperties")
        if isinstance(inner, dict) and not limited(document, inner):
            return False
    return True


def test_every_field_has_a_limit(document: Schema) -> None:
    assert [field.path for field in all_fields(document) if not limited(document, field.schema)] == []


def test_every_field_has_an_example(document: Schema) -> None:
    assert [field.path for field in all_fields(document) if not has_example(document, field.schema)] == []


def test_every_operation_says_what_it_does_who_may_and_what_may_go_wrong(document: Schema) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name
        assert operation.get("security", document["security"]) == [{"token": []}], name
        statuses = ERRORS | ({"408", "413", "415", "422"} if "requestBody" in operation else set())
        placed = {one["in"] for one in operation.get("parameters", ())}
        statuses |= ({"404"} if "path" in placed else set()) | ({"422"} if placed - {"path"} else set())
        assert statuses <= set(operation["responses"]), name
        for status, answer in operation["responses"].items():
            assert "$ref" in answer or answer["description"], (name, status)
