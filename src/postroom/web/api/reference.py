"""The reference as a page: the OpenAPI document for people. One file of plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from postroom.web.api.openapi import Document

DEEPEST = 6
"""Levels of objects within objects that are shown."""

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1.25rem; }}
nav ul {{ columns: 18rem; padding-left: 1rem; }}
section {{ border-top: 1px solid #8884; padding: .5rem 0 1.5rem; }}
h2 {{ margin: 3rem 0 1rem; }} h3 {{ margin: 1rem 0 .25rem; }} h4 {{ margin: 1rem 0 .25rem; }}
code, pre {{ font-size: .85rem; }} pre {{ background: #8881; padding: .75rem; overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; }} a {{ color: inherit; }}
td, th {{ text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-top: 1px solid #8883; }}
.verb {{ font-weight: 700; }} .note {{ opacity: .75; }}
</style>
<h1>{title}</h1>
{about}
<p>As <a href="openapi.json">OpenAPI</a>.</p>
<nav><ul>{contents}</ul></nav>
{groups}
</html>
"""


def page(document: Document) -> str:
    groups: dict[str, list[str]] = {}
    contents = []
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            tag = operation.get("tags", ["Other"])[0]
            groups.setdefault(tag, []).append(_Endpoint(document, verb, path, operation).section())
            contents.append(
                f'<li><a href="#{operation["operationId"]}">{escape(operation["summary"])}</a></li>'
            )
    sections = "\n".join(f"<h2>{escape(tag)}</h2>\n" + "\n".join(parts) for tag, parts in groups.items())
    return _PAGE.format(
        title=escape(document["info"]["title"]),
        about=_paragraphs(document["info"]["description"]),
        contents="".join(contents),
        groups=sections,
    )


def _either(names: list[str], *, otherwise: str) -> str:
    return " or ".join(f"<code>{escape(name)}</code>" for name in names) or otherwise


class _Endpoint:
    def __init__(self, document: Document, verb: str, path: str, operation: dict[str, Any]) -> None:
        self._document = document
        self._verb = verb
        self._path = path
        self._operation = operation

    def section(self) -> str:
        operation = self._operation
        scopes = _either(operation["x-scopes"], otherwise="any")
        permissions = _either(
            operation["x-permissions"], otherwise="none" if operation["x-scopes"] else "any"
        )
        limit = operation["x-requests-per-minute"]
        allowed = f"{limit}, shared by all of <code>{operation['x-rate-limit']}</code>" if limit else "none"
        return "\n".join(
            (
                f'<section id="{operation["operationId"]}"><h3>{escape(operation["summary"])}</h3>',
                f'<p><code><span class="verb">{self._verb.upper()}</span> /v1{escape(self._path)}</code></p>',
                _paragraphs(operation.get("description", "")),
                f'<p class="note">Scope: {scopes}. Permission of a person: {permissions}. Limit per minute: {allowed}.</p>',
                self._parameters(),
                self._body(),
                "<h4>Answers</h4>",
                *(self._answer(status, answer) for status, answer in sorted(operation["responses"].items())),
                "</section>",
            )
        )

    def _parameters(self) -> str:
        rows = [
            (one["name"], self._kind(one["schema"]), one.get("required", False), one.get("description", ""))
            for one in self._operation.get("parameters", ())
        ]
        return f"<h4>Parameters</h4>{_table(rows)}" if rows else ""

    def _body(self) -> str:
        content = self._operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return ""
        schema = content["schema"]
        return f"<h4>Body</h4>{_table(list(self._fields(schema)))}{_json(self._example(content))}"

    def _answer(self, status: str, answer: dict[str, Any]) -> str:
        answer = self._resolved(answer)
        content = answer.get("content", {}).get("application/json")
        line = f"<p><code>{status}</code> {_prose(answer['description'])}</p>"
        if content is None or not status.startswith("2"):
            return line
        return line + _table(list(self._fields(content["schema"]))) + _json(self._example(content))

    # -- schemas ----------------------------------------------------------------------------------------------

    def _fields(
        self, schema: dict[str, Any], prefix: str = "", depth: int = 0
    ) -> Iterator[tuple[str, str, bool, str]]:
        """(dot path, type, required, description) of every field, those of inner objects behind their own."""
        schema = self._chosen(schema)
        if schema.get("type") == "array":
            yield from self._fields(schema["items"], f"{prefix}*.", depth + 1)
            return
        for name, field in schema.get("properties", {}).items():
            about = field.get("description") or self._chosen(field).get("description", "")
            yield prefix + name, self._kind(field), name in schema.get("required", ()), about
            if depth < DEEPEST:
                yield from self._fields(field, f"{prefix}{name}.", depth + 1)

    def _kind(self, schema: dict[str, Any]) -> str:
        """The type with its limits: "string, at most 50", "object or null"."""
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return " or ".join(map(self._kind, schema["anyOf"]))
        if schema.get("type") == "array":
            limit = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
            return f"list of {self._kind(schema['items'])}{limit}"
        if "enum" in schema:
            return "one of " + ", ".join(map(str, schema["enum"]))
        limits = [
            f"{words} {schema[key]:.15g}"
            for key, words in (
                ("minimum", "from"),
                ("maximum", "to"),
                ("minLength", "at least"),
                ("maxLength", "at most"),
            )
            if key in schema
        ]
        return ", ".join([str(schema.get("format") or schema.get("type", "any")), *limits])

    def _example(self, content: dict[str, Any]) -> Any:
        return content["example"] if "example" in content else self._sample(content["schema"])

    def _sample(self, schema: dict[str, Any], depth: int = 0) -> Any:
        """An example put together from those of the fields."""
        for holder in (schema, self._chosen(schema)):
            if holder.get("examples"):
                return holder["examples"][0]
        schema = self._chosen(schema)
        if depth > DEEPEST:
            return None
        if schema.get("type") == "array":
            return [self._sample(schema["items"], depth + 1)]
        if "properties" in schema:
            return {name: self._sample(field, depth + 1) for name, field in schema["properties"].items()}
        if "default" in schema or "enum" in schema:
            return schema.get("default", schema.get("enum", [None])[0])
        return {"string": "text", "integer": 1, "number": 1, "boolean": True, "object": {}}.get(
            schema.get("type", "")
        )

    def _chosen(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Behind a reference, and of several the first that is not null."""
        schema = self._resolved(schema)
        for choice in schema.get("anyOf", ()):
            if choice.get("type") != "null":
                return self._chosen(choice)
        return schema

    def _resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in value:
            return value
        found: Any = self._document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self._resolved(found)


def _table(rows: list[tuple[str, str, bool, str]]) -> str:
    if not rows:
        return ""
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code>{' *' if required else ''}</td><td>{escape(kind)}</td>"
        f"<td>{_prose(about)}</td></tr>"
        for name, kind, required, about in rows
    )
    return f"<table>{lines}</table>"


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_prose(part)}</p>" for part in text.split("\n\n") if part.strip())


def _prose(text: str) -> str:
    """Text with `code` in it."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
