"""Group commit: the durable end of accept (design section 3).

Drafts gather while a transaction runs, and until the writer's turn has come; the next one takes them all. Inside it the counters are read first and every
draft is decided by itself: one that is over its quota is refused, the others are kept. A transaction that fails
refuses all its members with a 4xx. After an unknown commit the members are looked up by their id.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog

from postroom.accept.rows import Layout, content_row, lay_out
from postroom.errors import CommitUnknownError, StorageUnavailableError
from postroom.runtime import metrics
from postroom.runtime.clock import Clock
from postroom.runtime.killpoints import reach
from postroom.store import batches, messages, quota_days
from postroom.store.batches.rows import CapCounter, Entry, Inserts, Key, Used
from postroom.store.database import Database
from postroom.tenancy.quotas import day_number, quota_refusal
from postroom.tenancy.smtp_caps import Cap
from postroom.types import refusals
from postroom.types.draft import Draft
from postroom.types.refusals import Refused
from postroom.types.suppression import Lists, Suppressed, Suppressing

log = structlog.get_logger()

MOST = 400  # drafts in one transaction
MOST_OCTETS = 8 * 1024 * 1024
MOST_RECIPIENTS = 4000
WAITING = 5000  # drafts that may wait; more are told to come back (X11)
WAITING_OCTETS = 64 * 1024 * 1024
WAITING_RECIPIENTS = 50_000

Answer = str | Refused


@dataclass(slots=True)
class Member:
    """A draft with the limits that are decided in the transaction, and what became of it."""

    draft: Draft
    quota: int | None
    hold_over_quota: bool
    owner: int
    lifetime: int
    ahead: int
    layout: Layout
    answer: asyncio.Future[Answer]
    caps: tuple[Cap, ...] = ()
    decision: Refused | None = None
    held: bool = False

    @property
    def key(self) -> Key | None:
        """Its idempotency key, if it has one."""
        idempotency = self.draft.idempotency
        return None if idempotency is None else (self.draft.account_id, idempotency.key)

    @property
    def octets(self) -> int:
        """Of what is written: what personalizations hold may be far more than the content."""
        return len(self.draft.content.data) + sum(map(len, self.draft.personalizations.values()))

    @property
    def recipients(self) -> int:
        return len(self.draft.envelope.recipients)

    @property
    def entries(self) -> list[Entry]:
        """What this node shall deliver."""
        return self.layout.entries if self.decision is None else []


class GroupCommit:
    """`submit` answers with the message id once the draft is durable. `handed` gets what this node shall deliver;
    `counted` hears how many emails an account has had accepted today, `capped` what the counters of SMTP users that
    have a cap stand at. `log_accepted`: a line for each message."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        lifetime: float,
        owner_for: Callable[[str], int],
        handed: Callable[[list[Member]], None],
        counted: Callable[[int, dict[str, int]], None],
        capped: Callable[[dict[CapCounter, int]], None] = lambda _: None,
        log_accepted: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lifetime = round(lifetime * 1000)
        self._owner_for = owner_for
        self._handed = handed
        self._counted = counted
        self._capped = capped
        self._log_accepted = log_accepted
        self._waiting: list[Member] = []
        self._waiting_octets = self._waiting_recipients = 0
        self._running: set[asyncio.Task[None]] = set()
        self._gathering: asyncio.Task[None] | None = None  # the one that has not taken its batch yet
        # PostgreSQL commits side by side; SQLite has one writer, and a second batch would only wait for the first.
        self._parallel = 1 if database.sqlite else 2

    @property
    def backlog(self) -> int:
        return len(self._waiting)

    def submit(
        self, draft: Draft, *, quota: int | None, hold_over_quota: bool, caps: tuple[Cap, ...] = ()
    ) -> asyncio.Future[Answer]:
        """`quota` is the account's, `caps` are those of the SMTP user; both are decided in the transaction."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self._full:
            answer.set_result(Refused(refusals.STORAGE_UNAVAILABLE))
            return answer
        now, ahead = self._clock.moment()
        owner, lifetime = self._owner_for(draft.account_id), self._lifetime
        layout = lay_out(draft, content_row(draft), now, owner=owner, lifetime=lifetime, ahead=ahead)
        member = Member(draft, quota, hold_over_quota, owner, lifetime, ahead, layout, answer, caps)
        self._waiting.append(member)
        self._waiting_octets += member.octets
        self._waiting_recipients += member.recipients
        self._begin()
        return answer

    async def stop(self) -> None:
        """Wait until everything submitted has its answer."""
        while self._running:
            await asyncio.wait(set(self._running))

    def _begin(self) -> None:
        if self._gathering is not None or len(self._running) == self._parallel:
            return
        task = self._gathering = asyncio.create_task(self._commit(), name="group commit")
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task is self._gathering:  # its turn did not come
            self._gathering = None
        if self._waiting:
            self._begin()

    @property
    def _full(self) -> bool:
        """As much waits as memory is meant to hold, and as the clients' patience will last for."""
        return (
            len(self._waiting) >= WAITING
            or self._waiting_octets >= WAITING_OCTETS
            or self._waiting_recipients >= WAITING_RECIPIENTS
        )

    def _next(self) -> list[Member]:
        self._gathering = None
        octets = recipients = count = 0
        for member in self._waiting[:MOST]:
            octets += member.octets
            recipients += member.recipients
            count += 1
            if octets > MOST_OCTETS or recipients > MOST_RECIPIENTS:
                break
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_octets -= octets
        self._waiting_recipients -= recipients
        return batch

    async def _commit(self) -> None:
        batch: list[Member] = []  # until the turn has come
        now = self._clock.now_ms()
        day = day_number(now)
        writing = asyncio.ensure_future(self._write(batch, now, day))
        try:
            while not (await asyncio.wait({writing}, timeout=self._database.timeout))[0]:
                # Nobody waits forever: who is in this batch or behind it is told to come back. `decide` leaves them
                # out, unless it has run already: then they are delivered too (a second copy is the lesser evil).
                log.error(
                    "accept takes too long; answering 451", members=len(batch), behind=len(self._waiting)
                )
                self._refuse(batch)
                self._refuse(self._waiting)
            await writing
        except CommitUnknownError as error:
            await self._look_up(batch, day, str(error))
        except StorageUnavailableError as error:
            log.exception("messages not stored; answering 451", members=len(batch), reason=str(error))
            self._refuse(batch)
        except Exception as error:
            log.exception("group commit failed inside", members=len(batch))
            await self._look_up(batch, day, str(error))
        finally:
            self._refuse(batch)  # whatever has happened, no session is left without an answer

    async def _write(self, batch: list[Member], now: int, day: int) -> None:
        capped: dict[CapCounter, int] = {}

        def plan(
            used: Used,
            suppressing: Sequence[Suppressing],
            taken: Collection[Key],
            known: dict[CapCounter, int],
        ) -> Inserts:
            inserted = decide(batch, used, Suppressed(suppressing, now), taken, now, known)
            capped.update(
                (counter, used + inserted.capped.get(counter, 0)) for counter, used in known.items()
            )
            reach("accept.planned")
            return inserted

        with metrics.COMMIT_SECONDS.time():
            async with self._database.turn() as database:
                batch += self._next()
                reach("accept.batch_taken")
                limited = [member.draft.account_id for member in batch if member.quota is not None]
                addresses = [
                    (member.draft.account_id, str(recipient.address))
                    for member in batch
                    for recipient in member.draft.envelope.recipients
                ]
                keys = [member.key for member in batch if member.key is not None]
                counters = [cap.counter(now) for member in batch for cap in member.caps]
                holding = [
                    member.draft.account_id
                    for member in batch
                    if member.quota is not None and member.hold_over_quota
                ]
                steady = self._clock.steady_ms()
                counted = await batches.accept(
                    database, day, limited, addresses, plan, keys, steady, counters, holding
                )
        metrics.COMMIT_SIZE.observe(len(batch))
        self._counted(day, counted)
        if capped:
            self._capped(capped)
        self._accept(batch)

    def _accept(self, batch: list[Member]) -> None:
        kept = [member for member in batch if member.decision is None]
        for edge, number in Counter(member.draft.edge for member in kept).items():
            metrics.ACCEPTED.labels(edge.value).inc(number)
        if self._log_accepted:
            _log(kept)
        reach("accept.before_answers")
        for member in batch:
            if not member.answer.done():
                member.answer.set_result(member.decision or member.draft.id)
        reach("accept.before_hand_over")
        self._handed(kept)

    def _refuse(self, batch: list[Member]) -> None:
        for member in batch:
            if not member.answer.done():
                member.answer.set_result(Refused(refusals.STORAGE_UNAVAILABLE))

    async def _look_up(self, batch: list[Member], day: int, reason: str) -> None:
        """The members of an unknown commit are all there or all not: one transaction, which has to end first."""
        try:
            async with asyncio.timeout(self._database.timeout), self._database.write() as connection:
                await quota_days.settle(connection, day, [member.draft.account_id for member in batch])
                keys = [(member.draft.account_id, member.draft.id) for member in batch]
                found = await messages.existing(connection, keys)
        except (StorageUnavailableError, TimeoutError):
            log.exception("commit unknown, and the database is away; answering 451", members=len(batch))
            self._refuse(batch)
            return
        log.warning("commit unknown; looked up", members=len(batch), found=len(found), reason=reason)
        if found:
            self._accept(batch)
        else:
            self._refuse(batch)


