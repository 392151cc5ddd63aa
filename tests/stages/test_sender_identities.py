"""Sender identities: who can be asked, what the owner's yes opens, and what becomes of it over time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from inspect import isawaitable
from typing import Any

import pytest

from postroom.accept import admit
from postroom.errors import ConflictError, NotFoundError
from postroom.notify import MemorySystemMail
from postroom.runtime.clock import Clock, FakeClock
from postroom.runtime.dns import FakeResolver
from postroom.runtime.secrets import SecretBox
from postroom.store import audit
from postroom.store import sender_identities as store
from postroom.store.audit import Entry
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.sender_identities import SenderIdentity
from postroom.tenancy import (
    accounts,
    dmarc_policy,
    domain_removal,
    domains,
    passwords,
    sender_identities,
)
from postroom.tenancy.directory import Directory
from postroom.tenancy.dmarc_policy import Enforced
from postroom.tenancy.entries import AccountState
from postroom.tenancy.identity_watch import IdentityWatch
from postroom.tenancy.sender_identities import Asked, NewIdentity
from postroom.types import refusals
from postroom.types.actor import SYSTEM, ActorKind
from postroom.types.envelope import Address
from postroom.types.notices import IdentityProblem
from postroom.types.refusals import Refused, Rule
from postroom.wire import dkim_keys
from support import people
from support.candidates import candidate

BOX = SecretBox(bytes(32))
BEN = "ben@client.example"
DAY = 24 * 3600
REJECT = {"TXT": ["v=DMARC1; p=reject"]}


@dataclass
class Office:
    """An account with the verified domain shop.test, and one with other.test."""

    database: Database
    account_id: str
    domain: Domain
    other_id: str
    resolver: FakeResolver
    directory: Directory

    async def ask(self, email: str = BEN, **fields: Any) -> Asked:
        asked = await self.asked(email, **fields)
        assert isinstance(asked, Asked), asked
        return asked

    async def asked(self, email: str = BEN, **fields: Any) -> Asked | Refused:
        new = NewIdentity(self.domain.id, email, **fields)
        return await sender_identities.add(self.database, self.resolver, self.account_id, new, by=SYSTEM)

    async def confirm(self, secret: str) -> SenderIdentity | Refused:
        return await sender_identities.confirm(self.database, self.resolver, secret, client="192.0.2.7")

    async def agreed(self, email: str = BEN, **fields: Any) -> SenderIdentity:
        confirmed = await self.confirm((await self.ask(email, **fields)).secret)
        assert isinstance(confirmed, SenderIdentity), confirmed
        return confirmed

    async def state(self) -> AccountState:
        await self.directory.refresh()
        found = self.directory.account(self.account_id)
        state = await found if isawaitable(found) else found
        assert state is not None
        return state

    async def signs(self, email: str) -> str | None:
        """Which domain signs mail from this address."""
        local, _, domain = email.rpartition("@")
        found = (await self.state()).sending_domain(Address(local, domain))
        return None if found is None else found.name

    async def entries(self, action: str = "sender_identity.") -> list[Entry]:
        async with self.database.read() as connection:
            return await audit.page(connection, self.account_id, action=action, limit=50)


@pytest.fixture(autouse=True, scope="module")
def one_key() -> Iterator[None]:
    """Making a DKIM key takes a tenth of a second; here all domains share one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dkim_keys, "generate_rsa", cache(dkim_keys.generate_rsa))
        yield


@pytest.fixture
async def office(sqlite_database: Database) -> Office:
    account, other = [
        await accounts.add(sqlite_database, name, approved=True, by=SYSTEM) for name in ("Shop", "Other")
    ]
    domain, _ = [
        await domains.add(sqlite_database, BOX, name, account_id=owner.id, trusted=True, by=SYSTEM)
        for owner, name in ((account, "shop.test"), (other, "other.test"))
    ]
    directory = Directory(sqlite_database, FakeClock())
    return Office(sqlite_database, account.id, domain, other.id, FakeResolver(), directory)


def ruled(found: object) -> Rule:
    assert isinstance(found, Refused), found
    return found.rule


