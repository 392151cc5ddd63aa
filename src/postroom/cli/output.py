"""How commands print: tables and panels for people, the same values as JSON for programs."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from postroom.runtime.clock import Clock

Row = Mapping[str, Any]

PIPED_WIDTH = 160

STYLES = {
    "approved": "green",
    "bounced": "red",
    "cancelled": "red",
    "deferred": "yellow",
    "delivered": "green",
    "expired": "red",
    "fail": "red",
    "held": "yellow",
    "ok": "green",
    "rejected": "red",
    "suspended": "red",
    "uncertain": "yellow",
    "unapproved": "yellow",
    "warn": "yellow",
}


def moment(milliseconds: int | None) -> datetime | None:
    """A time as the database keeps it, as `Output` shows it; None (and 0, which means never) stays None."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def shown(record: Any) -> dict[str, Any]:
    """A record of the database as a row to show: times as moments, and nothing that its `repr` keeps to itself."""
    return {
        field.name: moment(value) if field.name == "at" or field.name.endswith("_at") else value
        for field in fields(record)
        if field.repr
        for value in (getattr(record, field.name),)
    }


def iso(at: datetime) -> str:
    """UTC, to the second, or to the millisecond where there is one: `2026-01-31T09:05:00Z`."""
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def relative(at: datetime, now: datetime) -> str:
    """`3 min ago`, `in 2 h`."""
    seconds = (now - at).total_seconds()
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min"), (1, "s")):
        if abs(seconds) >= size:
            count = int(abs(seconds) / size)
            word = "day" if unit == "days" and count == 1 else unit
            return f"{count} {word} ago" if seconds > 0 else f"in {count} {word}"
    return "now"


class Output:
    """Results on standard output, the rest on standard error. With `as_json` a result is one JSON value."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        # Lines are never broken: what people copy (keys, addresses) has to stay whole. Tables fold inside their cells.
        terminal = sys.stdout.isatty()
        self.console = Console(highlight=False, soft_wrap=True, width=None if terminal else PIPED_WIDTH)
        self.stderr = Console(stderr=True, highlight=False, soft_wrap=True)

    def record(self, title: str, row: Row) -> None:
        """One object."""
        self.value(row, lambda: panel(title, row))

    def records(self, title: str, rows: Sequence[Row], columns: Sequence[str], *, empty: str) -> None:
        """Many objects: people see `columns` of them, JSON has everything. `empty` is said when there are none."""
        self.value(rows, lambda: _table(title, rows, columns) if rows else Text(empty, style="dim"))

    def value(self, value: Any, render: Callable[[], RenderableType]) -> None:
        """Anything: `value` for programs, what `render()` makes of it for people."""
        if self.as_json:
            sys.stdout.write(to_json(value) + "\n")
        else:
            self.console.print(render())

    def markdown(self, page: str) -> None:
        """A page that is a document by itself: no folding, no colours."""
        if self.as_json:
            sys.stdout.write(to_json({"markdown": page}) + "\n")
        else:
            sys.stdout.write(page)

    def source(self, message: bytes) -> None:
        """Byte for byte, which no text in JSON is: there it is base64."""
        if self.as_json:
            encoded = b64encode(message).decode("ascii")
            sys.stdout.write(to_json({"source": encoded, "encoding": "base64"}) + "\n")
        else:
            sys.stdout.buffer.write(message)

    def note(self, text: str) -> None:
        """A remark beside the result, for people only."""
        if not self.as_json:
            self.stderr.print(Text(text, style="dim"))

    def error(self, message: str) -> None:
        if self.as_json:
            sys.stderr.write(to_json({"error": message}) + "\n")
        else:
            self.stderr.print(Text(f"error: {message}", style="red"))


def to_json(value: Any) -> str:
    return json.dumps(value, default=_json_default, ensure_ascii=False)


def _json_default(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Enum):
        return value.value
    return str(value)


def cell(value: Any, now: datetime | None = None) -> Text:
    """One value as people read it. What came from strangers is shown as text, never as markup or control codes."""
    if isinstance(value, datetime):
        return Text.assemble(
            iso(value.replace(microsecond=0)), (f" ({relative(value, now or Clock().now())})", "dim")
        )
    if value is None or value == "" or value == []:
        return Text("-", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, list | tuple):
        return Text("\n").join(cell(item, now) for item in value)
    if isinstance(value, dict):
        return Text("\n").join(Text(f"{name}: ") + cell(item, now) for name, item in value.items())
    text = printable(str(value))
    return Text(text, style=STYLES.get(text, ""))


def printable(text: str) -> str:
    """The text without control characters, which could drive the reader's terminal; line ends and tabs stay."""
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)


def panel(title: str, row: Row) -> RenderableType:
    """One object as people see it: a line for each of its names."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in row.items():
        grid.add_row(name.replace("_", " "), cell(value))
    return Panel(grid, title=title, title_align="left", expand=False)


def _table(title: str, rows: Sequence[Row], columns: Sequence[str]) -> RenderableType:
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(cell(row[name]) for name in columns))
    return table