def _log(accepted: list[Member]) -> None:
    for member in accepted:
        draft = member.draft
        log.debug(
            "accepted",
            message_id=draft.id,
            account_id=draft.account_id,
            edge=draft.edge.value,
            recipients=member.recipients,
        )


def decide(
    batch: list[Member],
    used: Used,
    suppressed: Suppressed,
    taken: Collection[Key],
    now: int,
    capped: Mapping[CapCounter, int],
) -> Inserts:
    """Decide each member by itself, in order; the rows of those who are kept come back. `used` has the accounts with
    a quota, `taken` idempotency keys of messages that are kept already, `capped` the counters of `Member.caps`."""
    inserts, taken = Inserts(), set(taken)
    for member in batch:
        account_id, emails = member.draft.account_id, len(member.draft.envelope.recipients)
        if member.answer.done():
            # It was told to come back while the transaction waited for its turn, so it must not be kept.
            member.decision = Refused(refusals.STORAGE_UNAVAILABLE)
            continue
        if member.key in taken:
            member.decision = Refused(refusals.IDEMPOTENCY_KEY_IN_USE)
            continue
        member.decision = _over_cap(member, capped, inserts, now)
        if member.decision is None:
            member.decision = _over_quota(member, used, inserts, now)
        if member.decision is None:
            member.decision = _decide_one(member, suppressed, now)
        if member.decision is None:
            if member.key is not None:
                taken.add(member.key)
            counts = inserts.ahead if member.held else inserts.counts
            counts[account_id] = counts.get(account_id, 0) + emails
            for cap in member.caps:
                counter = cap.counter(now)
                inserts.capped[counter] = inserts.capped.get(counter, 0) + emails
            member.layout.add_to(inserts)
    return inserts


