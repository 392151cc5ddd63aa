"""What the API says while sending from a domain is paused (mailersend-api, sections 2.1 and 5)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from postroom.tenancy import domains, suppressions
from postroom.types.actor import SYSTEM
from support.api import ApiWorld
from support.email_api import body, kept
from support.sent import sent


@pytest.fixture
async def paused(api: ApiWorld) -> ApiWorld:
    await domains.pause(api.database, api.first.domain.id, by=SYSTEM)
    await api.changed()
    return api


async def _pausing(api: ApiWorld, message_id: str) -> dict[str, Any]:
    domain: dict[str, Any] = (await api.get(f"/messages/{message_id}")).json()["data"]["domain"]
    names = ("has_not_queued_messages", "not_queued_messages_count")
    return {name: domain[name] for name in names} | {"send_paused": domain["domain_settings"]["send_paused"]}


async def test_a_message_is_accepted_with_a_header_and_waits(paused: ApiWorld) -> None:
    answer = await paused.post("/email", json=body(paused))
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["x-send-paused"] == "true"
    found = await kept(paused, answer)
    assert found.queue["bob@x.test"].hold == "paused"
    assert found.emails["bob@x.test"].status == "held"
    await paused.post("/email", json=body(paused, to=[{"email": "a@x.test"}, {"email": "b@x.test"}]))
    assert await _pausing(paused, found.message.id) == {
        "send_paused": True,
        "has_not_queued_messages": True,
        "not_queued_messages_count": 2,
    }
    email = (await paused.get(f"/email/{found.emails['bob@x.test'].id}")).json()["data"]
    assert email["status"] == "queued"
    assert [event["type"] for event in email["activity"]] == ["queued", "held"]


async def test_the_header_goes_with_the_pause(paused: ApiWorld) -> None:
    await domains.resume(paused.database, paused.first.domain.id, by=SYSTEM)
    await paused.changed()
    answer = await paused.post("/email", json=body(paused))
    assert "x-send-paused" not in answer.headers
    found = await kept(paused, answer)
    assert found.queue["bob@x.test"].hold == ""
    assert not any((await _pausing(paused, found.message.id)).values())


async def test_the_same_request_gets_the_same_header(paused: ApiWorld) -> None:
    key = {"idempotency-key": "k"}
    first = await paused.post("/email", json=body(paused), headers=key)
    await domains.resume(paused.database, paused.first.domain.id, by=SYSTEM)
    await paused.changed()
    again = await paused.post("/email", json=body(paused), headers=key)
    for answer in (first, again):
        assert answer.headers["x-send-paused"] == "true"
    assert again.headers["x-message-id"] == first.headers["x-message-id"]


async def test_beside_warnings_and_without_a_message(paused: ApiWorld) -> None:
    await suppressions.add(paused.database, paused.first.account.id, "bob@x.test", by=SYSTEM)
    some = await paused.post("/email", json=body(paused, cc=[{"email": "carla@x.test"}]))
    assert some.json()["warnings"][0]["type"] == "SOME_SUPPRESSED"
    assert some.headers["x-send-paused"] == "true"
    nobody = await paused.post("/email", json=body(paused))
    assert nobody.json()["warnings"][0]["type"] == "ALL_SUPPRESSED"
    assert not {"x-send-paused", "x-message-id"} & nobody.headers.keys()


async def test_a_scheduled_message_stays_scheduled_and_can_be_deleted(paused: ApiWorld) -> None:
    mail = await sent(paused, paused.first, send_at=paused.clock.now_ms() + 1000)
    message_id = mail.messages[0].id
    async with paused.database.write() as connection:  # its time has come
        await connection.execute(text("UPDATE queue SET hold = 'paused'"))
    shown = (await paused.get(f"/message-schedules/{message_id}")).json()["data"]
    assert shown["status"] == "scheduled"
    assert (await paused.delete(f"/message-schedules/{message_id}")).status_code == 204


async def test_an_email_of_a_batch_waits_too(paused: ApiWorld) -> None:
    answer = await paused.post("/bulk-email", json=[body(paused)])
    assert "x-send-paused" not in answer.headers  # it may be from several domains
    assert await paused.bulk.turn()
    async with paused.database.read() as connection:
        assert list(await connection.scalars(text("SELECT hold FROM queue"))) == ["paused"]


async def test_preflight_warns(paused: ApiWorld) -> None:
    report = (await paused.post("/preflight", json=body(paused))).json()["data"]
    [finding] = [finding for finding in report["findings"] if finding["id"] == "sending"]
    assert finding["verdict"] == "warn"
    assert report["accepted"] is True