# -- whose addresses cannot be used -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "zones", "found"),
    [
        ("client.example", {}, None),
        ("client.example", {"client.example": "v=DMARC1; p=none"}, None),
        ("client.example", {"client.example": "v=spf1 -all"}, None),
        ("client.example", {"client.example": "v=DMARC1; p=reject"}, ("p=reject", "client.example")),
        ("client.example", {"client.example": "v=DMARC1; P = Quarantine; pct=1"}, ("p=quarantine", "client.example")),
        ("client.example", {"client.example": "v=DMARC1; p=reject; t=y"}, ("p=reject", "client.example")),
        ("client.example", {"client.example": "v=DMARC1; p=none; sp=reject"}, None),
        ("client.example", {"client.example": "v=DMARC1; rua=mailto:a@b.example"}, None),
        ("a.b.client.example", {"client.example": "v=DMARC1; p=reject"}, ("p=reject", "client.example")),
        ("a.b.client.example", {"client.example": "v=DMARC1; p=none; sp=reject"}, ("sp=reject", "client.example")),
        ("a.b.client.example", {"client.example": "v=DMARC1; p=reject; sp=none"}, None),
        ("a.b.client.example", {"client.example": "v=DMARC1; p=reject; sp=odd"}, ("p=reject", "client.example")),
        (
            "a.b.client.example",
            {"b.client.example": "v=DMARC1; p=none", "client.example": "v=DMARC1; p=reject"},
            None,
        ),
        (
            "a.b.client.example",
            {"a.b.client.example": "v=DMARC1; p=none", "client.example": "v=DMARC1; p=reject"},
            None,
        ),
        ("client.example", {"example": "v=DMARC1; p=reject"}, None),
        ("1.2.3.4.5.6.7.8.9.client.example", {"client.example": "v=DMARC1; p=reject"}, ("p=reject", "client.example")),
    ],
)  # fmt: skip
async def test_which_policy_holds(domain: str, zones: dict[str, str], found: tuple[str, str] | None) -> None:
    resolver = FakeResolver({f"_dmarc.{name}": {"TXT": [text]} for name, text in zones.items()})
    enforced = await dmarc_policy.enforced(resolver, domain, "client.example")
    assert enforced == (None if found is None else Enforced(found[0], f"_dmarc.{found[1]}"))
    assert len(resolver.asked) <= dmarc_policy.MOST_LABELS + 1


async def test_two_records_are_none() -> None:
    zones = {"_dmarc.client.example": {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}}
    assert await dmarc_policy.enforced(FakeResolver(zones), "client.example", "client.example") is None


@pytest.mark.parametrize(
    ("email", "rule", "said"),
    [
        ("ben@gmail.com", refusals.IDENTITY_FREE_MAIL, "gmail.com"),
        ("ben@mail.yahoo.co.uk", refusals.IDENTITY_FREE_MAIL, "mail.yahoo.co.uk"),
        ("ben@other.test", refusals.IDENTITY_FOREIGN, "other.test"),
        ("ben@mail.other.test", refusals.IDENTITY_FOREIGN, "mail.other.test"),
        ("ben@strict.example", refusals.IDENTITY_DMARC, "_dmarc.strict.example publishes the DMARC policy p=reject"),
        ("ben@a.strict.example", refusals.IDENTITY_DMARC, "p=reject"),
        ("ben@broken.example", refusals.IDENTITY_POLICY_UNKNOWN, "broken.example"),
    ],
)  # fmt: skip
async def test_whose_addresses_cannot_be_used(office: Office, email: str, rule: Rule, said: str) -> None:
    office.resolver.zones |= {"_dmarc.strict.example": REJECT, "_dmarc.broken.example": "SERVFAIL"}
    refused = await office.asked(email)
    assert ruled(refused) is rule
    assert isinstance(refused, Refused)
    assert said in refused.text
    assert await office.entries() == []


async def test_under_a_domain_of_ones_own_any_policy_is_fine(office: Office) -> None:
    office.resolver.zones["_dmarc.shop.test"] = REJECT
    await office.agreed("ben@shop.test")
    assert await office.signs("ben@shop.test") == "shop.test"


async def test_an_address_is_asked_once_for_an_account(office: Office) -> None:
    await office.ask()
    with pytest.raises(ConflictError):
        await office.ask()


async def test_the_domain_has_to_be_ones_own(office: Office) -> None:
    new = NewIdentity(office.domain.id, BEN)
    with pytest.raises(NotFoundError):
        await sender_identities.add(office.database, office.resolver, office.other_id, new, by=SYSTEM)


# -- the link -----------------------------------------------------------------------------------------------------


async def test_x01_only_a_hash_of_the_link_is_kept_and_the_log_has_neither(office: Office) -> None:
    asked = await office.ask()
    assert asked.identity.secret_hash == passwords.digest(asked.secret)
    assert asked.secret not in repr(asked)
    (entry,) = await office.entries()
    assert entry.action == "sender_identity.created"
    assert '"secret_hash": "(secret)"' in str(entry.after)