def _over_cap(member: Member, capped: Mapping[CapCounter, int], inserts: Inserts, now: int) -> Refused | None:
    """Why an SMTP user may not have this member kept now, or None."""
    for cap in member.caps:
        counter = cap.counter(now)
        used = capped[counter] + inserts.capped.get(counter, 0)
        if used + member.recipients > cap.most:
            return cap.refusal(used, now)
    return None


def _over_quota(member: Member, used: Used, inserts: Inserts, now: int) -> Refused | None:
    """Why the account's quota does not let this member be kept, or None; it may be that it is held for the next day, whose
    quota it uses. That one's is the limit, too: so what is held today can go tomorrow."""
    account_id, quota = member.draft.account_id, member.quota
    if quota is None:
        return None
    today = used.get(account_id, 0) + inserts.counts.get(account_id, 0)
    if today + member.recipients <= quota:
        return None
    tomorrow = used.ahead.get(account_id, 0) + inserts.ahead.get(account_id, 0)
    member.held = member.hold_over_quota and tomorrow + member.recipients <= quota
    return None if member.held else quota_refusal(quota, today, now)


def _decide_one(member: Member, suppressed: Suppressed, now: int) -> Refused | None:
    """Why this member is not kept, or None. Its rows are laid out anew where they are not what they usually are."""
    draft = member.draft
    draft.suppressed = _lists(draft, suppressed) if suppressed else {}
    refused = _suppressed_refusal(draft)
    if refused is not None:
        return refused
    if draft.suppressed or member.held:
        member.layout = lay_out(
            draft,
            member.layout.content,
            now,
            owner=member.owner,
            lifetime=member.lifetime,
            ahead=member.ahead,
            held=member.held,
        )
    return None


def _lists(draft: Draft, suppressed: Suppressed) -> dict[str, Lists]:
    """The suppressed recipients of a draft, and the lists they are on."""
    addresses = {str(recipient.address) for recipient in draft.envelope.recipients}
    who = (draft.domain_id, draft.stream.value)
    found = {address: suppressed.lists(draft.account_id, address, *who) for address in addresses}
    return {address: lists for address, lists in found.items() if lists}


def _suppressed_refusal(draft: Draft) -> Refused | None:
    if draft.refuse_suppressed and draft.suppressed:
        address, lists = next(iter(draft.suppressed.items()))
        facts = {"address": address, "reason": lists[0].reason}
        return Refused(refusals.RECIPIENT_SUPPRESSED, facts)
    if draft.drop_suppressed and len(draft.suppressed) == len(draft.envelope.recipients):
        return Refused(refusals.ALL_SUPPRESSED)
    return None
