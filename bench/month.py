"""Fills Postroom's database with a month of an installation, by its own tables: what its dashboard has to show.

It runs as a process of its own before `postroom serve`, with that one's settings in its environment. The account that
owns the domain gets all the emails that are asked for, and a twentieth as many refusals; other accounts a few more.
Everything is spread evenly over the 30 days before now, and 19 domains are added to the one that is there.

    python bench/month.py example.test 100000
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import zstandard
from sqlalchemy import Table, insert, select

from postroom import config
from postroom.deliver import transcript
from postroom.events.recipients import Gathering
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import domains, partitions, query, refusals, schema, suppressions
from postroom.store.accounts import Account
from postroom.store.audit import Entry
from postroom.store.batches.rows import (
    AttemptRow,
    ContentRow,
    EmailRow,
    EventRow,
    InboxRow,
    MessageRow,
    QueueRow,
)
from postroom.store.checkpoint import Checkpointer
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.suppressions import Suppression
from postroom.types.events import EventType
from postroom.types.outcome import TranscriptLine
from postroom.types.refusals import CATALOGUE
from postroom.types.status import EmailStatus

DAY, HOUR = 86_400_000, 3_600_000
MONTH = 30 * DAY - 2 * HOUR  # what is older is deleted while it is looked at
CHUNK = 2000
DOMAINS, ACCOUNTS, SUPPRESSED, CHANGES, LETTERS = 20, 200, 5000, 10_000, 1000
SITES = ("example.net", "example.org", "mail.test", "post.test", "firm.test", "uni.test")
SUBJECTS = (
    "Your order {} has been sent",
    "Invoice {}",
    "News of the week {}",
    "Your password was changed",
    "Reminder: appointment {}",
    "Receipt for your payment {}",
)
TAGS = ("", "order", "invoice", "news\nweekly", "account", "reminder")
RARE = "lighthouse"
"""In the subject and the tags of one message of five thousand."""
LISTS = ("blocklist", "hard_bounces", "spam_complaints", "unsubscribes", "on_hold")
ACTIONS = ("domain.updated", "smtp_user.created", "token.updated", "webhook.updated", "session.created")
MX, SERVER, TLS = "mx1.{}", "192.0.2.25", "TLSv1.3 TLS_AES_256_GCM_SHA384 (verified)"
ACCEPTED, LATER, UNKNOWN = (
    (250, "2.0.0", "250 2.0.0 Ok: queued as 4XkJ2v"),
    (451, "4.7.1", "451 4.7.1 Greylisted, please come back later"),
    (550, "5.1.1", "550 5.1.1 No such user"),
)
Reply = tuple[int, str, str]


@dataclass
class Rows:
    """What is to be inserted, by table."""

    of: dict[Table, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: Table, row: Any, **more: Any) -> None:
        self.of[table].append(row._asdict() | more)


class Month:
    """`messages` yields the rows of a few at a time, the oldest first."""

    def __init__(self, owned: Sequence[Domain], credential_id: str, now: int, chance: Random) -> None:
        self._owned = owned
        self._credential = credential_id
        self._now = now
        self._chance = chance
        self._said = {reply: _said(reply) for reply in (ACCEPTED, LATER, UNKNOWN)}

    def messages(self, emails: int) -> Iterator[Rows]:
        rows, done, number = Rows(), 0, 0
        while done < emails:
            number += 1
            recipients = min(10 if number % 100 == 0 else 1, emails - done)
            at = self._now - MONTH + MONTH * done // emails
            self._message(rows, number, at, recipients)
            done += recipients
            if number % CHUNK == 0:
                yield rows
                rows = Rows()
        yield rows

    def _message(self, rows: Rows, number: int, at: int, recipients: int) -> None:
        domain = self._chance.choice(self._owned)
        kind = self._chance.randrange(len(SUBJECTS))
        subject, tags = SUBJECTS[kind].format(number), TAGS[kind]
        if number % 5000 == 0:
            subject, tags = f"The {RARE} {number}", RARE
        row = message(domain, self._credential, at, subject, tags)
        rows.add(schema.messages, row, content_gone=True)
        for _ in range(recipients):
            self._email(rows, row)

    def _email(self, rows: Rows, of: MessageRow) -> None:
        site = self._chance.choice(SITES)
        recipient = f"reader{self._chance.randrange(30_000)}@{site}"
        fate, at = self._chance.random(), of.received_at
        email_id = ids.mail_id(at)

        def email(status: EmailStatus, attempts: int, reply: str, final_at: int | None) -> None:
            row = EmailRow(of.account_id, email_id, of.id, recipient, status.value, "", "", at, final_at)
            rows.add(schema.emails, row, attempts=attempts, reply=reply, sent=attempts > 0)

        def tried(number: int, reply: Reply, then: int, *happened: EventType) -> None:
            result = {250: "delivered", 451: "deferred"}.get(reply[0], "failed")
            host, said = MX.format(site), self._said[reply]
            attempt = (of.account_id, email_id, number, then, result, 420, host, SERVER, TLS, *reply, said)
            rows.add(schema.attempts, AttemptRow(*attempt))
            detail = {"reply": reply[2], "host": host}
            for kind in happened:
                event(kind, then, detail)

        def event(kind: EventType, then: int, detail: dict[str, Any]) -> None:
            made = (of.account_id, ids.mail_id(then), then, email_id, of.id, kind.value, json.dumps(detail))
            rows.add(schema.events, EventRow(*made))

        first, second = at + 500, at + 6 * 60_000
        if fate < 0.015:
            email(EmailStatus.SUPPRESSED, 0, "", at)
            event(EventType.SUPPRESSED, at, {"reason": "hard_bounced"})
        elif fate < 0.035:
            email(EmailStatus.BOUNCED, 1, UNKNOWN[2], first)
            tried(1, UNKNOWN, first, EventType.SENT, EventType.HARD_BOUNCED)
        elif fate < 0.06 and at > self._now - DAY:
            email(EmailStatus.DEFERRED, 1, LATER[2], None)
            tried(1, LATER, first, EventType.SENT, EventType.DEFERRED)
            due = (self._now + DAY, at + 5 * DAY)
            waits = (of.account_id, email_id, of.id, of.domain_id, site, 0, 0, *due, "")
            rows.add(schema.queue, QueueRow(*waits), attempts=1)
        elif fate < 0.06:
            email(EmailStatus.DELIVERED, 2, ACCEPTED[2], second)
            tried(1, LATER, first, EventType.SENT, EventType.DEFERRED)
            tried(2, ACCEPTED, second, EventType.DELIVERED)
        else:
            email(EmailStatus.DELIVERED, 1, ACCEPTED[2], first)
            tried(1, ACCEPTED, first, EventType.SENT, EventType.DELIVERED)


def message(domain: Domain, credential_id: str, at: int, subject: str, tags: str = "") -> MessageRow:
    message_id = ids.mail_id(at)
    return MessageRow(
        account_id=domain.account_id,
        id=message_id,
        domain_id=domain.id,
        credential_id=credential_id,
        edge="smtp",
        sender=f"app@{domain.name}",
        header_from=f"Shop <app@{domain.name}>",
        subject=subject,
        message_id=f"<{message_id}@{domain.name}>",
        signing_domain=domain.name,
        stream="transactional",
        tags=tags,
        size=4000,
        header_size=600,
        eight_bit=False,
        utf8=False,
        dsn_ret="",
        dsn_envid="",
        blob="",
        received_at=at,
        content_expires_at=None,
        credential_kind="smtp_user",
    )


def letters(sandbox: Domain, credential_id: str, now: int) -> Rows:
    """What a sandbox domain sent, with its content."""
    rows, compressor = Rows(), zstandard.ZstdCompressor()
    for number in range(LETTERS):
        at = now - MONTH + MONTH * number // LETTERS
        row = message(sandbox, credential_id, at, f"Try number {number}")._replace(
            content_expires_at=now + 30 * DAY
        )
        email_id, recipient = ids.mail_id(at), f"tester{number % 50}@example.net"
        rows.add(schema.messages, row)
        text = (
            f"From: {row.header_from}\r\nTo: {recipient}\r\nSubject: {row.subject}\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: text/html; charset=utf-8\r\n\r\n<h1>Hello {number}</h1>\r\n"
            + "<p>Thank you for your order.</p>\r\n"
            * 100
        )
        rows.add(schema.contents, ContentRow(row.account_id, row.id, compressor.compress(text.encode())))
        status = EmailStatus.DELIVERED.value
        email = EmailRow(row.account_id, email_id, row.id, recipient, status, "", "", at, at)
        rows.add(schema.emails, email, sent=True, reply="kept in the sandbox inbox")
        for kind in (EventType.SENT, EventType.DELIVERED):
            happened = (
                row.account_id,
                ids.mail_id(at),
                at,
                email_id,
                row.id,
                kind.value,
                '{"sandbox": true}',
            )
            rows.add(schema.events, EventRow(*happened))
        rows.add(schema.inbox, InboxRow(row.account_id, email_id, row.id, sandbox.id, recipient, at))
    return rows


def changes(account_id: str, now: int) -> list[Entry]:
    entries = []
    for number in range(CHANGES):
        at = now - MONTH + MONTH * number // CHANGES
        who, what = f"user{number % 20:012d}", f"object{number % 100:010d}"
        shown = json.dumps({"name": f"name {number}", "enabled": True})
        action = ACTIONS[number % len(ACTIONS)]
        told = ("user", who, f"{who}@example.test", "192.0.2.7", action, what, f"shop {number % 100}")
        entries.append(Entry(account_id, ids.mail_id(at), at, *told, None, shown))
    return entries


def refused(account_id: str, count: int, now: int) -> list[refusals.Refusal]:
    rules = [rule for rule in CATALOGUE.values() if rule.code][:12]
    return [
        refusals.new(
            rules[number % len(rules)].id,
            now - MONTH + MONTH * number // count,
            reply=f"550 5.7.1 {rules[number % len(rules)].id}",
            account_id=account_id,
            credential=f"shop{number % 30}@example.test",
            client=f"192.0.2.{number % 250}",
            sender="app@elsewhere.test",
            header_from=f"Shop <app{number}@elsewhere.test>",
            recipients=f"reader{number}@example.net",
        )
        for number in range(count)
    ]


def suppressed(account_id: str, now: int) -> list[Suppression]:
    made = []
    for number in range(SUPPRESSED):
        at, listed = now - MONTH + MONTH * number // SUPPRESSED, LISTS[number % len(LISTS)]
        address = f"gone{number}@{SITES[number % len(SITES)]}"
        made.append(Suppression(account_id, ids.mail_id(at), None, listed, address, "added by hand", at))
    return made


def neighbours(now: int) -> list[Account]:
    made = now - MONTH
    return [
        Account(ids.object_id(), f"Neighbour {number}", "approved", "", None, made, made, approved_at=made)
        for number in range(ACCOUNTS)
    ]


def _said(reply: Reply) -> bytes:
    """A conversation of an ordinary length, that ends with this reply."""
    lines = [("*", "connected to mx1 [192.0.2.25]:25"), ("S", "220 mx1 ESMTP")]
    for command in ("EHLO relay.test", "STARTTLS", "EHLO relay.test", "MAIL FROM:<app@example.test>"):
        lines += [("C", command), ("S", "250-mx1\n250-PIPELINING\n250-SIZE 52428800\n250 8BITMIME")]
    lines += [("C", "RCPT TO:<reader@example.net>"), ("S", "250 2.1.5 Ok"), ("C", "DATA"), ("S", "354 Go on")]
    lines += [("C", "(4000 octets)"), ("S", reply[2])]
    return transcript.encode(
        [TranscriptLine(20 * number, who, text) for number, (who, text) in enumerate(lines)]
    )


async def _insert(database: Database, rows: Rows) -> None:
    async with database.write() as connection:
        for table, values in rows.of.items():
            await connection.execute(insert(table), values)


async def _add_domains(database: Database, first: Domain) -> list[Domain]:
    """The last one is a sandbox."""
    owned = [first]
    async with database.write() as connection:
        for number in range(1, DOMAINS):
            name, mode = f"shop{number}.test", "sandbox" if number == DOMAINS - 1 else "live"
            made = replace(first, id=ids.object_id(), name=name, organisation=name, mode=mode)
            await domains.add(connection, made)
            owned.append(made)
    return owned


async def main(domain_name: str, emails: int) -> None:
    settings = config.load(None)
    database = await Database.open(settings.database_url, timeout=60.0, pool=2)
    checkpointer = Checkpointer(database) if database.sqlite else None
    if checkpointer is not None:
        checkpointer.start()
    try:
        await _fill(database, domain_name, emails)
    finally:
        if checkpointer is not None:
            await checkpointer.stop()
        await database.close()


async def _fill(database: Database, domain_name: str, emails: int) -> None:
    clock, chance = Clock(), Random(1)
    now = clock.now_ms()
    async with database.read() as connection:
        found = await connection.scalar(
            select(schema.domains.c.id).where(schema.domains.c.name == domain_name)
        )
        first = await domains.get(connection, str(found))
        user = await connection.scalar(
            select(schema.smtp_users.c.id).where(schema.smtp_users.c.domain_id == found)
        )
    assert first is not None
    owned, others = await _add_domains(database, first), neighbours(now)
    for rows in Month(owned[:-1], str(user), now, chance).messages(emails):
        await _insert(database, rows)
    strangers = [replace(first, id=ids.object_id(), account_id=one.id) for one in others[:3]]
    for rows in Month(strangers, "", now, chance).messages(emails // 10):
        await _insert(database, rows)
    await _insert(database, letters(owned[-1], str(user), now))
    async with database.write() as connection:
        await connection.execute(insert(schema.accounts), [query.values(one) for one in others])
        await connection.execute(
            insert(schema.audit), [query.values(one) for one in changes(first.account_id, now)]
        )
        await refusals.record(connection, refused(first.account_id, emails // 20, now))
        await suppressions.add(connection, suppressed(first.account_id, now))
    await partitions.ensure(database, now)
    await Gathering(database, clock).run_once()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