async def test_the_link_is_good_once(office: Office) -> None:
    asked = await office.ask()
    looked = await sender_identities.look(office.database, asked.secret)
    assert looked is not None
    assert (looked[0].email, looked[1].name) == (BEN, "Shop")
    confirmed = await office.confirm(asked.secret)
    assert isinstance(confirmed, SenderIdentity)
    assert confirmed.verified_at is not None
    assert await sender_identities.look(office.database, asked.secret) is None
    assert ruled(await office.confirm(asked.secret)) is refusals.IDENTITY_LINK
    entry = (await office.entries())[0]
    said = (entry.action, entry.actor_kind, entry.actor_name, entry.client)
    assert said == ("sender_identity.verified", ActorKind.SYSTEM, BEN, "192.0.2.7")


async def test_of_two_who_press_the_button_one_finds_it_used(office: Office) -> None:
    asked = await office.ask()
    answers = await asyncio.gather(*[office.confirm(asked.secret) for _ in range(3)])
    assert sum(isinstance(answer, SenderIdentity) for answer in answers) == 1
    assert len(await office.entries("sender_identity.verified")) == 1


async def test_after_seven_days_it_is_dead(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(sender_identities, "Clock", lambda: clock)
    asked = await office.ask()
    clock.advance(7 * DAY - 1)
    assert await sender_identities.look(office.database, asked.secret) is not None
    clock.advance(1)
    assert await sender_identities.look(office.database, asked.secret) is None
    assert ruled(await office.confirm(asked.secret)) is refusals.IDENTITY_LINK


async def test_a_policy_that_appears_before_the_answer_refuses_and_the_link_stays(office: Office) -> None:
    asked = await office.ask()
    office.resolver.zones["_dmarc.client.example"] = REJECT
    assert ruled(await office.confirm(asked.secret)) is refusals.IDENTITY_DMARC
    office.resolver.zones["_dmarc.client.example"] = "SERVFAIL"
    assert ruled(await office.confirm(asked.secret)) is refusals.IDENTITY_POLICY_UNKNOWN
    del office.resolver.zones["_dmarc.client.example"]
    assert isinstance(await office.confirm(asked.secret), SenderIdentity)


async def test_sent_again_there_is_a_new_link(office: Office) -> None:
    first = await office.ask()
    again = await sender_identities.resend(office.database, office.account_id, first.identity.id, by=SYSTEM)
    assert isinstance(again, Asked)
    assert again.identity.resends == 1
    assert ruled(await office.confirm(first.secret)) is refusals.IDENTITY_LINK
    assert isinstance(await office.confirm(again.secret), SenderIdentity)
    third = await sender_identities.resend(office.database, office.account_id, first.identity.id, by=SYSTEM)
    assert ruled(third) is refusals.IDENTITY_CONFIRMED


async def test_nobody_is_written_to_again_and_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = await office.ask()
    for _ in range(sender_identities.PER_ADDRESS - 1):
        again = await sender_identities.resend(
            office.database, office.account_id, asked.identity.id, by=SYSTEM
        )
        assert isinstance(again, Asked)
    await sender_identities.delete(office.database, office.account_id, asked.identity.id, by=SYSTEM)
    assert ruled(await office.asked()) is refusals.IDENTITY_LIMIT  # deleting it first does not help
    await office.ask("anna@client.example")
    monkeypatch.setattr(sender_identities, "PER_HOUR", 6)
    assert ruled(await office.asked("carl@client.example")) is refusals.IDENTITY_LIMIT


# -- what it opens ------------------------------------------------------------------------------------------------


async def test_exactly_this_address_and_only_after_the_answer(office: Office) -> None:
    asked = await office.ask("Ben@client.example")
    assert await office.signs("Ben@client.example") is None
    await office.confirm(asked.secret)
    signs = {
        email: await office.signs(email)
        for email in (
            "Ben@client.example",
            "ben@client.example",
            "anna@client.example",
            "Ben@mail.client.example",
            '"Ben"@client.example',
        )
    }
    assert [email for email, domain in signs.items() if domain] == ["Ben@client.example"]
    assert signs["Ben@client.example"] == "shop.test"


async def test_s10_another_account_may_not_send_from_it(office: Office) -> None:
    await office.agreed()
    found = office.directory.account(office.other_id)
    other = await found if isawaitable(found) else found
    assert other is not None
    assert other.sending_domain(Address("ben", "client.example")) is None


async def test_x06_when_another_account_verifies_the_domain_the_identity_is_void(office: Office) -> None:
    await office.agreed("ben@mail.client.example")
    await domains.add(
        office.database, BOX, "client.example", account_id=office.other_id, trusted=True, by=SYSTEM
    )
    assert await office.signs("ben@mail.client.example") is None


async def test_it_goes_with_its_domain_and_stops_when_deleted(office: Office) -> None:
    identity = await office.agreed()
    second = await office.agreed("anna@client.example")
    await sender_identities.delete(office.database, office.account_id, identity.id, by=SYSTEM)
    assert await office.signs(BEN) is None
    assert await office.signs(second.email) == "shop.test"
    await domain_removal.delete(office.database, office.domain.id, by=SYSTEM, retention=0)
    assert await office.signs(second.email) is None


async def test_its_name_and_where_answers_go_can_be_changed(office: Office) -> None:
    identity = await office.agreed()
    changed = await sender_identities.change(
        office.database, office.account_id, identity.id, reply_to_email="office@client.example", by=SYSTEM
    )
    same = await sender_identities.change(
        office.database, office.account_id, identity.id, reply_to_email="office@client.example", by=SYSTEM
    )
    assert same == changed
    assert len(await office.entries("sender_identity.updated")) == 1
    info = (await office.state()).identity(Address("ben", "client.example"))
    assert info is not None
    assert info.reply_to is not None
    assert str(info.reply_to.address) == "office@client.example"


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (b"From: Ben <ben@client.example>\r\n", None),
        (b"From: ben@CLIENT.example\r\n", None),
        (b"From: ben@client.example\r\nSender: app@shop.test\r\n", None),
        (b"From: ben@client.example, app@shop.test\r\n", None),
        (b"From: Ben@client.example\r\n", refusals.FROM_NOT_VERIFIED),
        (b"From: anna@client.example\r\n", refusals.FROM_NOT_VERIFIED),
        (b"From: ben@client.example, anna@client.example\r\n", refusals.FROM_NOT_VERIFIED),
        (b"From: ben@client.example\r\nSender: anna@client.example\r\n", refusals.FROM_NOT_VERIFIED),
        (b"From: ben@sub.client.example\r\n", refusals.FROM_NOT_VERIFIED),
    ],
)
async def test_s10_over_smtp_only_the_address_itself_is_let_in(
    office: Office, header: bytes, rule: Rule | None
) -> None:
    await office.agreed()
    wants_in = candidate(await office.state(), header)
    refused = admit.run(admit.MESSAGE, wants_in)
    assert (refused.rule if refused is not None else None) is rule
    if rule is None:
        draft = admit.draft(wants_in, "0" * 24, 0)
        assert (draft.signing_domain, draft.domain_id) == ("shop.test", office.domain.id)


