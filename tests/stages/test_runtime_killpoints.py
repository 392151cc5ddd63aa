"""Kill points: free unless asked for, and the catalogue is what the product has."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import postroom
from postroom.errors import ConfigError
from postroom.runtime import killpoints
from postroom.runtime.killpoints import LOG, NAMES, SWITCH, plan, reach

PLACE, OTHER = "accept.before_commit", "accept.after_commit"


def arm(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    monkeypatch.setattr(killpoints, "_plan", plan(environ))


def test_without_the_switch_nothing_happens() -> None:
    assert plan({}) is None
    for name in NAMES:
        reach(name)


@pytest.mark.parametrize(
    "text", ["accept.nowhere", f"{PLACE}:explode", f"{PLACE}:raise=NoSuchError", f"{PLACE}:kill=9"]
)
def test_what_does_not_exist_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="no such place or mode"):
        plan({SWITCH: text})


def test_it_happens_once_at_the_nth_time(monkeypatch: pytest.MonkeyPatch) -> None:
    arm(monkeypatch, {SWITCH: f"{PLACE}:2:raise"})
    reach(PLACE)
    reach(OTHER)
    with pytest.raises(OSError, match=PLACE):
        reach(PLACE)
    reach(PLACE)


def test_any_exception_can_be_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    arm(monkeypatch, {SWITCH: f"{PLACE}:raise=ZeroDivisionError"})
    with pytest.raises(ZeroDivisionError):
        reach(PLACE)


def test_the_log_names_each_place_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    arm(monkeypatch, {LOG: str(tmp_path / "log")})
    for name in (PLACE, OTHER, PLACE):
        reach(name)
    assert (tmp_path / "log").read_text() == f"{PLACE}\n{OTHER}\n"


def test_kill_is_the_end_of_the_process() -> None:
    code = f"from postroom.runtime.killpoints import reach; reach('{PLACE}'); print('still here')"
    source = str(Path(postroom.__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": source, SWITCH: PLACE},
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, b"")


def test_the_catalogue_is_what_the_product_has() -> None:
    found: Counter[str] = Counter()
    for path in Path(postroom.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "reach":
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}"
                found[node.args[0].value] += 1
    assert set(found) == set(NAMES)
    assert len(NAMES) == len(set(NAMES))
