"""tenancy.account_letters: the operator hears of a request, the Admins of the decision, each once."""

from __future__ import annotations

import asyncio

import pytest

from postroom.config import Config
from postroom.errors import PostroomError, StorageUnavailableError
from postroom.notify import MemorySystemMail
from postroom.runtime.clock import FakeClock
from postroom.store.account_requests import AccountRequest
from postroom.store.database import Database
from postroom.tenancy import accounts, approvals
from postroom.tenancy.account_letters import AccountLetters
from postroom.tenancy.approvals import Questionnaire
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.notices import (
    ApprovalDecision,
    ApprovalRequest,
    Notice,
    QuotaDecision,
    QuotaRequest,
    Sent,
)
from postroom.types.permissions import Role
from postroom.types.refusals import Refused
from support import people

CONFIG = Config()
ANSWERS = Questionnaire("Acme", "acme.example", "Orders", 500, "They buy\nfrom us", "ann@acme.example")
ADMIN = "ann@x.test"


class Desk:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.mail = MemorySystemMail()
        self.letters = self.another()
        self.account_id = ""

    def another(self) -> AccountLetters:
        return AccountLetters(self.database, self.mail, CONFIG, FakeClock())

    async def told(self) -> list[Notice]:
        await self.letters.run_once()
        notices, self.mail.notices = self.mail.notices, []
        return notices

    async def ask(self) -> AccountRequest:
        asked = await approvals.submit(self.database, self.account_id, ANSWERS, by=SYSTEM)
        assert not isinstance(asked, Refused)
        return asked

    async def ask_for_quota(self) -> AccountRequest:
        asked = await approvals.ask_for_quota(self.database, self.account_id, 500, "Sale", by=SYSTEM)
        assert not isinstance(asked, Refused)
        return asked


@pytest.fixture
async def desk(database: Database) -> Desk:
    made = Desk(database)
    made.account_id = (await accounts.add(database, "Shop", daily_quota=100, by=SYSTEM)).id
    for email, role in ((ADMIN, Role.ADMIN), ("bob@x.test", Role.MANAGER)):
        await people.make(database, made.account_id, Grant(role), email=email)
    return made


async def test_the_operator_hears_of_the_request(desk: Desk) -> None:
    asked = await desk.ask()
    (notice,) = await desk.told()
    assert isinstance(notice, ApprovalRequest)
    assert notice.account == "Shop"
    assert notice.link == f"http://localhost:8025/operator/requests/{asked.id}"
    assert notice.answers == (
        ("Company or person", "Acme"),
        ("Website", "acme.example"),
        ("What is sent", "Orders"),
        ("Emails a day", "500"),
        ("How recipients have agreed to it", "They buy\nfrom us"),
        ("Whom to ask", "ann@acme.example"),
    )
    assert await desk.told() == []


@pytest.mark.parametrize("told_before", [False, True])
async def test_the_admins_hear_of_the_decision(desk: Desk, told_before: bool) -> None:
    asked = await desk.ask()
    if told_before:
        await desk.told()
    await approvals.refuse(desk.database, asked.id, "Too little", by=SYSTEM)
    assert await desk.told() == [ApprovalDecision(ADMIN, "Shop", False, "Too little")]
    again = await desk.ask()
    await approvals.approve(desk.database, CONFIG, again.id, by=SYSTEM)
    assert await desk.told() == [ApprovalDecision(ADMIN, "Shop", True)]
    assert await desk.told() == []


async def test_an_approval_at_the_command_line_is_told_too(desk: Desk) -> None:
    await desk.ask()
    await accounts.approve(desk.database, desk.account_id, by=SYSTEM)
    assert await desk.told() == [ApprovalDecision(ADMIN, "Shop", True)]


async def test_quotas(desk: Desk) -> None:
    asked = await desk.ask_for_quota()
    link = f"http://localhost:8025/operator/requests/{asked.id}"
    assert await desk.told() == [QuotaRequest("Shop", 100, 500, "Sale", link)]
    await approvals.approve(desk.database, CONFIG, asked.id, daily_quota=300, reason="For now", by=SYSTEM)
    assert await desk.told() == [QuotaDecision(ADMIN, "Shop", True, 300, "For now")]
    asked = await desk.ask_for_quota()
    await approvals.refuse(desk.database, asked.id, "No", by=SYSTEM)
    assert await desk.told() == [QuotaDecision(ADMIN, "Shop", False, 300, "No")]


async def test_of_many_nodes_one_tells(desk: Desk) -> None:
    await desk.ask()
    await asyncio.gather(*[desk.another().run_once() for _ in range(5)])
    assert len(await desk.told()) == 1


async def test_a_process_that_ends_before_it_has_noted_it_tells_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.ask()

    async def die(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr("postroom.store.account_requests.tell", die)
        with pytest.raises(asyncio.CancelledError):
            await desk.letters.run_once()
    desk.letters = desk.another()
    assert [type(notice) for notice in await desk.told()] == [ApprovalRequest]
    assert await desk.told() == []


@pytest.mark.parametrize(("error", "later"), [(StorageUnavailableError, 1), (PostroomError, 0)])
async def test_what_cannot_be_kept_now_is_told_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[Exception], later: int
) -> None:
    """But not what never can be."""
    await desk.ask()

    async def fail(_: Notice, **__: str) -> Sent:
        raise error("no")

    with monkeypatch.context() as patch:
        patch.setattr(desk.mail, "send", fail)
        await asyncio.gather(desk.letters.run_once(), return_exceptions=True)
    assert len(await desk.told()) == later
