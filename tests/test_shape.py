"""The shape of the house: who may import whom, how long things are, and where the time comes from."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "postroom"

STAGES = ("accept", "compose", "deliver", "events", "notify", "report", "sms")
LAYERS = (
    ("cli", "node", "__main__"),
    ("web",),
    STAGES,
    ("tenancy",),
    ("store",),
    ("runtime",),
    ("wire",),
    ("types", "config", "errors"),
)
"""A layer may import those below it, never those above; the order of design: the import arrow."""

BESIDE = {
    ("deliver", "compose"),  # a message is composed just before its conversation
    ("node", "cli"),
    ("cli", "node"),
    ("__main__", "cli"),
    ("types", "errors"),
    ("config", "errors"),
    ("config", "types"),
}
"""What may be imported within a layer."""

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
FILES = sorted(PACKAGE.rglob("*.py"))
TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def part_of(path: Path) -> str:
    """The layer's member a file belongs to: "store", "node"; "" for the package's own __init__."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py").replace("__init__", "")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, member) for every import from Postroom itself, wherever in the file it stands."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}:{node.lineno}: imports are absolute"
            deep = node.module != "postroom"
            names = [node.module or ""] if deep else [f"postroom.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            member = rest.partition(".")[0]
            if package == "postroom" and member not in ("", "__version__"):
                yield node.lineno, member


def depth(member: str) -> int:
    return next(level for level, members in enumerate(LAYERS) if member in members)


def test_every_part_has_its_place_in_the_arrow():
    parts = {part_of(path) for path in FILES} - {""}
    assert parts <= {member for members in LAYERS for member in members}


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_follow_the_arrow(path: Path):
    ours = part_of(path)
    wrong = [
        f"{named(path)}:{line}: {ours or 'postroom'} may not import {member}"
        for line, member in imports(path)
        if member != ours and not may_import(ours, member)
    ]
    assert wrong == []


def may_import(ours: str, member: str) -> bool:
    if not ours:
        return False
    if depth(ours) == depth(member):
        return (ours, member) in BESIDE
    return depth(ours) < depth(member)


@pytest.mark.parametrize(
    ("ours", "member", "allowed"),
    [
        ("deliver", "compose", True),
        ("compose", "deliver", False),
        ("accept", "events", False),
        ("store", "accept", False),
        ("store", "runtime", True),
        ("store", "tenancy", False),
        ("tenancy", "store", True),
        ("wire", "runtime", False),
        ("wire", "types", True),
        ("types", "wire", False),
        ("accept", "web", False),
        ("accept", "node", False),
        ("cli", "store", True),
    ],
)
def test_the_arrow_itself(ours: str, member: str, allowed: bool):
    assert may_import(ours, member) is allowed


def test_protocols_are_pure():
    """No await, no sockets, no clock and no files under wire."""
    impure = {
        "asyncio",
        "socket",
        "ssl",
        "time",
        "os",
        "pathlib",
        "threading",
        "random",
        "secrets",
    }
    for path in FILES:
        if part_of(path) != "wire":
            continue
        for node in ast.walk(parsed(path)):
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{named(path)}:{node.lineno}"
            if isinstance(node, ast.Import):
                found = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found = {(node.module or "").partition(".")[0]}
            else:
                continue
            assert not found & impure, f"{named(path)}:{node.lineno}: {found & impure}"


@pytest.mark.parametrize("path", FILES + TEST_FILES, ids=named)
def test_files_and_functions_fit(path: Path):
    lines = path.read_text("utf-8").count("\n")
    assert lines <= LONGEST_FILE, f"{named(path)} has {lines} lines"
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{named(path)}:{node.lineno}: {node.name} has {length} lines"


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "__init__.py"], ids=named)
def test_every_package_has_its_design_page(path: Path):
    page = ast.get_docstring(parsed(path)) or ""
    assert len([line for line in page.splitlines() if line.strip()]) >= 3, (
        f"{named(path)}: its docstring is too short"
    )


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_file_says_what_it_is(path: Path):
    assert ast.get_docstring(parsed(path)), f"{named(path)} has no docstring"


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """(line, name as written) of every call."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_only_the_command_line_prints_and_only_runtime_tells_the_time(path: Path):
    for line, name in calls(path):
        if part_of(path) != "cli":
            assert name != "print", f"{named(path)}:{line}: print()"
        if part_of(path) != "runtime":
            assert not tells_the_time(name), f"{named(path)}:{line}: {name}() instead of the clock"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_line_of_the_log_about_an_email_names_its_message(path: Path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
            facts = {keyword.arg for keyword in node.keywords}
            assert "email_id" not in facts or "message_id" in facts, f"{named(path)}:{node.lineno}"


@pytest.mark.parametrize("page", ["docs/journey.md", "CONTRIBUTING.md"])
def test_the_pages_for_newcomers_name_every_stage(page: str):
    there = [stage for stage in STAGES if (PACKAGE / stage).is_dir()]
    assert ", ".join(there) in (ROOT / page).read_text("utf-8")


def test_operations_quotes_the_log_as_it_is():
    """What an operator searches the log for has to be there: whatever is quoted there in four words or more."""
    page = " ".join((ROOT / "docs/operations.md").read_text("utf-8").split())
    code = " ".join(path.read_text("utf-8") for path in FILES)
    quoted = [words for words in re.findall(r"`([a-z][a-z :,]+)`", page) if words.count(" ") >= 3]
    assert len(quoted) > 3
    assert [words for words in quoted if words not in code] == []


def test_a_program_that_a_test_needs_is_asked_for_in_one_way():
    """`support.tools` makes a missing one a failure in CI; `pytest.skip` in the test would be green for ever."""
    for path in TEST_FILES:
        if path.name.startswith("test_"):
            assert "shutil.which" not in {name for _, name in calls(path)}, named(path)


def tells_the_time(name: str) -> bool:
    clocks = ("time", "time_ns", "monotonic", "monotonic_ns", "clock_gettime")
    if name in {f"time.{clock}" for clock in clocks}:
        return True
    return name.endswith(("datetime.now", "datetime.utcnow", "datetime.today", "date.today"))


def test_packages_hold_python_only_where_the_listing_says_so():
    """A folder without __init__ is no package: its files would be missing from the arrow."""
    folders = {path.parent for path in FILES}
    missing = sorted(named(folder) for folder in folders if not (folder / "__init__.py").exists())
    assert [folder for folder in missing if "migrations" not in folder] == []
