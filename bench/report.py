"""The results as Markdown and JSON: medians with their range, ratios between the systems, goals."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from goals import GOALS, Goal, Row, median

OURS = "postroom"


@dataclass(frozen=True)
class Column:
    """`title` over the median of `measure` with so many decimals, and its range when `spread`."""

    title: str
    measure: str
    decimals: int = 0
    spread: bool = False


RATE = Column("messages/s", "rate", spread=True)
ACK = (Column("ack p50 ms", "ack_p50_ms", 1), Column("ack p99 ms", "ack_p99_ms", 1))
CPU = (
    Column("CPU s per 1,000", "cpu_per_1000", 2, spread=True),
    Column("user", "cpu_user_per_1000", 2),
    Column("system", "cpu_system_per_1000", 2),
)
MEMORY = (Column("RSS MiB", "rss_mib"), Column("PSS MiB", "pss_mib"))
FIRST_BYTE = (
    Column("first byte p50 ms", "first_byte_p50_ms", 1),
    Column("p99 ms", "first_byte_p99_ms", 1, spread=True),
    Column("max ms", "first_byte_max_ms", 1),
)
GENERATOR = Column("generator CPU s per 1,000", "generator_cpu_per_1000", 2)
ERRORS, MISSING = Column("errors", "errors"), Column("missing", "missing")

ACCEPTED = (RATE, *ACK, *CPU, *MEMORY, GENERATOR, ERRORS)
DELIVERED = (
    RATE,
    Column("accepted/s", "accept_rate"),
    *ACK,
    *CPU,
    *MEMORY,
    Column("signed", "signed"),
    MISSING,
    ERRORS,
)

TABLES: dict[str, tuple[Column, ...]] = {
    "accept-kept": ACCEPTED,
    "accept-single": ACCEPTED,
    "delivered": DELIVERED,
    "latency": (*FIRST_BYTE, Column("arrived", "arrived"), ERRORS),
    "api": ACCEPTED,
    "api-delivered": DELIVERED,
    "backlog-few": (Column("queued", "queued"), *CPU, *MEMORY, MISSING),
    "backlog-many": (
        Column("queued", "queued"),
        *CPU,
        *MEMORY,
        RATE,
        Column("ready after s", "ready_seconds", 1),
        Column("first delivery after s", "first_delivery_seconds", 1, spread=True),
        *FIRST_BYTE,
        MISSING,
    ),
}

TITLES = {
    "backlog-few": "Delivered with few queued",
    "backlog-many": "Delivered with many queued, and single messages of another account behind them",
}

RATIOS = (
    ("rate", "rate"),
    ("cpu_per_1000", "CPU"),
    ("ack_p99_ms", "ack p99"),
    ("first_byte_p99_ms", "first byte p99"),
)
"""What is compared under each load, where it was measured."""


@dataclass
class Run:
    """Everything about one run. `rows` has a line per load, system and round."""

    machine: dict[str, str]
    settings: dict[str, object]
    versions: dict[str, str]
    skipped: dict[str, str]
    titles: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def as_json(run: Run) -> str:
    compared = [ratio for load in _loads(run) for ratio in _ratios(run.rows, load)]
    return json.dumps(run.__dict__ | {"ratios": compared, "goals": list(_goals(run.rows))}, indent=1)


def as_markdown(run: Run) -> str:
    parts = [
        _list("Machine", run.machine),
        _list("Settings", run.settings),
        _list("Systems", run.versions),
        _list("Left out", run.skipped),
        _list("Failed", dict(enumerate(run.failures, 1))),
        *(_load(run, load) for load in _loads(run)),
        _goal_table(run.rows),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def write(run: Run, directory: Path, name: str) -> list[Path]:
    """Both files."""
    directory.mkdir(parents=True, exist_ok=True)
    files = [directory / f"{name}.md", directory / f"{name}.json"]
    for file, text in zip(files, (as_markdown(run), as_json(run)), strict=True):
        file.write_text(text)
    return files


# -- the parts ---------------------------------------------------------------------------------------------------


def _loads(run: Run) -> list[str]:
    return list(dict.fromkeys(row["load"] for row in run.rows))


def _list(title: str, facts: dict[str, object] | dict[str, str] | dict[int, str]) -> str:
    return (
        "\n".join([f"**{title}**", "", *(f"- {name}: {fact}" for name, fact in facts.items())])
        if facts
        else ""
    )


def _load(run: Run, load: str) -> str:
    rows = [row for row in run.rows if row["load"] == load]
    shown = [column for column in TABLES[load] if any(column.measure in row for row in rows)]
    lines = [
        f"### {run.titles.get(load) or TITLES[load]} (`{load}`)",
        "",
        *_table(["system", *(column.title for column in shown), "n"], _cells(rows, shown)),
    ]
    ratios = _ratios(run.rows, load)
    if ratios:
        cells = [
            [ratio["system"], ratio["peer"], ratio["measure"], f"{ratio['of_medians']:.2f}", _rounds(ratio)]
            for ratio in ratios
        ]
        lines += ["", *_table(["system", "divided by", "measure", "ratio of medians", "each round"], cells)]
    return "\n".join(lines)


def _cells(rows: Sequence[Row], columns: Iterable[Column]) -> list[list[str]]:
    found = []
    for system in dict.fromkeys(row["system"] for row in rows):
        own = [row for row in rows if row["system"] == system]
        cells = [
            _cell([row[column.measure] for row in own if column.measure in row], column) for column in columns
        ]
        found.append([system, *cells, str(len(own))])
    return found


def _cell(values: Sequence[float], column: Column) -> str:
    if not values:
        return "-"
    middle, least, most = (
        f"{value:,.{column.decimals}f}" for value in (statistics.median(values), min(values), max(values))
    )
    return f"{middle} ({least}-{most})" if column.spread and len(values) > 1 else middle


def _ratios(rows: Sequence[Row], load: str) -> list[Row]:
    """Each of ours beside each peer: the ratio of their medians, and that of every round they both have."""
    systems = list(dict.fromkeys(row["system"] for row in rows if row["load"] == load))
    ours = [system for system in systems if system.startswith(OURS)]
    peers = [system for system in systems if not system.startswith(OURS)]
    found = []
    for system in ours:
        for peer in peers:
            for measure, name in RATIOS:
                own, theirs = median(rows, load, system, measure), median(rows, load, peer, measure)
                if own is not None and theirs:
                    rounds = _each_round(rows, load, system, peer, measure)
                    found.append(
                        {
                            "load": load,
                            "system": system,
                            "peer": peer,
                            "measure": name,
                            "of_medians": round(own / theirs, 3),
                            "rounds": rounds,
                        }
                    )
    return found


def _each_round(rows: Sequence[Row], load: str, system: str, peer: str, measure: str) -> list[float]:
    def by_round(name: str) -> dict[int, float]:
        return {
            row["round"]: row[measure]
            for row in rows
            if row["load"] == load and row["system"] == name and measure in row
        }

    own, theirs = by_round(system), by_round(peer)
    return [round(own[number] / theirs[number], 3) for number in sorted(own) if theirs.get(number)]


def _rounds(ratio: Row) -> str:
    return ", ".join(f"{value:.2f}" for value in ratio["rounds"])


def _goals(rows: Sequence[Row]) -> Iterable[Row]:
    for goal in GOALS:
        value = goal.value(rows)
        if value is not None:
            yield {**_named(goal), "value": round(value, 3), "reached": goal.reached(value)}


def _named(goal: Goal) -> Row:
    return {"load": goal.load, "system": goal.system, "measure": goal.measure, "goal": goal.words()}


def _goal_table(rows: Sequence[Row]) -> str:
    cells = [
        [
            row["load"],
            row["system"],
            row["measure"],
            row["goal"],
            f"{row['value']:,.2f}",
            "yes" if row["reached"] else "**no**",
        ]
        for row in _goals(rows)
    ]
    titles = ["load", "system", "measure", "goal", "measured", "reached"]
    return "\n".join(["### Goals", "", *_table(titles, cells)]) if cells else ""


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [titles, ["---"] * len(titles), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
