"""The numbers of the contract: each one is used, or the docs say why it cannot come."""

from __future__ import annotations

import re
from pathlib import Path

import postroom
from postroom.web.api.codes import _CODES

CONTRACT = {
    *(40001, 40301, 40302, 40303, 40304, 40305),
    *range(42201, 42233),
    *(42240, 42901, 42903, 5001),
} - {42203, 42212}
"""mailersend-api, section 1.5. Of the two nobody knows what they mean."""

SOURCE = Path(postroom.__file__).parent
DIFFERENCES = SOURCE.parent.parent / "docs" / "api-differences.md"


def numbers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"#MS(\d+)", text)}


def test_every_number_of_the_contract_is_used_or_explained() -> None:
    used = set(_CODES.values()).union(*(numbers(path.read_text()) for path in SOURCE.rglob("*.py")))
    explained = numbers(DIFFERENCES.read_text().partition("These numbers of the contract never come")[2])
    assert used <= CONTRACT
    assert used.isdisjoint(explained)
    assert CONTRACT - used == explained
