"""CSV (RFC 4180) that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: str) -> str:
    """Strangers choose names and addresses, and spreadsheets take a cell that begins so for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
