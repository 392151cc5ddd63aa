"""A simulated installation: one queue table, some nodes, some sites, and everything that may go wrong between them.

The decisions are the product's own pure functions: `verdict.judge`, `fair.FairQueue`, `rows.claimed`, `rows.current`
and `record`. Only what holds them together is modelled here: the table with its owners and marks, leases, and the
steps of an attempt. A `World` makes one random step at a time and checks the invariants after each; everything comes
from its seed.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from postroom.deliver import record
from postroom.deliver.fair import FairQueue
from postroom.deliver.verdict import QUARANTINE_AFTER, judge
from postroom.store.batches.rows import Entry, OutcomeRecord, claimed, current
from postroom.store.queue import NEVER
from postroom.types.outcome import Outcome, Result
from postroom.types.reply import Reply
from postroom.types.status import EmailStatus, Hold

LEASE = 60_000
CONCURRENCY, CONNECTIONS, IN_MEMORY, CLAIM = 12, 3, 60, 20
RETRY = (60.0, 300.0, 1800.0)
LIFETIME = 6 * 3_600_000
ACCOUNTS, SITES, NODES = 5, 4, 2
DELIVERED, LATER = Reply.of(250, "2.0.0", "taken"), Reply.of(451, "4.3.0", "later")
NO_USER, SILENCE = Reply.of(550, "5.1.1", "no such user"), Reply.of(451, "4.4.2", "no reply")


@dataclass(slots=True)
class Row:
    """The queue row and the email of one recipient."""

    entry: Entry
    owner: int
    due_at: int
    mark: int = 0
    hold: str = ""
    status: EmailStatus = EmailStatus.QUEUED
    flagged: bool = False
    sent: bool = False
    copies: int = 0
    in_window: bool = False
    """The final dot is sent, the outcome not committed."""
    excused: int = 0
    """How many more copies than one its history explains."""

    @property
    def final(self) -> bool:
        return self.status.final

    def columns(self, *, paused: bool) -> list[Any]:
        """As a SELECT of `rows.ENTRY_COLUMNS`: what the email's row says comes from there."""
        said = {"possible_duplicate": self.flagged, "sent": self.sent, "owner": self.owner, "paused": paused}
        return [said.get(name, getattr(self.entry, name)) for name in Entry.__slots__]


@dataclass(slots=True)
class Attempt:
    entry: Entry
    marked: bool | None = None
    outcome: Outcome | None = None


@dataclass(slots=True, eq=False)
class Node:
    """A process: what it knows and does. `until` is when its lease ends, as it believes itself."""

    incarnation: int
    until: int
    entries: dict[str, Entry] = field(default_factory=dict)
    lanes: dict[str, FairQueue] = field(default_factory=lambda: defaultdict(FairQueue))
    attempts: dict[str, Attempt] = field(default_factory=dict)
    records: list[OutcomeRecord] = field(default_factory=list)
    asleep: int = 0
    believes_paused: bool = False


class BrokenError(AssertionError):
    """An invariant does not hold."""


