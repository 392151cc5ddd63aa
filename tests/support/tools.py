"""Programs the tests talk to: missing ones are a skip with a reason, in CI a failure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


def need(tool: str) -> str:
    """The path of a program ("swaks", "postfix"), or of a file by its whole path (a PHP library)."""
    found = tool if tool.startswith("/") and Path(tool).exists() else shutil.which(tool, path=_PATH)
    if found is None:
        unavailable(f"{tool} is not installed (scripts/test-packages.sh installs what the tests use)")
    return found


def unavailable(reason: str) -> NoReturn:
    """End this test: it cannot run here. In CI everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
