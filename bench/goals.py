"""What Postroom is to reach, each as a ratio between systems, loads or limits within one run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

SQLITE, POSTGRES = "postroom-sqlite", "postroom-postgres"
POSTFIX, OPENDKIM, EXIM, BARE = "postfix", "postfix-opendkim", "exim", "bare-fastapi"


@dataclass(frozen=True)
class Goal:
    """`measure` of `system` under `load`, divided by that of `peer` (under `peer_load`, the same by default), is to be
    at least or at most a number. Without a peer the number itself is limited."""

    load: str
    system: str
    measure: str
    peer: str = ""
    at_least: float | None = None
    at_most: float | None = None
    peer_load: str = ""

    def value(self, rows: Sequence[Row]) -> float | None:
        """The ratio of medians; None when one of the two was not measured."""
        own = median(rows, self.load, self.system, self.measure)
        if own is None or not self.peer:
            return own
        theirs = median(rows, self.peer_load or self.load, self.peer, self.measure)
        return own / theirs if theirs else None

    def reached(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    def words(self) -> str:
        beside = f" x {self.peer}" if self.peer else ""
        where = f" with {self.peer_load}" if self.peer_load else ""
        limit = f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"
        return f"{limit}{beside}{where}"


def median(rows: Sequence[Row], load: str, system: str, measure: str) -> float | None:
    values = [
        row[measure] for row in rows if row["load"] == load and row["system"] == system and measure in row
    ]
    return statistics.median(values) if values else None


GOALS = (
    Goal("accept-kept", SQLITE, "rate", POSTFIX, at_least=3),
    Goal("accept-kept", SQLITE, "rate", EXIM, at_least=1.5),
    Goal("accept-kept", SQLITE, "ack_p99_ms", POSTFIX, at_most=1),
    Goal("accept-single", SQLITE, "rate", POSTFIX, at_least=2.5),
    Goal("accept-single", SQLITE, "ack_p99_ms", POSTFIX, at_most=1),
    Goal("delivered", SQLITE, "rate", OPENDKIM, at_least=3),
    Goal("delivered", SQLITE, "rate", POSTFIX, at_least=1),
    Goal("delivered", SQLITE, "cpu_per_1000", OPENDKIM, at_most=1 / 3),
    Goal("accept-kept", POSTGRES, "rate", POSTFIX, at_least=2),
    Goal("accept-kept", POSTGRES, "rate", EXIM, at_least=1),
    Goal("delivered", POSTGRES, "rate", OPENDKIM, at_least=2),
    Goal("latency", SQLITE, "first_byte_p99_ms", at_most=100),
    Goal("api", SQLITE, "rate", BARE, at_least=0.6),
    Goal("api-delivered", SQLITE, "rate", OPENDKIM, at_least=3, peer_load="delivered"),
    *(
        goal
        for system in (SQLITE, POSTGRES)
        for goal in (
            Goal("backlog-many", system, "cpu_per_1000", system, at_most=1.1, peer_load="backlog-few"),
            Goal("backlog-many", system, "first_delivery_seconds", at_most=10),
            Goal("backlog-many", system, "first_byte_p99_ms", at_most=5000),
        )
    ),
)
