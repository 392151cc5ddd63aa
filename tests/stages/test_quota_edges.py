"""The daily quota and the plan at both edges at once: SMTP and the API, on two nodes with one database (X04)."""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from typing import Any

import pytest
from sqlalchemy import func, select

from postroom.accept.api import ApiEdge, Sender, SendRequest
from postroom.accept.commit import GroupCommit
from postroom.accept.rate import Pace
from postroom.accept.refused import RefusalLog
from postroom.accept.submitted import SubmissionPolicy
from postroom.accept.usage import Usage
from postroom.config import Config
from postroom.runtime.blobs import MemoryBlobs
from postroom.runtime.clock import FakeClock
from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database
from postroom.store.schema import emails, quota_days
from postroom.tenancy import accounts, domains, smtp_users
from postroom.tenancy.directory import Directory
from postroom.tenancy.entries import AccountState, Credential
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.draft import Content, CredentialKind
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.parts import Mailbox
from postroom.types.refusals import Refused

CLIENT = "192.0.2.7"
AUTHOR = Address("anna", "example.com")
HEADER = b"From: anna@example.com\r\nSubject: hi\r\n"
DATA = HEADER + b"\r\nbody\r\n"
PLANS = {
    "small": {"daily_quota": 37, "recipients": 2, "messages_per_minute": 60},
    "held": {"daily_quota": 37, "over_quota": "hold"},
}


async def settled(answer: Any) -> Any:
    return await answer if isawaitable(answer) else answer


def to(*names: str) -> list[Recipient]:
    return [Recipient(Address(name, "x.test")) for name in names]


class Node:
    """Both edges of one node. `send` answers with the message id or why there is none."""

    account: AccountState
    login: Credential

    def __init__(self, database: Database) -> None:
        self.clock, self.config = FakeClock(), Config(plans=PLANS)  # type: ignore[arg-type]
        self.directory, usage = Directory(database, self.clock), Usage(database)
        self.commit = GroupCommit(
            database,
            self.clock,
            lifetime=3600,
            owner_for=lambda _: 0,
            handed=lambda _: None,
            counted=usage.count,
        )
        self.policy = SubmissionPolicy(
            self.config, self.clock, self.directory, usage, self.commit, RefusalLog(database, self.clock)
        )
        self.api = ApiEdge(self.config, self.clock, database, MemoryBlobs(self.clock), self.commit)

    async def log_in(self, user: smtp_users.NewSmtpUser, account_id: str) -> None:
        await self.directory.refresh()
        self.login = await settled(self.policy.login(user.username, user.password, CLIENT))
        self.account = await settled(self.directory.account(account_id))

    async def mail(self) -> Refused | Pace:
        found: Refused | Pace = await settled(self.policy.mail(self.login, Envelope(AUTHOR, []), CLIENT))
        return found

    async def by_smtp(self) -> str | Refused:
        began = await self.mail()
        if isinstance(began, Refused):
            return began
        content = Content(DATA, len(DATA), len(HEADER))
        envelope = Envelope(AUTHOR, to("bob"))
        answer: str | Refused = await settled(self.policy.message(self.login, envelope, content, CLIENT))
        return answer

    async def by_api(self) -> str | Refused:
        sender = Sender(self.account, CredentialKind.TOKEN, "t" * 16)
        recipient = Mailbox("", Address("bob", "x.test"))
        request = SendRequest(from_=Mailbox("", AUTHOR), to=(recipient,), subject="hi", text="body")
        answer = await self.api.send(sender, request)
        return answer if isinstance(answer, Refused) else answer.message_id


async def nodes(database: Database, plan: str) -> list[Node]:
    account = await accounts.add(database, "Shop", approved=True, plan=plan, by=SYSTEM)
    box = SecretBox(bytes(32))
    await domains.add(database, box, "example.com", account_id=account.id, trusted=True, by=SYSTEM)
    user = await smtp_users.add(database, "example.com", name="App", by=SYSTEM)
    made = [Node(database), Node(database)]
    for node in made:
        await node.log_in(user, account.id)
    return made


async def kept(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(emails)) or 0)


@pytest.mark.parametrize(("plan", "days"), [("small", 1), ("held", 2)])
async def test_x04_racing_at_both_edges_of_two_nodes_never_exceeds_the_quota(
    database: Database, plan: str, days: int
) -> None:
    """A quota that is held over reaches into the next day, and no further."""
    both = await nodes(database, plan)
    sends = [send for node in both for _ in range(30) for send in (node.by_smtp, node.by_api)]
    answers = await asyncio.gather(*[send() for send in sends])
    accepted = [answer for answer in answers if isinstance(answer, str)]
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(accepted) == await kept(database) == 37 * days
    assert {answer.rule for answer in refused} == {refusals.DAILY_QUOTA}
    async with database.read() as connection:
        counted = await connection.scalars(select(quota_days.c.used).where(quota_days.c.used > 0))
        assert list(counted) == [37] * days


async def test_who_is_over_the_quota_hears_of_it_at_mail(database: Database) -> None:
    node, _ = await nodes(database, "small")
    for _ in range(37):
        assert isinstance(await node.by_api(), str)
    answer = await node.mail()
    assert isinstance(answer, Refused)
    assert (answer.rule, answer.facts["used"]) == (refusals.DAILY_QUOTA, "37")


async def test_the_plan_says_how_many_recipients_a_message_has_and_how_fast_they_come(
    database: Database,
) -> None:
    node, _ = await nodes(database, "small")
    answers = [
        await settled(node.policy.rcpt(node.login, Envelope(AUTHOR, to(*names)), to("next")[0], CLIENT))
        for names in ((), ("a",), ("a", "b"))
    ]
    assert answers[:2] == [None, None]
    assert answers[2] == Refused(refusals.TOO_MANY_RECIPIENTS, {"limit": "2"})
    paces = [await node.mail() for _ in range(72)]
    refused = paces[-1]
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.facts["limit"]) == (refusals.RATE_LIMIT, "60")
