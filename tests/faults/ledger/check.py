"""The judge: invariants I1 to I5 of the design, from the two ledgers and the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, fields
from typing import Any

from faults.ledger.state import TERMINAL_EVENTS, State

EXPECTED = {"ok": "delivered", "slow": "delivered", "gone": "bounced"}


@dataclass(frozen=True)
class Disturbance:
    """What both sides knew while the relay was dead or stood still; `dots` came since the disturbance before.

    `window` are the recipients whose final dot the sink has, and whose outcome the database has not. `state` may be of
    the youngest emails only; whoever is older was settled before, and may not arrive again.
    """

    name: str
    state: State
    dots: Counter[str]
    goes_on: bool = False

    @property
    def window(self) -> set[str]:
        state = self.state
        open_ = {to for to in self.dots if to in state.status and not state.final(to)}
        # Of an uncertain email the last attempt is recorded, unless the next one has begun.
        return {to for to in open_ if state.status[to] != "uncertain" or to in state.marked}


@dataclass
class Verdict:
    """`violations` are sentences; none means that the promise was kept. The rest are figures for the report: `unseen` are
    those flagged that nobody has seen marked, `uncounted` recipients were not judged in full."""

    acknowledged: int = 0
    delivered: int = 0
    extra: int = 0
    window: int = 0
    most_marked: int = 0
    flagged: int = 0
    unseen: int = 0
    refused: int = 0
    unknown: int = 0
    uncounted: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        """That of another trial."""
        for figure in fields(self):
            mine, theirs = getattr(self, figure.name), getattr(other, figure.name)
            both = max(mine, theirs) if figure.name == "most_marked" else mine + theirs
            setattr(self, figure.name, both)


def check(
    client: Sequence[dict[str, Any]],
    sink: Sequence[dict[str, Any]],
    end: State,
    disturbances: Sequence[Disturbance],
    *,
    concurrency: int,
    refused_may_arrive: bool = False,
    uncounted: Set[str] = frozenset(),
) -> Verdict:
    """`client` and `sink` are their journals, `end` the database after the queue has drained. In the client's, a batch
    (`bulk`) was acknowledged as a whole: each of its recipients has to have an `id` further down.

    `refused_may_arrive` is for faults after which nobody can know whether a commit happened.
    `uncounted` are recipients who may have been in a window nobody has counted, because the relay was disturbed by
    something else, too: how many copies they have is not judged, everything else is.
    """
    verdict = Verdict()
    said = verdict.violations
    copies = Counter(fact["to"] for fact in sink)
    acknowledged = {to: fact["id"] for fact in client if "id" in fact for to in fact["to"]}
    refused = {to for fact in client if "code" in fact for to in fact["to"]}
    verdict.acknowledged, verdict.delivered = len(acknowledged), len(copies)
    verdict.refused = len(refused)
    verdict.unknown = sum(not fact.keys() & {"id", "bulk", "code"} for fact in client)
    verdict.uncounted = len(uncounted & set(end.status))
    batches = {to: fact["bulk"] for fact in client if "bulk" in fact for to in fact["to"]}
    said += [
        f"I1: {to} was acknowledged in the bulk {batches[to]} and has no message"
        for to in sorted(batches.keys() - acknowledged.keys())
    ]
    said += _kept(acknowledged, copies, end)
    if not refused_may_arrive:
        said += [f"I2: {to} was refused and has arrived" for to in sorted(refused & set(copies))]
    said += _copies(copies, end, disturbances, verdict, uncounted)
    said += _flags(copies, end, disturbances, verdict, concurrency)
    said += _events(end, disturbances)
    said += _contents(sink)
    said += [f"{to} has two emails" for to in end.twice]
    return verdict


def _kept(acknowledged: dict[str, str], copies: Counter[str], end: State) -> list[str]:
    """I1 and I5: each acknowledged recipient is final, as its own fate says and not as its neighbour's."""
    said = []
    for to, message_id in acknowledged.items():
        expected = EXPECTED[to.partition("-")[0]]
        status = end.status.get(to, "missing")
        if end.message_ids.get(to) != message_id:
            said.append(
                f"I1: {to} was acknowledged as {message_id}; the database has {end.message_ids.get(to)}"
            )
        if status != expected:
            said.append(f"I1/I5: {to} is {status}, not {expected}")
        if (copies[to] > 0) != (expected == "delivered"):
            said.append(f"I1: {to} has {copies[to]} copies at the sink")
    said += [f"I1: {to} is in the queue and was never settled" for to in end.queued]
    if end.queued_without_content:
        said.append(f"{end.queued_without_content} queue rows lost their content")
    return said