async def test_an_smtp_user_for_other_domains_may_not_use_it(office: Office) -> None:
    await office.agreed()
    state, header = await office.state(), b"From: ben@client.example\r\n"
    assert admit.run(admit.MESSAGE, candidate(state, header, allowed=frozenset({office.domain.id}))) is None
    refused = admit.run(admit.MESSAGE, candidate(state, header, allowed=frozenset({"x" * 16})))
    assert ruled(refused) is refusals.FROM_NOT_ALLOWED


# -- the daily look -----------------------------------------------------------------------------------------------


@dataclass
class Watching:
    office: Office
    mail: MemorySystemMail
    clock: FakeClock
    watch: IdentityWatch

    async def day(self) -> str:
        """A day later: the problem that is known now."""
        self.clock.advance(DAY + 1)
        await self.watch.run_once()
        async with self.office.database.read() as connection:
            found = await store.by_email(connection, self.office.account_id, BEN)
        assert found is not None
        return found.problem


@pytest.fixture
async def watching(office: Office) -> Watching:
    await office.agreed()
    await people.make(office.database, office.account_id, email="admin@x.test")
    mail, clock = MemorySystemMail(), FakeClock()
    clock.advance((Clock().now_ms() - clock.now_ms()) / 1000)
    watch = IdentityWatch(office.database, office.resolver, mail, clock, every=DAY)
    return Watching(office, mail, clock, watch)


async def test_a_policy_that_appears_later_is_told_once_and_mail_goes_on(watching: Watching) -> None:
    office = watching.office
    assert await watching.day() == ""
    office.resolver.zones["_dmarc.client.example"] = REJECT
    problem = await watching.day()
    assert "p=reject" in problem
    assert await watching.day() == problem
    assert watching.mail.notices == [IdentityProblem("admin@x.test", "Shop", BEN, problem)]
    assert await office.signs(BEN) == "shop.test"
    office.resolver.zones["_dmarc.client.example"] = "SERVFAIL"
    assert await watching.day() == problem  # who does not answer changes nothing
    del office.resolver.zones["_dmarc.client.example"]
    assert await watching.day() == ""
    assert len(watching.mail.notices) == 1
    assert len(await office.entries("sender_identity.checked")) == 2


async def test_it_looks_once_a_day(watching: Watching) -> None:
    await watching.day()
    asked = len(watching.office.resolver.asked)
    await watching.watch.run_once()
    assert len(watching.office.resolver.asked) == asked
