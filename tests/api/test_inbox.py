"""The sandbox inbox over the API."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete

from postroom.store import audit
from postroom.store.schema import queue
from postroom.tenancy import inbox
from postroom.tenancy.grants import Grant
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld
from support.messages import MESSAGE
from support.sent import ago, in_the_inbox, second_domain, sent


async def _filled(api: ApiWorld, **fields: Any) -> list[str]:
    mail = await sent(api, api.first, 2, **fields)
    async with api.database.write() as connection:
        await connection.execute(delete(queue))
    return await in_the_inbox(api.database, mail)


async def _listed(api: ApiWorld, **query: Any) -> list[str]:
    answer = await api.get("/inbox", params=query)
    assert answer.status_code == 200, answer.text
    rows = answer.json()
    assert rows["meta"]["total"] == len(rows["data"])
    return [row["id"] for row in rows["data"]]


async def _actions(api: ApiWorld) -> list[str]:
    async with api.database.read() as connection:
        found = await audit.page(connection, api.first.account.id, action="inbox.", limit=99)
    return [entry.action for entry in found]


async def test_a_row_and_one_with_its_content(api: ApiWorld) -> None:
    at = ago(api)
    first, second = await _filled(api, at=at, subject="Your order")
    rows = (await api.get("/inbox")).json()["data"]
    assert [row["id"] for row in rows] == [second, first]
    row = rows[1]
    assert row == {
        "id": first,
        "message_id": row["message_id"],
        "domain_id": api.first.domain.id,
        "received_at": timestamp(at),
        "from": f"shop@{api.first.domain.name}",
        "to": "user0@example.org",
        "subject": "Your order",
        "size": len(MESSAGE),
    }
    shown = (await api.get(f"/inbox/{first}")).json()["data"]
    content = shown.pop("content")
    assert shown == row
    assert (content["content_kept"], len(content["attachments"])) == (True, 2)
    assert (await api.get(f"/email/{first}/preview")).status_code == 200


async def test_search_and_domain(api: ApiWorld) -> None:
    another = await second_domain(api, api.first)
    first = await _filled(api, subject="Your order", at=ago(api, 2000))
    second = await _filled(api, domain_id=another.id, at=ago(api, 1000))
    assert await _listed(api) == [*second[::-1], *first[::-1]]
    assert await _listed(api, search="ORDER") == first[::-1]
    assert await _listed(api, search="user1") == [second[1], first[1]]
    assert await _listed(api, domain_id=another.id) == second[::-1]
    assert (await api.get("/inbox", params={"domain_id": "a" * 16})).status_code == 422


async def test_one_is_deleted(api: ApiWorld) -> None:
    first, second = await _filled(api)
    answer = await api.delete(f"/inbox/{first}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await _listed(api) == [second]
    assert (await api.delete(f"/inbox/{first}")).status_code == 404
    assert (await api.get(f"/email/{first}")).status_code == 200
    assert await _actions(api) == ["inbox.deleted"]


async def test_all_are_deleted_or_those_that_fit(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, one call is one entry in the audit log."""
    monkeypatch.setattr(inbox, "SLICE", 1)
    first = await _filled(api, subject="Your order", at=ago(api, 2000))
    second = await _filled(api)
    assert (await api.delete("/inbox?search=order")).status_code == 204
    assert await _listed(api) == second[::-1]
    assert first
    assert (await api.delete("/inbox")).status_code == 204
    assert await _listed(api) == []
    assert await _actions(api) == ["inbox.emptied"] * 2


async def test_h01_only_ones_own(api: ApiWorld) -> None:
    email_id, _ = await _filled(api)
    another = await second_domain(api, api.first)
    restricted = await api.first.with_token(Scope.EMAIL_FULL, domain=another.id)
    for client in (restricted, await api.tenant()):
        assert (await client.get("/inbox")).json()["data"] == []
        assert (await client.get(f"/inbox/{email_id}")).status_code == 404
        assert (await client.delete(f"/inbox/{email_id}")).status_code == 404
        assert (await client.delete("/inbox")).status_code == 204
    assert len(await _listed(api)) == 2


async def test_who_may(api: ApiWorld) -> None:
    email_id, _ = await _filled(api)
    reader = await api.first.with_token(Scope.ACTIVITY_READ)
    person = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.READ_EMAIL})))
    assert (await reader.get(f"/inbox/{email_id}")).status_code == 200
    assert (await reader.delete("/inbox")).status_code == 403
    assert (await person.get("/v1/inbox")).status_code == 200
    assert (await person.delete("/v1/inbox")).status_code == 403
