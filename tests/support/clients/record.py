"""What the clients showed: `clients.json` beside the tests, reviewed and committed like any expectation.

`POSTROOM_RECORD=1 make test` writes it anew; then `scripts/clients_doc.py` makes docs/clients.md of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.clients import ClientResult

FILE = Path(__file__).parents[2] / "e2e/clients.json"

_NORMAL = [
    (re.compile(r"\b[0-9a-f]{24}\b"), "ID"),
    (re.compile(r"\bin \d+ h(?: \d+ min)?|\bin \d+ min"), "in 3 h"),
    (re.compile(r"\btry again in \d+ s", re.IGNORECASE), "Try again in 50 s"),
    (re.compile(r"(?<=localhost:)\d+|(?<=port )\d{4,}|(?<=\]:)\d+"), "2525"),
    (re.compile(r"\bpr_\w+@"), "pr_user@"),
    (re.compile(r"/\S*/ca\.crt"), "ca.crt"),
    (re.compile(r"_ssl\.c:\d+"), "_ssl.c"),
    (re.compile(r"message size \d+ exceeds"), "message size 74000 exceeds"),
]


def normal(text: str) -> str:
    """Without what differs from run to run: ids, ports, times, places."""
    for pattern, written in _NORMAL:
        text = pattern.sub(written, text)
    return text


def load() -> dict[str, Any]:
    """By client: its `version`, and by case its `outcome` and what it has `shown`."""
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


def save(version_of: Mapping[str, str], seen: Mapping[tuple[str, str], ClientResult]) -> None:
    """Put these results, by client and case, in place of the recorded ones."""
    record = load()
    for (client, case), result in seen.items():
        entry = record.setdefault(client, {"version": "", "cases": {}})
        entry["version"] = version_of[client]
        entry["cases"][case] = {"outcome": result.outcome, "shown": normal(result.shown)}
    FILE.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
