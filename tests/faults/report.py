"""What a campaign has found, and the table it prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from faults.ledger.check import Verdict
from faults.ledger.provoke import MODES
from postroom.runtime.killpoints import NAMES

OK, FAILED = "ok", "FAILED"
FIGURES = (
    "acknowledged",
    "delivered",
    "extra",
    "window",
    "most_marked",
    "flagged",
    "unseen",
    "refused",
    "unknown",
    "uncounted",
)


@dataclass
class Account:
    """What was found on one database. `random` counts the kills at random, `violations` are sentences."""

    database: str
    verdict: Verdict = field(default_factory=Verdict)
    cases: dict[tuple[str, str], str] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    random: int = 0
    kills: int = 0
    stops: int = 0
    violations: list[str] = field(default_factory=list)

    def case(self, name: str, mode: str, seconds: float, violations: Sequence[str]) -> None:
        self.cases[name, mode] = FAILED if violations else OK
        self.violations += [f"{self.database}: {mode} at {name}: {violation}" for violation in violations]
        say(f"{self.database:10} {mode:5} {name:32} {seconds:5.1f} s  {self.cases[name, mode]}")
        for violation in violations:
            say(f"    {violation[:4000]}")


def merged(accounts: Sequence[Account]) -> Account:
    """Of several lanes on one database."""
    together = Account(accounts[0].database)
    for one in accounts:
        together.verdict.add(one.verdict)
        together.cases |= one.cases
        together.reached |= one.reached
        together.random += one.random
        together.kills += one.kills
        together.stops += one.stops
        together.violations += one.violations
    return together


def say(line: str) -> None:
    print(line, flush=True)


def table(accounts: Sequence[Account]) -> None:
    def row(name: str, *columns: object) -> None:
        say(f"{name:34}" + "".join(f"{column:>24}" for column in columns))

    say("")
    row(f"place ({', '.join(MODES)})", *(one.database for one in accounts))
    for name in NAMES:
        row(name, *(" ".join(one.cases.get((name, mode), "-") for mode in MODES) for one in accounts))
    for figure in FIGURES:
        row(figure, *(getattr(one.verdict, figure) for one in accounts))
    row("kills at random", *(one.random for one in accounts))
    row("all ends and restarts", *(one.kills for one in accounts))
    row("stops longer than the lease", *(one.stops for one in accounts))


def report(accounts: Sequence[Account], more: Sequence[str], *, complete: bool) -> int:
    """Print the table; how many violations. `complete`: every place should have been reached."""
    if accounts:
        table(accounts)
    violations = [violation for one in accounts for violation in one.violations] + list(more)
    if complete:
        missing = set(NAMES).difference(*(one.reached for one in accounts))
        violations += [f"{name} is declared and was never reached" for name in sorted(missing)]
    for violation in dict.fromkeys(violations):
        say(violation[:1000])
    say(f"{len(violations)} violations" if violations else "the promise held")
    return len(violations)
