"""The quick starts in docs/api.md, as they are printed there."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "api.md"

_FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def snippets(heading: str) -> list[str]:
    """The code below a heading, block by block."""
    _, found, below = PAGE.read_text("utf-8").partition(f"\n### {heading}\n")
    assert found, f"{PAGE.name} has no heading {heading}"
    section = re.split(r"\n#{2,3} ", below)[0]
    return [code for _, code in _FENCED.findall(section)]
