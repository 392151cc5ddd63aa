from __future__ import annotations

from postroom.store import batches, queue
from postroom.store.database import Database
from support.mail import (
    ACCOUNT,
    DOMAIN,
    NOW,
    OTHER,
    accepted,
    add_account,
    insert,
    lay_out,
    message_row,
    rows,
    together,
)


async def test_accounts_waiting_hops_over_accounts_in_order(database: Database) -> None:
    names = [letter * 16 for letter in "gecb"]
    due = [lay_out(message_row(name), 3) for name in names]
    later = lay_out(message_row("d" * 16), due_at=NOW + 1)
    dead = lay_out(message_row("f" * 16), owner=7)
    alive = lay_out(message_row("h" * 16), owner=8)
    await insert(database, together([*due, later, dead, alive]))
    async with database.read() as connection:
        assert await queue.accounts_waiting(connection, [0, 7], NOW, "", 10) == [
            letter * 16 for letter in "bcefg"
        ]
        assert await queue.accounts_waiting(connection, [0, 7], NOW, "", 2) == ["b" * 16, "c" * 16]
        assert await queue.accounts_waiting(connection, [0, 7], NOW, "c" * 16, 2) == ["e" * 16, "f" * 16]
        assert await queue.accounts_waiting(connection, [0], NOW, "g" * 16, 2) == []


async def test_due_soonest_of_several_owners(database: Database) -> None:
    async with database.read() as connection:
        assert await queue.due_soonest(connection, [0]) is None
    waiting = [lay_out(message_row(), due_at=NOW + 9), lay_out(message_row(OTHER), due_at=NOW + 5)]
    await insert(database, together([*waiting, lay_out(message_row(), owner=7, due_at=NOW + 2)]))
    async with database.read() as connection:
        assert await queue.due_soonest(connection, [0]) == NOW + 5
        assert await queue.due_soonest(connection, [0, 7]) == NOW + 2
        assert await queue.due_soonest(connection, [3]) is None


async def test_show_and_soonest(database: Database) -> None:
    await add_account(database)
    late = await accepted(database, due_at=NOW + 5)
    early = await accepted(database)
    async with database.read() as connection:
        item = await queue.show(connection, late.emails[0].id)
        assert item is not None
        assert (item.recipient, item.due_at, item.domain_id) == ("user0@example.org", NOW + 5, DOMAIN)
        assert await queue.show(connection, "0" * 24) is None
        listed = await queue.soonest(connection, limit=1)
    assert [item.email_id for item in listed] == [early.emails[0].id]


async def test_counts_by_site_and_account(database: Database) -> None:
    await add_account(database)
    await add_account(database, OTHER)
    await accepted(database, 3)
    await insert(database, lay_out(message_row(OTHER), hold="suspended"))
    [entry, *_] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [], [entry.key])
    async with database.read() as connection:
        [site] = await queue.counts(connection, "site")
        accounts = await queue.counts(connection, "account")
        assert await queue.counts(connection, "domain") == []  # there is no such domain
    assert (site.name, site.emails, site.held, site.under_way, site.next_due_at) == (
        "example.org",
        4,
        1,
        1,
        NOW,
    )
    assert [(count.name, count.emails) for count in accounts] == [("Account a", 3), ("Account b", 1)]


async def test_a_node_that_stops_lets_go_of_all_but_what_is_under_way(database: Database) -> None:
    await accepted(database, 3)
    entries = await batches.claim(database, 4, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 4, [], [entries[0].key])
    async with database.write() as connection:
        assert await queue.release_owner(connection, 4) == 2
    assert sorted(row["owner"] for row in await rows(database, "queue")) == [0, 0, 4]


async def test_orphans_are_found_and_released(database: Database) -> None:
    await accepted(database, 2, owner=4)
    await accepted(database, owner=4, due_at=NOW + 100)
    async with database.read() as connection:
        owned = await queue.owned(connection, 4, NOW + 1)
    assert len(owned) == 2
    async with database.write() as connection:
        await queue.release(connection, 3, owned)  # not the owner
        await queue.release(
            connection, 4, owned, NOW
        )  # recorded meanwhile, and claimed again for a later attempt
        await queue.release(connection, 4, owned[:1], NOW + 1)
    assert sorted(row["owner"] for row in await rows(database, "queue")) == [0, 4, 4]


async def test_sites_are_counted_slice_by_slice(database: Database) -> None:
    first = await accepted(database, 3)
    await insert(database, lay_out(message_row(OTHER), 2))
    async with database.read() as connection:
        assert await queue.account_after(connection, "") == ACCOUNT
        assert await queue.account_after(connection, ACCOUNT) == OTHER
        assert await queue.account_after(connection, OTHER) is None
        counts, last = await queue.sites(connection, ACCOUNT, "", 2)
        assert (counts, last) == ({"example.org": 2}, first.emails[1].id)
        assert await queue.sites(connection, ACCOUNT, last, 2) == ({"example.org": 1}, first.emails[2].id)
        assert await queue.sites(connection, ACCOUNT, first.emails[2].id, 2) == ({}, first.emails[2].id)
