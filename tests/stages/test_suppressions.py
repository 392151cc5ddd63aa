"""Suppressions: who is on which list, what that means for an email, and when it is looked up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from postroom.deliver import suppressed as check
from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime.secrets import SecretBox
from postroom.store import installation, retention
from postroom.store.database import Database
from postroom.store.schema import attempts, emails, events, queue
from postroom.store.schema import suppressions as table
from postroom.tenancy import accounts, domains, suppressions
from postroom.tenancy.suppressions import Terms
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.draft import Stream
from postroom.types.refusals import Refused
from postroom.types.suppression import Suppressed, Suppressing, SuppressionList, matches
from support.engine import GREYLISTED, Engine, Post

# -- what an entry means -----------------------------------------------------------------------------------


def entry(address: str, on: str = "blocklist", **changes: object) -> Suppressing:
    plain = Suppressing("a", address, "*" in address, on, None, "", None)
    return plain._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], ()),
        ([entry("ada@x.test")], ("blocklist",)),
        ([entry("Ada@x.test")], ()),
        ([entry("ada@x.test", account_id="b")], ()),
        ([entry("*@x.test")], ("blocklist",)),
        ([entry("*@x.test", account_id="b")], ()),
        ([entry("ada@x.test", domain_id="shop")], ("blocklist",)),
        ([entry("ada@x.test", domain_id="other")], ()),
        ([entry("*@x.test", domain_id="other")], ()),
        ([entry("ada@x.test", stream="transactional")], ("blocklist",)),
        ([entry("ada@x.test", "unsubscribes", stream="broadcast")], ()),
        ([entry("ada@x.test", "unsubscribes", stream="")], ("unsubscribes",)),
        ([entry("ada@x.test", "on_hold", expires_at=1001)], ("on_hold",)),
        ([entry("ada@x.test", "on_hold", expires_at=1000)], ()),
        (
            [entry("ada@x.test", on) for on in reversed(SuppressionList)] + [entry("ada@*")],
            ("blocklist", "hard_bounces", "spam_complaints", "unsubscribes", "on_hold"),
        ),
    ],
)
def test_whom_an_entry_hits(entries: list[Suppressing], expected: tuple[str, ...]):
    assert Suppressed(entries, 1000).lists("a", "ada@x.test", "shop", "transactional") == expected


@pytest.mark.parametrize(
    ("pattern", "hit", "missed"),
    [
        ("*@x.test", ["a@x.test", "@x.test"], ["a@y.x.test", "a@x.test.com", "x.test"]),
        ("*@*.x.test", ["a@b.x.test"], ["a@x.test"]),
        ("spam*@x.test", ["spam@x.test", "spammer@x.test"], ["aspam@x.test"]),
        ("a*b*c", ["abc", "a-b-b-c"], ["acb", "ab", "xabc", "abcx"]),
        ("ab*ba", ["abba", "abxba"], ["aba"]),
        ("ab*b*b", ["abbb"], ["abb"]),
        ("a@x.test", ["a@x.test"], ["aa@x.test", "a@x.testt"]),
    ],
)
def test_patterns(pattern: str, hit: list[str], missed: list[str]):
    assert [matches(pattern, address) for address in hit] == [True] * len(hit)
    assert [matches(pattern, address) for address in missed] == [False] * len(missed)


@given(st.lists(st.text("ab@.", max_size=4), min_size=1, max_size=4), st.data())
def test_a_pattern_fits_what_is_made_from_it(parts: list[str], data: st.DataObject):
    between = [data.draw(st.text("ab@.", max_size=3)) for _ in parts[1:]]
    made = parts[0] + "".join(filler + part for filler, part in zip(between, parts[1:], strict=True))
    assert matches("*".join(parts), made)


def test_a_pattern_made_to_be_slow_is_not():
    assert not matches("*a" * 150 + "b", "a" * 320)


def test_reasons_are_the_words_of_the_api():
    assert [listed.reason for listed in SuppressionList] == [
        "blocklisted", "hard_bounced", "spam_complaint", "unsubscribed", "on_hold",
    ]  # fmt: skip
    assert [listed.activity_reason for listed in SuppressionList] == [
        "blocklisted", "hard_bounced", "spam_complained", "unsubscribed", "on_hold",
    ]  # fmt: skip


# -- keeping the lists -------------------------------------------------------------------------------------


async def test_an_address_is_on_a_list_once_for_the_account_and_once_for_each_domain(
    database: Database, tmp_path: Path
) -> None:
    account = await accounts.add(database, "Shop", approved=True, by=SYSTEM)
    box = SecretBox.load(tmp_path / "secret.key", create=True)
    domain = await domains.add(database, box, "x.test", account_id=account.id, trusted=True, by=SYSTEM)
    first = await suppressions.add(database, account.id, "a@y.test", by=SYSTEM)
    [again, new] = await suppressions.put(database, account.id, ["a@Y.test", "b@y.test"], Terms(), by=SYSTEM)
    assert (again, new.address) == (first, "b@y.test")
    [own] = await suppressions.put(database, account.id, ["a@y.test"], Terms(domain="x.test"), by=SYSTEM)
    assert own.domain_id == domain.id
    assert await suppressions.put(database, account.id, ["a@y.test"], Terms(domain=domain.id), by=SYSTEM) == [
        own
    ]
    with pytest.raises(ConflictError, match="is on blocklist already"):
        await suppressions.add(database, account.id, "a@y.test", domain="x.test", by=SYSTEM)
    assert await suppressions.remove(database, account.id, "a@y.test", by=SYSTEM) == 2


async def test_what_entries_say_unless_told_otherwise(database: Database) -> None:
    account = await accounts.add(database, "Shop", approved=True, by=SYSTEM)
    streams = [
        (await suppressions.add(database, account.id, "a@y.test", on=on, by=SYSTEM)).stream
        for on in suppressions.LISTS
    ]
    assert streams == ["", "", "", "broadcast", ""]
    everything = await suppressions.add(
        database, account.id, "b@y.test", on="unsubscribes", stream="", by=SYSTEM
    )
    assert (everything.stream, everything.expires_at, everything.pattern) == ("", None, False)


@pytest.mark.parametrize(
    ("written", "kept"),
    [("*@Y.test", "*@y.test"), (".*@y.test", "*@y.test"), ("Bot**@y.test", "Bot*@y.test"), ("*@*.y.test", "*@*.y.test")],
)  # fmt: skip
async def test_patterns_are_kept_in_one_form(database: Database, written: str, kept: str) -> None:
    account = await accounts.add(database, "Shop", approved=True, by=SYSTEM)
    pattern = await suppressions.add(database, account.id, written, pattern=True, by=SYSTEM)
    assert (pattern.address, pattern.pattern) == (kept, True)
    assert await suppressions.remove(database, account.id, written, by=SYSTEM) == 1


@pytest.mark.parametrize(
    ("address", "terms", "error", "why"),
    [
        ("nobody", {}, PostroomError, "no email address"),
        ("a@y.test", {"on": "friends"}, PostroomError, "choose one of blocklist"),
        ("a@y.test", {"stream": "fast"}, PostroomError, "choose one of transactional"),
        ("a@y.test", {"domain": "elsewhere.test"}, NotFoundError, "no domain elsewhere.test"),
        ("*@y.test", {"pattern": True, "on": "hard_bounces"}, PostroomError, "for the blocklist"),
        ("*", {"pattern": True}, PostroomError, "no pattern"),
        ("*@*", {"pattern": True}, PostroomError, "no pattern"),
        ("*@*.*", {"pattern": True}, PostroomError, "no pattern"),
        ("x" * 400 + "*@y.test", {"pattern": True}, PostroomError, "no pattern"),
    ],
)
async def test_what_cannot_be_suppressed(
    sqlite_database: Database, address: str, terms: dict[str, str], error: type[Exception], why: str
) -> None:
    account = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)
    with pytest.raises(error, match=why):
        await suppressions.add(sqlite_database, account.id, address, **terms, by=SYSTEM)  # type: ignore[arg-type]
    assert await suppressions.list_all(sqlite_database, account.id) == []


async def test_patterns_have_a_limit(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppressions, "MOST_PATTERNS", 2)
    account = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)

    async def put(*patterns: str) -> None:
        await suppressions.put(sqlite_database, account.id, [], Terms(), patterns=patterns, by=SYSTEM)

    await put("*@a.test", "*@b.test")
    await put("*@b.test")
    with pytest.raises(PostroomError, match="at most 2 patterns"):
        await put("*@b.test", "*@c.test")


async def test_only_the_first_entry_of_an_account_empties_the_caches(sqlite_database: Database) -> None:
    account = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)

    async def version() -> int:
        async with sqlite_database.read() as connection:
            return await installation.version(connection)

    before = await version()
    await suppressions.add(sqlite_database, account.id, "a@y.test", by=SYSTEM)
    assert await version() == before + 1
    await suppressions.add(sqlite_database, account.id, "b@y.test", by=SYSTEM)
    assert await version() == before + 1


async def test_entries_go_when_their_time_is_over(database: Database) -> None:
    account = await accounts.add(database, "Shop", approved=True, by=SYSTEM)
    await suppressions.put(database, account.id, ["a@y.test"], Terms("on_hold", expires_at=1000), by=SYSTEM)
    await suppressions.put(database, account.id, ["b@y.test"], Terms("on_hold", expires_at=2000), by=SYSTEM)
    await suppressions.put(database, account.id, ["c@y.test"], Terms(), by=SYSTEM)
    async with database.write() as connection:
        assert await retention.delete_suppressions(connection, 1000, 10) == 1
        assert await retention.delete_suppressions(connection, 1000, 10) == 0
    assert [one.address for one in await suppressions.list_all(database, account.id)] == [
        "b@y.test",
        "c@y.test",
    ]


async def test_an_entry_that_is_over_stands_in_nobodys_way(sqlite_database: Database) -> None:
    account = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)

    async def put(expires_at: int) -> list[int | None]:
        terms = Terms("on_hold", expires_at=expires_at)
        await suppressions.put(sqlite_database, account.id, ["a@y.test"], terms, by=SYSTEM)
        return [one.expires_at for one in await suppressions.list_all(sqlite_database, account.id)]

    later = 10_000_000_000_000
    assert await put(1000) == [1000]
    assert await put(later) == [later]
    assert await put(later + 1) == [later]  # it is there already


# -- what becomes of mail ------------------------------------------------------------------------------------


@pytest.fixture
async def start(database: Database, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Engine]]]:
    engines: list[Engine] = []

    async def begin(post: Post | None = None, *, running: bool = True, **delivery: object) -> Engine:
        engine = await Engine.start(database, tmp_path, post, running=running, **delivery)
        engines.append(engine)
        return engine

    yield begin
    for engine in engines:
        engine.post.gate.set()
        await engine.stop()


async def until_final(database: Database) -> None:
    async with asyncio.timeout(10):
        while True:
            async with database.read() as connection:
                if not await connection.scalar(select(func.count()).select_from(queue)):
                    return
            await asyncio.sleep(0.01)


async def statuses(database: Database) -> dict[str, str]:
    async with database.read() as connection:
        return {row.recipient: row.status for row in await connection.execute(select(emails))}


async def told(database: Database) -> list[tuple[str, dict[str, object]]]:
    """(type, detail) of the events, in their order."""
    async with database.read() as connection:
        rows = await connection.execute(select(events.c.type, events.c.detail).order_by(events.c.id))
        return [(kind, json.loads(detail)) for kind, detail in rows]


async def free(database: Database) -> None:
    """Let a row of nobody be due now."""
    async with database.write() as connection:
        await connection.execute(update(queue).values(due_at=0, owner=0))


@pytest.mark.parametrize(
    ("terms", "stream", "suppressed"),
    [
        ({}, Stream.TRANSACTIONAL, True),
        ({"on": "spam_complaints"}, Stream.TRANSACTIONAL, True),
        ({"on": "unsubscribes"}, Stream.TRANSACTIONAL, False),
        ({"on": "unsubscribes"}, Stream.BROADCAST, True),
        ({"on": "unsubscribes", "stream": ""}, Stream.TRANSACTIONAL, True),
        ({"domain": "sender.test"}, Stream.TRANSACTIONAL, True),
        ({"domain": "other.test"}, Stream.TRANSACTIONAL, False),
    ],
)
@pytest.mark.parametrize("after", [False, True], ids=["before it is accepted", "after"])
async def test_whose_mail_ends_and_whose_goes(
    start: Callable[..., Awaitable[Engine]],
    terms: dict[str, str],
    stream: Stream,
    suppressed: bool,
    after: bool,
) -> None:
    engine = await start(running=not after)
    await domains.add(
        engine.database, engine.box, "other.test", account_id=engine.account, trusted=True, by=SYSTEM
    )
    if after:
        await engine.accept("a@x.test", stream=stream)
        await suppressions.add(engine.database, engine.account, "a@x.test", **terms, by=SYSTEM)  # type: ignore[arg-type]
        await engine.run()
    else:
        await suppressions.add(engine.database, engine.account, "a@x.test", **terms, by=SYSTEM)  # type: ignore[arg-type]
        await engine.accept("a@x.test", stream=stream)
    await until_final(engine.database)
    assert await statuses(engine.database) == {"a@x.test": "suppressed" if suppressed else "delivered"}
    assert engine.post.recipients() == ([] if suppressed else ["a@x.test"])
    assert engine.post.connected == (0 if suppressed else 1)
    if suppressed:
        word = {"spam_complaints": "spam_complained", "unsubscribes": "unsubscribed"}
        listed = terms.get("on", "blocklist")
        detail = {"reason": word.get(listed, "blocklisted"), "lists": [listed]}
        assert await told(engine.database) == [("suppressed", detail)]


async def test_a_pattern_ends_mail_before_and_after_it_is_accepted(
    start: Callable[..., Awaitable[Engine]],
) -> None:
    engine = await start(Post(answer=GREYLISTED), retry=[3600.0])
    await engine.accept("later@x.test")
    await wait_for_attempts(engine, 1)
    await suppressions.add(engine.database, engine.account, "*@x.test", pattern=True, by=SYSTEM)
    await engine.accept("new@x.test", "ok@y.test")
    await wait_for_attempts(engine, 2)
    await free(engine.database)
    async with asyncio.timeout(10):
        while (await statuses(engine.database))["later@x.test"] != "suppressed":
            await asyncio.sleep(0.02)
    found = await statuses(engine.database)
    assert (found["new@x.test"], found["ok@y.test"]) == ("suppressed", "deferred")


async def wait_for_attempts(engine: Engine, count: int) -> None:
    async with asyncio.timeout(10):
        while True:
            async with engine.database.read() as connection:
                if await connection.scalar(select(func.count()).select_from(attempts)) == count:
                    return
            await asyncio.sleep(0.01)


async def test_x05_a_retry_is_looked_up_again(start: Callable[..., Awaitable[Engine]]) -> None:
    engine = await start(Post(answer=GREYLISTED), retry=[3600.0])
    await engine.accept("a@x.test")
    await wait_for_attempts(engine, 1)
    await suppressions.add(engine.database, engine.account, "a@x.test", on="hard_bounces", by=SYSTEM)
    await free(engine.database)
    await until_final(engine.database)
    async with engine.database.read() as connection:
        email = (await connection.execute(select(emails))).one()
    assert (email.status, email.reply, email.attempts) == ("suppressed", "suppressed: hard_bounced", 1)
    assert email.final_at is not None
    assert [kind for kind, _ in await told(engine.database)] == ["sent", "deferred", "suppressed"]
    assert len(engine.post.delivered) == 1


@pytest.mark.parametrize("fresh", [True, False])
async def test_x05_what_waits_in_memory_is_looked_up_again_after_some_seconds(
    start: Callable[..., Awaitable[Engine]], monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    """Twenty to one site, whose few connections are busy; all but the first ones wait."""
    monkeypatch.setattr(check, "FRESH", 1000.0 if fresh else 0.0)
    post = Post()
    engine = await start(post)
    post.gate.clear()
    await engine.accept(*(f"r{number}@x.test" for number in range(20)))
    async with asyncio.timeout(10):
        while not post.connected:
            await asyncio.sleep(0.01)
    await suppressions.add(engine.database, engine.account, "r19@x.test", by=SYSTEM)
    await engine.directory.refresh()
    await engine.directory.account(engine.account)  # type: ignore[misc]
    post.gate.set()
    await until_final(engine.database)
    assert ("r19@x.test" in post.recipients()) is fresh
    assert len(post.recipients()) == 19 + fresh


async def test_an_account_without_suppressions_is_never_asked_about(
    start: Callable[..., Awaitable[Engine]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "FRESH", 0.0)
    asked: list[object] = []

    async def read(_: object, keys: object) -> dict[object, object]:
        asked.append(keys)
        return {}

    monkeypatch.setattr(check.SuppressionCheck, "_read", read)
    engine = await start()
    await engine.accept("a@x.test")
    await until_final(engine.database)
    assert asked == []
    await suppressions.add(engine.database, engine.account, "other@x.test", by=SYSTEM)
    await engine.directory.refresh()
    await engine.accept("a@x.test")
    await until_final(engine.database)
    assert asked


async def test_x05_no_claim_after_the_reply_delivers(database: Database, tmp_path: Path) -> None:
    """An unsubscribe races the claim of a waiting message, many times: what is claimed after it is never sent."""
    engine = await Engine.start(database, tmp_path, running=False)
    rounds = 100
    for number in range(rounds):
        await engine.accept(f"r{number}@x.test")
    claimed: dict[str, bool] = {}
    replied: dict[str, bool] = {}

    def take(entries: list[object], _: int) -> None:
        for one in entries:
            claimed[one.recipient] = bool(one.suppressed)  # type: ignore[attr-defined]

    engine.scheduler.take = take  # type: ignore[method-assign, assignment]
    engine.scheduler._owner = 7

    async def unsubscribe(number: int) -> None:
        address = f"r{number}@x.test"
        await suppressions.add(database, engine.account, address, by=SYSTEM)
        replied[address] = address in claimed

    async def claim() -> None:
        while len(claimed) < rounds:
            await engine.scheduler._claim()
            await asyncio.sleep(0)

    await asyncio.gather(claim(), *(unsubscribe(number) for number in range(rounds)))
    late = [address for address, was_claimed in replied.items() if not was_claimed]
    assert [address for address in late if not claimed[address]] == []


# -- what the edges are told -------------------------------------------------------------------------------


async def test_a_draft_knows_who_is_sent_nothing(start: Callable[..., Awaitable[Engine]]) -> None:
    engine = await start()
    await suppressions.add(engine.database, engine.account, "gone@x.test", on="on_hold", by=SYSTEM)
    await suppressions.add(engine.database, engine.account, "gone@x.test", on="hard_bounces", by=SYSTEM)
    draft = engine.draft("gone@x.test", "here@x.test", drop_suppressed=True)
    assert await engine.commit.submit(draft, quota=None, hold_over_quota=False) == draft.id
    assert draft.suppressed == {"gone@x.test": ("hard_bounces", "on_hold")}


async def test_a_draft_may_be_dropped_when_all_are_suppressed(
    start: Callable[..., Awaitable[Engine]],
) -> None:
    engine = await start()
    await suppressions.add(engine.database, engine.account, "gone@x.test", by=SYSTEM)
    draft = engine.draft("gone@x.test", drop_suppressed=True)
    answer = await engine.commit.submit(draft, quota=None, hold_over_quota=False)
    assert isinstance(answer, Refused)
    assert answer.rule is refusals.ALL_SUPPRESSED
    assert draft.suppressed == {"gone@x.test": ("blocklist",)}
    assert await statuses(engine.database) == {}


async def test_an_smtp_user_that_refuses_says_why(start: Callable[..., Awaitable[Engine]]) -> None:
    engine = await start()
    await suppressions.add(engine.database, engine.account, "gone@x.test", on="spam_complaints", by=SYSTEM)
    draft = engine.draft("here@x.test", "gone@x.test", refuse_suppressed=True)
    answer = await engine.commit.submit(draft, quota=None, hold_over_quota=False)
    assert isinstance(answer, Refused)
    assert answer.facts == {"address": "gone@x.test", "reason": "spam_complaint"}


async def test_the_table_is_what_other_programs_wrote_to_it_before(database: Database) -> None:
    """A row of an older version has no stream, pattern or end."""
    account = await accounts.add(database, "Shop", approved=True, by=SYSTEM)
    row = {
        "account_id": account.id,
        "id": "0" * 24,
        "list": "blocklist",
        "address": "a@y.test",
        "created_at": 1,
    }
    async with database.write() as connection:
        await connection.execute(table.insert().values(row))
    [found] = await suppressions.list_all(database, account.id)
    assert (found.pattern, found.stream, found.expires_at) == (False, "", None)
