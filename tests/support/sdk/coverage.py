"""Which methods of the official libraries our tests call: read from the tests themselves, for they run in several
processes.

A method counts as called where its name stands behind the resource it belongs to (`client.webhooks.get_webhook`, also
by a name that was given to `client.webhooks`), or in the path a call of the Node library is made with
(`"email.webhook.single"`). What is made up with an f-string counts for every name that fits.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[2]
SOURCES = sorted([*TESTS.glob("sdk/test_*.py"), *TESTS.glob("support/sdk/*_sdk.py")])
DRIVER = TESTS / "sdk" / "node" / "driver.mjs"


def python_calls(resource: str, method: str) -> bool:
    """Of an attribute of the client, like `webhooks`."""
    return any(re.fullmatch(name, f"{resource}.{method}") for name in _python())


def node_calls(path: str) -> bool:
    """Like `email.webhook.single`."""
    return any(re.fullmatch(name, path) for name in _node())


@cache
def _python() -> frozenset[str]:
    return frozenset(name for source in SOURCES for name in _in_file(ast.parse(source.read_text("utf-8"))))


@cache
def _node() -> frozenset[str]:
    """The driver has a few calls of its own."""
    texts = {
        _pattern(node.args[0])
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call"
    }
    own = re.findall(r"mailerSend\(settings\)\.([\w.]+)\(", DRIVER.read_text("utf-8"))
    return frozenset(filter(None, texts)) | {re.escape(path) for path in own}


def _in_file(tree: ast.Module) -> Iterator[str]:
    """`resource.method` as patterns."""
    names = dict(_names(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from _behind(node.value, re.escape(node.attr), names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            yield from _behind(node.args[0], _pattern(node.args[1]), names)


def _behind(value: ast.expr, method: str, names: dict[str, str]) -> Iterator[str]:
    if isinstance(value, ast.Attribute):
        yield f"{value.attr}\\.{method}"
    elif isinstance(value, ast.Name) and value.id in names:
        yield f"{names[value.id]}\\.{method}"


def _names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What is given a name of its own: `sdk = python_sdk.client.webhooks`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        (target,), value = node.targets, node.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=True))
        for name, given in pairs:
            if isinstance(name, ast.Name) and isinstance(given, ast.Attribute):
                yield name.id, given.attr


def _pattern(node: ast.expr) -> str:
    """Of a text, or of one with gaps; "" for anything else."""
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    if isinstance(node, ast.JoinedStr):
        parts = [
            re.escape(str(one.value)) if isinstance(one, ast.Constant) else r"\w+" for one in node.values
        ]
        return "".join(parts)
    return ""