def _copies(
    copies: Counter[str],
    end: State,
    disturbances: Sequence[Disturbance],
    verdict: Verdict,
    uncounted: Set[str],
) -> list[str]:
    """I3: no extra copy but for a recipient in the window, and no final dot without a mark."""
    said = []
    allowed = Counter(end.uncertain)
    for disturbance in disturbances:
        allowed.update(disturbance.window)
        verdict.window += len(disturbance.window)
        unmarked = disturbance.window - disturbance.state.marked
        said += [f"I3: {disturbance.name}: the final dot for {to} was sent without a mark" for to in unmarked]
    for to, number in copies.items():
        verdict.extra += number - 1
        if number - 1 > allowed[to] and to not in uncounted:
            said.append(f"I3: {to} has {number} copies; it was {allowed[to]} times in the window")
        if to not in end.status:
            said.append(f"I3: {to} was settled before, or is unknown, and has arrived")
    return said


def _flags(
    copies: Counter[str],
    end: State,
    disturbances: Sequence[Disturbance],
    verdict: Verdict,
    concurrency: int,
) -> list[str]:
    """I3: who has more than one copy is flagged, who was not marked is not, and the timeline says why."""
    said = []
    may_be_flagged = set(end.uncertain)
    for disturbance in disturbances:
        most = disturbance.state.most_marked
        may_be_flagged |= disturbance.state.marked
        verdict.most_marked = max(verdict.most_marked, most)
        if most > concurrency:
            said.append(f"I3: {disturbance.name}: one incarnation had marked {most} attempts at once")
    for to, number in copies.items():
        if number > 1 and to not in end.flagged:
            said.append(f"I3: {to} has {number} copies and is not flagged")
    verdict.flagged = len(end.flagged)
    # A relay that goes on after a stop may mark a few more before it learns that its lease is gone.
    unseen = sorted(end.flagged - may_be_flagged)
    verdict.unseen = len(unseen)
    if len(unseen) > concurrency * sum(disturbance.goes_on for disturbance in disturbances):
        said += [f"I3: {to} is flagged for no reason" for to in unseen]
    said += [f"I3: {to} is flagged and nothing says why" for to in end.flagged if not _says_why(end, to)]
    return said


def _says_why(end: State, to: str) -> bool:
    return any(kind == "possible_duplicate" for _, kind in end.events[to])


def _events(end: State, disturbances: Sequence[Disturbance]) -> list[str]:
    """I4: one end each, and what was once written stays."""
    said = []
    for to, events in end.events.items():
        ends = [kind for _, kind in events if kind in TERMINAL_EVENTS]
        if end.final(to) and len(ends) != 1:
            said.append(f"I4: {to} has the ends {sorted(ends)}")
    for disturbance in disturbances:
        for to, events in disturbance.state.events.items():
            if gone := events - end.events[to]:
                said.append(f"I4: {to} lost the events {gone} after {disturbance.name}")
        said += [
            f"I4: {to} was {status} at {disturbance.name} and is {end.status.get(to)}"
            for to, status in disturbance.state.status.items()
            if disturbance.state.final(to) and end.status.get(to) != status
        ]
    return said


def _contents(sink: Sequence[dict[str, Any]]) -> list[str]:
    """Every copy is whole, and all copies of an email have one Message-ID."""
    said = [f"{fact['to']} has arrived damaged" for fact in sink if not fact["whole"]]
    ids: dict[str, str] = {}
    for fact in sink:
        if ids.setdefault(fact["to"], fact["message_id"]) != fact["message_id"] or not fact["message_id"]:
            said.append(f"I3: {fact['to']} has arrived with another Message-ID: {fact['message_id']}")
    return said