class World:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 1_000_000_000_000
        self.rows: dict[str, Row] = {}
        self.queue: set[str] = set()
        self.leases: dict[int, int] = {}
        self.down: set[str] = set()
        self.paused = False
        self.faults = True
        self.steps: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self._number = 0
        self.nodes = [self._started() for _ in range(NODES)]

    # -- one step --------------------------------------------------------------------------------------------------

    def step(self) -> None:
        names = list(_USUAL if not self.faults else _USUAL | _FAULTS)
        weights = [(_USUAL | _FAULTS)[name] for name in names]
        name = self.chance.choices(names, weights)[0]
        self.steps[name] += 1
        node = self.chance.choice(self.nodes)
        if node.asleep > self.now and name not in ("wait", "accept", "site"):
            return
        getattr(self, f"_{name}")(node)

    def run_dry(self, most: int) -> None:
        """Faults have stopped: the queue has to drain."""
        self.faults = False
        self.down.clear()
        self.paused = False
        for node in self.nodes:
            node.asleep = 0
        for _ in range(most):
            if not self.queue:
                return
            self.step()
            self._hurry()
        raise BrokenError(f"liveness: {len(self.queue)} are still queued")

    def _hurry(self) -> None:
        """When there is nothing to do, go to the moment when there is."""
        if any(node.entries or node.records for node in self.nodes):
            return
        due = [self.rows[one].due_at for one in self.queue]
        soonest = min((at for at in due if at != NEVER), default=self.now)
        if soonest > self.now:
            self._pass(soonest - self.now)

    # -- time and faults -------------------------------------------------------------------------------------------

    def _wait(self, node: Node) -> None:
        self._pass(self.chance.choice((10, 200, 5_000, 30_000)))

    def _pass(self, milliseconds: int) -> None:
        """Who is awake renews in time; that is what the heartbeat is for."""
        end = self.now + milliseconds
        while self.now < end:
            self.now = min(end, self.now + LEASE // 3)
            for node in self.nodes:
                awake = (
                    self.now - node.asleep >= LEASE // 4
                )  # its heartbeat need not be the first thing it does
                if awake and self.now - (node.until - LEASE) >= LEASE // 3:
                    self._renew(node)

    def _crash(self, node: Node) -> None:
        self.nodes[self.nodes.index(node)] = self._started()

    def _sleep(self, node: Node) -> None:
        """SIGSTOP, a paused machine: its clock for leases runs on."""
        node.asleep = self.now + self.chance.choice((1_000, 2 * LEASE))

    def _site(self, _: Node) -> None:
        site = f"s{self.chance.randrange(SITES)}.test"
        self.down ^= {site}

    # -- the pause of sending ------------------------------------------------------------------------------------

    def _pause(self, _: Node) -> None:
        """Somebody pauses or resumes, and may be cut off before he has come to the rows."""
        self.paused = not self.paused
        if self.chance.random() < 0.7:
            for email_id in sorted(self.queue):
                row = self.rows[email_id]
                if self.paused and not row.hold and not row.mark:
                    row.owner, row.hold, row.due_at, row.status = 0, Hold.PAUSED, NEVER, EmailStatus.HELD
            self._sweep()

    def _look(self, node: Node) -> None:
        """A node's cache learns of it, and its jobs free what was left behind: paused rows, and rows of its own that it
        does not work on (claimed again while an attempt that the table refused went on)."""
        node.believes_paused = self.paused
        self._sweep()
        recording = {one.email.id for one in node.records}
        for email_id in sorted(self.queue - node.entries.keys() - recording):
            row = self.rows[email_id]
            if row.owner == node.incarnation and row.due_at < self.now - LEASE:
                row.owner = 0

    def _sweep(self) -> None:
        for email_id in sorted(self.queue):
            row = self.rows[email_id]
            if not self.paused and row.hold == Hold.PAUSED:
                row.hold, row.due_at, row.owner, row.status = "", self.now, 0, EmailStatus.QUEUED

    # -- leases ----------------------------------------------------------------------------------------------------

    def _started(self) -> Node:
        self._number += 1
        self.leases[self._number] = self.now + LEASE
        return Node(self._number, self.now + LEASE)

    def _renew(self, node: Node) -> None:
        if self.leases[node.incarnation] >= self.now:
            self.leases[node.incarnation] = node.until = self.now + LEASE
            return
        # Lost: record what is known, forget everything, and begin again under a new number.
        self._write(node)
        self.nodes[self.nodes.index(node)] = self._started()

    # -- in -------------------------------------------------------------------------------------------------------

    def _accept(self, node: Node) -> None:
        if len(self.queue) > 400:
            return
        number = len(self.rows) + 1
        account = f"a{min(self.chance.randrange(ACCOUNTS), self.chance.randrange(ACCOUNTS))}"
        email_id = f"{number:024x}"
        entry = Entry(
            account,
            email_id,
            email_id,
            "d",
            f"s{self.chance.randrange(SITES)}.test",
            self.chance.choice((0, 1)),
            self.now,
            self.now + LIFETIME,
            0,
            0,
            f"{self.chance.choice(('ok', 'ok', 'ok', 'gone'))}-{number}@x.test",
            "",
            "",
        )
        mine = node.asleep <= self.now and len(node.entries) < IN_MEMORY and not node.believes_paused
        entry.owner = node.incarnation if mine else 0
        row = self.rows[email_id] = Row(entry, entry.owner, self.now)
        if node.believes_paused:
            row.hold, row.due_at, row.status = Hold.PAUSED, NEVER, EmailStatus.HELD
        self.queue.add(email_id)
        if mine:
            self._take(node, entry)

    def _claim(self, node: Node) -> None:
        account = f"a{self.chance.randrange(ACCOUNTS)}"
        room = min(CLAIM, IN_MEMORY - len(node.entries))
        due = [one for one in sorted(self.queue) if self._claimable(self.rows[one], node, account)]
        for email_id in due[: max(0, room)]:
            row = self.rows[email_id]
            row.owner, row.hold = node.incarnation, ""
            entry, event = claimed((*row.columns(paused=self.paused), row.mark), self.now)
            if (event is not None) != bool(row.mark):
                raise BrokenError("a mark was claimed without a word")
            if event is not None:
                row.excused += row.in_window
                row.in_window = False
                row.status, row.flagged, row.mark = EmailStatus.UNCERTAIN, True, 0
                row.entry = entry
            self._take(node, entry)

    def _claimable(self, row: Row, node: Node, account: str) -> bool:
        """A node never claims its own, even if its lease has lapsed: it would count its own attempts as unfinished."""
        free = row.owner == 0 or (row.owner != node.incarnation and self.leases[row.owner] < self.now)
        return free and row.entry.account_id == account and row.due_at <= self.now

    def _take(self, node: Node, entry: Entry) -> None:
        if entry.email_id not in node.entries:
            node.entries[entry.email_id] = entry
            node.lanes[entry.site].push(entry)

    # -- out -------------------------------------------------------------------------------------------------------

    def _begin(self, node: Node) -> None:
        """A worker takes the next entry: gate, and the wish for a mark."""
        site = f"s{self.chance.randrange(SITES)}.test"
        lane = node.lanes[site]
        busy = sum(attempt.entry.site == site for attempt in node.attempts.values())
        if busy >= CONNECTIONS or len(node.attempts) >= CONCURRENCY:
            return
        entry = lane.pop()
        if entry is None:
            return
        held = Hold.QUARANTINED if entry.unfinished >= QUARANTINE_AFTER else Hold.PAUSED
        if held is Hold.QUARANTINED or entry.paused or node.believes_paused:
            late = self.now >= entry.expires_at and held is Hold.QUARANTINED
            made = (
                record.expired(entry, held, self.now, keep_content=0)
                if late
                else record.held(entry, held, self.now)
            )
            node.records.append(made)
            del node.entries[entry.email_id]
        else:
            node.attempts[entry.email_id] = Attempt(entry)

    def _tick(self, node: Node) -> None:
        """One transaction: outcomes, then marks."""
        if self.faults and self.chance.random() < 0.05:
            return  # the database is away; everything waits
        self._write(node)
        for attempt in node.attempts.values():
            if attempt.marked is None:
                row = self.rows[attempt.entry.email_id]
                ours = attempt.entry.email_id in self.queue and row.owner == node.incarnation and not row.hold
                attempt.marked = ours and not self.paused
                attempt.entry.paused |= ours and self.paused
                if attempt.marked:
                    row.mark = row.entry.attempts + 1

    def _write(self, node: Node) -> None:
        found = {
            one.email.id: (self.rows[one.email.id].owner, self.rows[one.email.id].entry.attempts)
            for one in node.records
            if one.email.id in self.queue
        }
        for one in current(node.records, found):
            self._record(one)
        node.records.clear()

    def _record(self, one: OutcomeRecord) -> None:
        row = self.rows[one.email.id]
        if row.final:
            raise BrokenError(f"I4: {one.email.id} was {row.status} and becomes {one.email.status}")
        row.status = EmailStatus(one.email.status)
        row.flagged, row.sent = one.email.possible_duplicate, one.email.sent
        row.mark, row.in_window = 0, False
        if one.queue.due_at is None:
            if not row.final:
                raise BrokenError(f"{row.status} without a queue row")
            self.queue.discard(one.email.id)
            self.ends[row.status] += 1
            self._check_end(row)
            return
        row.entry.attempts, row.entry.unfinished = one.queue.attempts, one.queue.unfinished
        row.due_at, row.owner, row.hold = one.queue.due_at, one.queue.owner, one.queue.hold

    def _dot(self, node: Node) -> None:
        """The final dot of one attempt, if it may be sent, and what the other side says."""
        waiting = [one for one in node.attempts.values() if one.marked is not None and one.outcome is None]
        if not waiting:
            return
        attempt = self.chance.choice(waiting)
        entry = attempt.entry
        if not attempt.marked:
            if entry.paused:
                node.records.append(record.held(entry, Hold.PAUSED, self.now))
            del node.attempts[entry.email_id], node.entries[entry.email_id]
        elif self.now >= node.until:
            attempt.outcome = Outcome(Result.DEFERRED, LATER, reached=True)
        else:
            attempt.outcome = self._remote(node, entry)

    def _remote(self, node: Node, entry: Entry) -> Outcome:
        row = self.rows[entry.email_id]
        if entry.email_id not in self.queue or row.owner != node.incarnation or not row.mark:
            raise BrokenError(f"Q14: {entry.email_id} is sent by a node that does not own it")
        if entry.site in self.down:
            return Outcome(Result.DEFERRED, LATER)
        if entry.recipient.startswith("gone"):
            return Outcome(Result.FAILED, NO_USER, reached=True)
        if row.copies and not entry.possible_duplicate:
            raise BrokenError(f"I3: another copy of {entry.email_id} is sent, and it is not flagged")
        row.copies += 1
        if row.copies - 1 > row.excused:
            raise BrokenError(f"I3: {row.copies} copies of {entry.email_id}, {row.excused} of them explained")
        if self.faults and self.chance.random() < 0.03:
            row.excused += 1
            return Outcome(Result.UNCERTAIN, SILENCE, reached=True, retry_after=900)
        row.in_window = True
        return Outcome(Result.DELIVERED, DELIVERED, reached=True)

    def _settle(self, node: Node) -> None:
        done = [one for one in node.attempts.values() if one.outcome is not None]
        if not done:
            return
        attempt = self.chance.choice(done)
        entry, outcome = attempt.entry, attempt.outcome
        assert outcome is not None
        verdict = judge(entry, outcome, self.now, RETRY, self.chance)
        if verdict.status is EmailStatus.EXPIRED and self.now < entry.expires_at:
            raise BrokenError("Q18: expired before its time")
        if verdict.due_at is not None and not self.now < verdict.due_at <= max(
            entry.expires_at, self.now + 1000
        ):
            raise BrokenError(f"Q18: the next attempt is at {verdict.due_at}")
        node.records.append(record.attempt(entry, outcome, verdict, self.now, keep_content=0))
        del node.attempts[entry.email_id], node.entries[entry.email_id]

    # -- judging ---------------------------------------------------------------------------------------------------

    def _check_end(self, row: Row) -> None:
        if row.status is EmailStatus.DELIVERED and not row.copies:
            raise BrokenError(f"I1: {row.entry.email_id} is delivered and nobody has it")
        if row.copies > 1 and not row.flagged:
            raise BrokenError(f"I3: {row.entry.email_id} has {row.copies} copies and is not flagged")
        if row.status is EmailStatus.BOUNCED and row.entry.recipient.startswith("ok") and not row.excused:
            raise BrokenError(f"I5: {row.entry.email_id} bounced for somebody else")

    def check(self) -> None:
        """What holds between any two steps."""
        marked = Counter(self.rows[one].owner for one in self.queue if self.rows[one].mark)
        for node in self.nodes:
            # Its attempts, and those whose outcome is on its way.
            if marked[node.incarnation] > CONCURRENCY + len(node.records):
                raise BrokenError(f"I3: {marked[node.incarnation]} attempts are marked at once")
        for email_id in self.queue:
            if self.rows[email_id].final:
                raise BrokenError(f"I4: {email_id} is final and queued")


_USUAL = {"accept": 5, "claim": 4, "begin": 20, "tick": 12, "dot": 20, "settle": 20, "wait": 6, "look": 2}
_FAULTS = {"crash": 0.3, "sleep": 0.3, "site": 0.5, "pause": 0.2}
