"""H04: the same key never makes a second message."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from postroom.runtime.clock import FakeClock
from postroom.store import idempotency_keys
from postroom.tenancy import suppressions
from postroom.types.actor import SYSTEM
from postroom.types.scopes import Scope
from support.api import ApiWorld, Client
from support.email_api import body, count


async def post(client: Client, json: Any, key: str = "key-1") -> Any:
    return await client.post("/email", json=json, headers={"Idempotency-Key": key})


async def test_h04_the_same_request_gets_the_same_answer(api: ApiWorld) -> None:
    await suppressions.add(api.database, api.first.account.id, "carla@x.test", by=SYSTEM)
    asked = body(api, cc=[{"email": "carla@x.test", "name": "Carla"}])
    first = await post(api, asked)
    await suppressions.add(api.database, api.first.account.id, "bob@x.test", by=SYSTEM)
    again = await post(api, dict(reversed(asked.items())))  # JSON objects have no order
    assert first.status_code == again.status_code == 202
    assert first.json()["warnings"][0]["recipients"][0]["name"] == "Carla"
    assert again.content == first.content
    for name in ("x-message-id", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert await count(api) == 1


async def test_h04_twenty_at_once_make_one_message(api: ApiWorld) -> None:
    answers = await asyncio.gather(*(post(api, body(api)) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.headers["x-message-id"] for answer in answers}) == 1
    assert await count(api) == 1


async def test_h04_another_body_is_refused(api: ApiWorld) -> None:
    await post(api, body(api))
    answer = await post(api, body(api, subject="Other"))
    assert answer.status_code == 422
    assert answer.json()["errors"].keys() == {"idempotency-key"}
    assert await count(api) == 1


async def test_h04_a_request_that_was_wrong_may_be_corrected(api: ApiWorld) -> None:
    assert (await post(api, body(api, subject=None))).status_code == 422
    assert (await post(api, body(api))).status_code == 202


async def test_h04_keys_belong_to_accounts_and_not_to_tokens(api: ApiWorld) -> None:
    other = await api.tenant()
    another_token = await api.first.with_token(Scope.EMAIL_FULL)
    first = await post(api, body(api))
    assert (await post(other, body(other))).status_code == 202
    assert (await post(another_token, body(api))).headers["x-message-id"] == first.headers["x-message-id"]
    assert await count(api) == 2


@pytest.mark.parametrize("key", ["", "a" * 256, "a\tb", "\xe9", " "])
async def test_h04_what_is_no_key(api: ApiWorld, key: str) -> None:
    answer = await api.post("/email", json=body(api), headers=[(b"idempotency-key", key.encode("latin-1"))])
    assert answer.status_code == 422
    assert await count(api) == 0


async def test_h04_two_keys_are_none(api: ApiWorld) -> None:
    answer = await api.post(
        "/email", json=body(api), headers=[("idempotency-key", "a"), ("idempotency-key", "b")]
    )
    assert answer.status_code == 422


async def test_h04_a_key_is_good_for_a_day(sqlite_database: Any, tmp_path: Any) -> None:
    clock = FakeClock()
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=clock)
    first = await post(api, body(api), "k" * 255)
    clock.advance(24 * 3600 - 1)
    assert (await post(api, body(api), "k" * 255)).headers["x-message-id"] == first.headers["x-message-id"]
    clock.advance(1)
    assert (await post(api, body(api), "k" * 255)).headers["x-message-id"] != first.headers["x-message-id"]
    async with api.database.read() as connection:
        now = clock.now_ms()
        assert await idempotency_keys.get(connection, api.first.account.id, "k" * 255, now) is not None
    assert await count(api) == 2


async def test_h04_a_scheduled_message_is_answered_again_when_its_time_is_over(
    sqlite_database: Any, tmp_path: Any
) -> None:
    clock = FakeClock()
    api = await ApiWorld.start(sqlite_database, tmp_path, clock=clock)
    asked = body(api, send_at=clock.now_ms() // 1000 + 60)
    first = await post(api, asked)
    clock.advance(3600)
    assert (await post(api, asked)).headers["x-message-id"] == first.headers["x-message-id"]
