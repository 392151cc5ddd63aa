"""Sending an email once more, trying it now, taking it back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select, update

from postroom.store import audit, installation
from postroom.store.schema import accounts, contents, emails, events, queue
from postroom.tenancy import domains, suppressions
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from support import email_api
from support.api import ApiWorld
from support.email_api import body, kept
from support.messages import message
from support.sent import second_domain, sent


async def _sent(api: ApiWorld, recipients: int = 1, **fields: Any) -> list[str]:
    """Paths of the emails of a message from the tenant's own domain."""
    own = message().replace(b"shop@example.com", f"shop@{api.first.domain.name}".encode())
    mail = await sent(api, api.first, recipients, content=own, **fields)
    return [f"/email/{email.id}" for email in mail.emails]


async def _log(api: ApiWorld) -> list[tuple[str, str, str]]:
    async with api.database.read() as connection:
        found = await audit.page(connection, api.first.account.id, action="email.", limit=99)
    return [(entry.action, entry.object_id, entry.actor_kind) for entry in reversed(found)]


# -- resend -------------------------------------------------------------------------------------------------------


async def test_once_more_to_the_same_recipient_as_a_new_message(api: ApiWorld) -> None:
    [path] = await _sent(api, tags="order\nnews", stream="broadcast", metadata={"order": "4711"})
    answer = await api.post(f"{path}/resend", json={})
    assert (answer.status_code, answer.content) == (202, b"")
    found = await kept(api, answer)
    assert list(found.emails) == ["user0@example.org"]
    row = found.message
    assert (row.subject, row.tags, row.stream, row.edge) == ("Grüße", "order\nnews", "broadcast", "api")
    assert row.credential_kind == "token"
    assert (row.credential_id, row.message_id) == (api.first.token.id, f"<{row.id}@{api.first.domain.name}>")
    assert found.details is not None
    assert found.details.metadata == '{"order":"4711"}'
    raw = await email_api.raw(api, answer, "user0@example.org")
    head, _, text = raw.partition(b"\r\n\r\n")
    assert b"Message-ID" not in head
    assert b"Date" not in head
    assert head.startswith(b"From: Shop <shop@")
    assert text == message().partition(b"\r\n\r\n")[2]
    assert await _log(api) == [("email.resent", path.removeprefix("/email/"), "token")]


async def test_to_somebody_else(api: ApiWorld) -> None:
    [path] = await _sent(api)
    answer = await api.post(f"{path}/resend", json={"email": "carla@example.net"})
    assert list((await kept(api, answer)).emails) == ["carla@example.net"]
    answer = await api.post(f"{path}/resend", json={"email": "nobody"})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["email"]


async def test_what_was_rendered_for_one_recipient_is_sent_again(api: ApiWorld) -> None:
    data = [{"email": "bob@x.test", "data": {"name": "Böb"}}]
    first = await kept(
        api, await api.post("/email", json=body(api, text="Hello {{ name }}.", personalization=data))
    )
    answer = await api.post(f"/email/{first.emails['bob@x.test'].id}/resend", json={"email": "c@x.test"})
    parsed = await email_api.message(api, answer, "c@x.test")
    assert parsed.get_content().strip() == "Hello Böb."


async def test_large_content_is_stored_as_large_content(api: ApiWorld) -> None:
    first = await kept(api, await api.post("/email", json=body(api, text="x" * 400_000)))
    answer = await api.post(f"/email/{first.emails['bob@x.test'].id}/resend", json={})
    again = await kept(api, answer)
    assert again.message.blob not in ("", first.message.blob)
    assert "x" * 70 in (await email_api.raw(api, answer)).decode()


async def test_content_that_is_gone_cannot_be_sent(api: ApiWorld) -> None:
    [path] = await _sent(api)
    async with api.database.write() as connection:
        await connection.execute(delete(contents))
    answer = await api.post(f"{path}/resend", json={})
    assert (answer.status_code, await _log(api)) == (404, [])


async def test_the_rules_of_today_hold(api: ApiWorld) -> None:
    """Sender, quota and suppressions, as for a message that is sent for the first time; and each refusal is recorded."""
    [path] = await _sent(api)
    mail = await sent(api, api.first)
    answer = await api.post(f"/email/{mail.emails[0].id}/resend", json={})
    assert answer.status_code in (403, 422)
    assert "example.com" in answer.json()["message"]
    await suppressions.add(api.database, api.first.account.id, "user0@example.org", by=SYSTEM)
    await api.changed()
    answer = await api.post(f"{path}/resend", json={})
    assert (answer.status_code, answer.json()["warnings"][0]["type"]) == (202, "ALL_SUPPRESSED")
    async with api.database.write() as connection:
        await connection.execute(update(accounts).values(daily_quota=1))
        await installation.bump(connection)
    await api.changed()
    other = {"email": "carla@example.net"}
    assert (await api.post(f"{path}/resend", json=other)).status_code == 202
    answer = await api.post(f"{path}/resend", json=other)
    assert (answer.status_code, answer.headers["retry-after"] > "0") == (429, True)
    rules = [row.rule for row in api.refusals._waiting]
    assert rules == ["from-not-verified", "daily-quota"]


async def test_h04_an_idempotency_key_makes_one_message(api: ApiWorld) -> None:
    first, second = await _sent(api, 2)
    key = {"idempotency-key": "once"}
    answers = [await api.post(f"{first}/resend", json={}, headers=key) for _ in range(2)]
    assert len({answer.headers["x-message-id"] for answer in answers}) == 1
    assert (await api.post(f"{second}/resend", json={}, headers=key)).status_code == 422
    assert len(await _log(api)) == 1


# -- retry and cancel ---------------------------------------------------------------------------------------------


async def _row(api: ApiWorld, path: str) -> Any:
    async with api.database.read() as connection:
        which = select(queue).where(queue.c.email_id == path.removeprefix("/email/"))
        return (await connection.execute(which)).first()


async def test_an_email_is_tried_now(api: ApiWorld) -> None:
    [path] = await _sent(api, send_at=api.clock.now_ms() + 3_600_000)
    answer = await api.post(f"{path}/retry")
    assert (answer.status_code, answer.content) == (204, b"")
    row = await _row(api, path)
    assert (row.due_at, row.hold) == (0, "")
    assert await _log(api) == [("email.retried", path.removeprefix("/email/"), "token")]


@pytest.mark.parametrize("hold", ["quota", "paused", "quarantined", "suspended"])
async def test_what_is_held_for_a_reason_waits_for_its_end(api: ApiWorld, hold: str) -> None:
    """A daily quota could be passed by, else."""
    [path] = await _sent(api)
    async with api.database.write() as connection:
        await connection.execute(update(queue).values(hold=hold, due_at=9))
    answer = await api.post(f"{path}/retry")
    assert answer.status_code == 422
    assert hold in answer.json()["message"]
    assert ((await _row(api, path)).hold, await _log(api)) == (hold, [])


async def test_an_email_is_taken_back(api: ApiWorld) -> None:
    first, second = await _sent(api, 2)
    answer = await api.post(f"{first}/cancel")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await _row(api, first) is None
    assert await _row(api, second) is not None
    async with api.database.read() as connection:
        kinds = list(await connection.scalars(select(events.c.type)))
        statuses = set(await connection.scalars(select(emails.c.status)))
    assert (kinds, statuses) == (["cancelled"], {"cancelled", "queued"})
    assert await _log(api) == [("email.cancelled", first.removeprefix("/email/"), "token")]


@pytest.mark.parametrize("action", ["retry", "cancel"])
async def test_what_is_final_or_under_way_stays(api: ApiWorld, action: str) -> None:
    path, under_way = await _sent(api, 2)
    await api.post(f"{path}/cancel")
    async with api.database.write() as connection:
        await connection.execute(update(queue).values(mark=1))
    for one, why in ((path, "cancelled already"), (under_way, "under way")):
        answer = await api.post(f"{one}/{action}")
        assert answer.status_code == 422
        assert why in answer.json()["message"]
    assert len(await _log(api)) == 1


async def test_who_may(api: ApiWorld) -> None:
    [path] = await _sent(api)
    elsewhere = await second_domain(api, api.first)
    restricted = await api.first.with_token(Scope.EMAIL_FULL, domain=elsewhere.id)
    reader = await api.first.with_token(Scope.ACTIVITY_FULL)
    person = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.READ_EMAIL})))
    for action in ("resend", "retry", "cancel"):
        assert (await restricted.post(f"{path}/{action}", json={})).status_code == 404
        assert (await reader.post(f"{path}/{action}", json={})).status_code == 403
        assert (await person.post(f"/v1{path}/{action}", json={})).status_code == 403
    sender = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.CONTROL_SENDINGS})))
    for action in ("resend", "retry", "cancel"):
        assert (await sender.post(f"/v1{path}/{action}", json={})).status_code < 300
    assert {kind for _, _, kind in await _log(api)} == {"user"}


async def test_a_paused_domain_takes_it_and_says_so(api: ApiWorld) -> None:
    [path] = await _sent(api)
    await domains.pause(api.database, api.first.domain.id, by=SYSTEM)
    await api.changed()
    answer = await api.post(f"{path}/resend", json={})
    assert (answer.status_code, answer.headers["x-send-paused"]) == (202, "true")
