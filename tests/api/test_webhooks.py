"""Webhooks: kept only if somebody answers there, and told nothing yet."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from postroom.runtime.http_client import Answer
from postroom.store import audit
from postroom.store.database import Database
from postroom.tenancy import webhooks
from postroom.types.scopes import Scope
from postroom.types.webhooks import WebhookEvent
from postroom.web.api.json_out import timestamp
from postroom.wire.webhooks import TEST_SECRET, signature
from support.api import ApiWorld, Tenant
from support.sent import second_domain

URL = "https://hooks.example.com/postroom"


def body(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    return {"url": URL, "name": "Orders", "events": ["activity.sent"], "domain_id": tenant.domain.id} | fields


async def made(api: ApiWorld, tenant: Tenant | None = None, **fields: Any) -> dict[str, Any]:
    tenant = tenant or api.first
    answer = await tenant.post("/webhooks", json=body(tenant, **fields))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()["data"]
    api.hooks.requests.clear()
    return created


async def log(api: ApiWorld) -> list[audit.Entry]:
    """What the audit log says of webhooks, the newest first."""
    async with api.database.read() as connection:
        return await audit.page(connection, api.first.account.id, action="webhook.", limit=100)


# -- creating -------------------------------------------------------------------------------------------------------


async def test_a_new_webhook(api: ApiWorld) -> None:
    answer = await api.post(
        "/webhooks", json=body(api.first, name=" Orders ", events=["activity.sent", "activity.opened"])
    )
    assert answer.status_code == 201
    created = answer.json()["data"]
    assert set(created) == {
        "id", "url", "events", "name", "enabled", "editable", "version", "secret", "created_at", "updated_at", "domain",
    }  # fmt: skip
    assert (created["url"], created["name"]) == (URL, "Orders")
    assert created["events"] == ["activity.sent", "activity.opened"]
    assert (created["enabled"], created["editable"], created["version"]) == (True, None, 2)
    assert len(created["secret"]) == 32
    assert created["secret"].isalnum()
    assert created["domain"]["id"] == api.first.domain.id
    assert created["created_at"] == created["updated_at"] <= timestamp(api.clock.now_ms())
    shown = (await api.get(f"/webhooks/{created['id']}")).json()["data"]
    assert shown == created | {"editable": True}


async def test_the_url_is_asked_first_signed_with_the_public_secret(api: ApiWorld) -> None:
    await api.post("/webhooks", json=body(api.first))
    [request] = api.hooks.requests
    assert (request.method, request.url) == ("POST", URL)
    said = json.loads(request.content)
    assert (said["type"], said["message"]) == ("webhook.test", "This is a ping test message")
    assert request.headers["Signature"] == signature(request.content, TEST_SECRET)
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(404), "it answered 404"),
        (Answer(302, (("location", "https://elsewhere.example/"),)), "it answered 302"),
        (Answer(500), "it answered 500"),
        (TimeoutError(), "it did not answer within 3 s"),
        (ConnectionRefusedError(111, "x"), "it could not be reached: Connection refused"),
    ],
)
async def test_nothing_is_kept_unless_it_says_yes(
    answer: Answer | Exception, reason: str, api: ApiWorld
) -> None:
    api.hooks.answers[URL] = answer
    refused = await api.post("/webhooks", json=body(api.first))
    text = f"The url must answer a test request with a status from 200 to 299, but {reason}."
    assert refused.status_code == 422
    assert refused.json() == {"message": text, "errors": {"url": [text]}}
    listed = await api.get("/webhooks", params={"domain_id": api.first.domain.id})
    assert listed.json()["data"] == []
    assert await log(api) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example.com/", "must begin with https://"),
        ("ftp://hooks.example.com/", "must begin with https://"),
        ("hooks.example.com", "must begin with https://"),
        ("https://a@hooks.example.com/", "must not hold a user name or password"),
        ("https://hooks.example.com:22/", "has the port 22; allowed are 443, 80, 8443"),
        ("https://0x7f.1/", "has an address for a host that is not written in the usual form"),
        ("https://" + "a" * 190, None),
    ],
)
async def test_h09_urls_that_are_not_called(url: str, reason: str | None, api: ApiWorld) -> None:
    refused = await api.post("/webhooks", json=body(api.first, url=url))
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["url"]
    if reason is not None:
        assert refused.json()["message"] == f"The url {reason}."
    assert api.hooks.requests == []


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://[::ffff:7f00:1]/", "https://localhost./", "https://inside.example/"],
)
async def test_h09_urls_that_lead_inside(url: str, api: ApiWorld) -> None:
    api.hooks.zones.zones["inside.example"] = {"A": ["169.254.169.254"]}
    refused = await api.post("/webhooks", json=body(api.first, url=url))
    assert refused.status_code == 422
    assert "leads to an address that is not allowed" in refused.json()["errors"]["url"][0]
    assert "169.254" not in refused.text
    assert api.hooks.requests == []


async def test_all_wrong_fields_are_named_at_once(api: ApiWorld) -> None:
    refused = await api.post(
        "/webhooks", json={"events": ["activity.sent", "nothing"], "version": 3, "enabled": "maybe"}
    )
    assert refused.status_code == 422
    assert refused.json()["errors"] == {
        "url": ["The url field is required. #MS42209"],
        "name": ["The name field is required. #MS42209"],
        "events.1": ["The selected events.1 is invalid."],
        "domain_id": ["The domain id field is required. #MS42209"],
        "enabled": ["The enabled field must be true or false."],
        "version": ["The selected version is invalid."],
    }
    wrong = body(api.first, domain_id="0" * 16, url="https://hooks.example.com:25/")
    assert set((await api.post("/webhooks", json=wrong)).json()["errors"]) == {"domain_id", "url"}
    for name in ("n" * 192, " ", "a\nb"):
        assert set((await api.post("/webhooks", json=body(api.first, name=name))).json()["errors"]) == {
            "name"
        }
    assert set((await api.post("/webhooks", json=body(api.first, events=[]))).json()["errors"]) == {"events"}
    assert api.hooks.requests == []


async def test_every_event_of_the_reference_is_taken(api: ApiWorld) -> None:
    created = await made(api, events=[*WebhookEvent, "activity.sent"])
    assert created["events"] == list(WebhookEvent)
    assert len(created["events"]) == 24


async def test_a_url_is_there_once_for_a_domain(api: ApiWorld) -> None:
    await made(api)
    again = await api.post("/webhooks", json=body(api.first))
    assert again.status_code == 422
    assert again.json()["errors"] == {"url": ["The url has already been taken."]}
    assert api.hooks.requests == []
    await made(api, domain_id=(await second_domain(api, api.first)).id)
    await made(api, await api.tenant())


async def test_two_at_the_same_time_make_one(api: ApiWorld) -> None:
    answers = await asyncio.gather(*(api.post("/webhooks", json=body(api.first)) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422, 422]
    assert len(await log(api)) == 1


async def test_a_domain_has_only_so_many(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MOST", 2)
    for number in range(2):
        await made(api, url=f"{URL}/{number}")
    refused = await api.post("/webhooks", json=body(api.first))
    assert refused.json()["errors"] == {
        "domain_id": ["The domain has 2 webhooks already; there cannot be more."]
    }
    assert api.hooks.requests == []


# -- reading --------------------------------------------------------------------------------------------------------


async def test_a_list_is_that_of_one_domain(api: ApiWorld) -> None:
    ids = [(await made(api, url=f"{URL}/{number}"))["id"] for number in range(12)]
    await made(api, domain_id=(await second_domain(api, api.first)).id)
    page = (await api.get(f"/webhooks?domain_id={api.first.domain.id}&limit=10&page=2")).json()
    assert [row["id"] for row in page["data"]] == ids[10:]
    assert (page["meta"]["total"], page["meta"]["last_page"]) == (12, 2)
    assert page["data"][0] == (await api.get(f"/webhooks/{ids[10]}")).json()["data"]


@pytest.mark.parametrize("query", ["", "?domain_id=", "?domain_id=5"])
async def test_a_list_wants_a_domain(query: str, api: ApiWorld) -> None:
    refused = await api.get(f"/webhooks{query}")
    assert refused.status_code == 422
    assert refused.json()["errors"] == {"domain_id": ["The domain id field is required. #MS42209"]}


# -- changing -------------------------------------------------------------------------------------------------------


async def test_a_change_of_anything_but_the_url_asks_nobody(api: ApiWorld) -> None:
    created = await made(api)
    path = f"/webhooks/{created['id']}"
    changes = {
        "name": "New",
        "events": ["activity.opened"],
        "enabled": False,
        "version": 1,
        "editable": False,
        "url": URL,
    }
    changed = (await api.put(path, json=changes | {"domain_id": "0" * 16, "secret": "mine"})).json()["data"]
    assert changed["updated_at"] >= created["updated_at"]
    assert changed == created | changes | {"updated_at": changed["updated_at"]}
    assert (await api.put(path, json={})).json()["data"] == changed
    assert api.hooks.requests == []
    assert (await api.get(path)).json()["data"] == changed


async def test_another_url_is_asked_first(api: ApiWorld) -> None:
    created, other = await made(api), await made(api, url=f"{URL}/2")
    path, new = f"/webhooks/{created['id']}", "https://new.example.com/"
    api.hooks.answers[new] = Answer(500)
    refused = await api.put(path, json={"url": new, "name": "New"})
    assert refused.status_code == 422
    assert (await api.get(path)).json()["data"] == created | {"editable": True}
    api.hooks.answers[new] = Answer(204)
    api.hooks.requests.clear()
    changed = (await api.put(path, json={"url": new})).json()["data"]
    assert (changed["url"], changed["secret"]) == (new, created["secret"])
    assert [request.url for request in api.hooks.requests] == [new]
    for url in (other["url"], "https://new.example.com:22/"):
        assert list((await api.put(path, json={"url": url})).json()["errors"]) == ["url"]


async def test_deleted_is_gone(api: ApiWorld) -> None:
    created = await made(api)
    path = f"/webhooks/{created['id']}"
    gone = await api.delete(path, json=[])
    assert (gone.status_code, gone.text) == (204, "")
    for answer in (await api.get(path), await api.put(path, json={}), await api.delete(path)):
        assert answer.status_code == 404
    await made(api)


async def test_each_change_is_in_the_audit_log_once_and_never_with_the_secret(api: ApiWorld) -> None:
    created = await made(api)
    path = f"/webhooks/{created['id']}"
    await api.put(path, json={"name": "New"})
    await api.put(path, json={"name": "New"})
    await api.post(f"{path}/test")
    await api.delete(path)
    entries = (await log(api))[::-1]
    assert [entry.action for entry in entries] == ["webhook.created", "webhook.updated", "webhook.deleted"]
    assert {(entry.object_id, entry.actor_id) for entry in entries} == {(created["id"], api.first.token.id)}
    assert (entries[1].before, entries[1].after) == ('{"name": "Orders"}', '{"name": "New"}')
    assert '"secret": "(secret)"' in str(entries[0].after)
    assert created["secret"] not in repr(entries)


async def test_x01_the_secret_is_sealed(api: ApiWorld, sqlite_database: Database) -> None:
    created = await made(api)
    async with sqlite_database.read() as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM webhooks")).all()
    assert created["secret"] not in repr(rows)
    assert created["secret"].encode() not in rows[0].secret


# -- the test button ------------------------------------------------------------------------------------------------


async def test_the_test_is_signed_with_the_own_secret(api: ApiWorld) -> None:
    created = await made(api, enabled=False)
    api.hooks.answers[URL] = Answer(202, body="größe".encode() + b"x" * 2000)
    answer = await api.post(f"/webhooks/{created['id']}/test")
    assert answer.status_code == 200
    tested = answer.json()["data"]
    assert tested.pop("duration") >= 0
    assert tested == {"succeeded": True, "status": 202, "body": "größe" + "x" * 993, "error": None}
    [request] = api.hooks.requests
    assert json.loads(request.content)["type"] == "webhook.test"
    assert request.headers["Signature"] == signature(request.content, created["secret"])


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [(Answer(500, body=b"\xff"), 500, None), (TimeoutError(), None, "The url did not answer within 3 s.")],
)
async def test_a_test_that_fails_is_an_answer(
    answer: Answer | Exception, status: int | None, error: str | None, api: ApiWorld
) -> None:
    created = await made(api)
    api.hooks.answers[URL] = answer
    tested = (await api.post(f"/webhooks/{created['id']}/test")).json()["data"]
    assert (tested["succeeded"], tested["status"], tested["error"]) == (False, status, error)


# -- who may --------------------------------------------------------------------------------------------------------


async def test_h01_the_webhooks_of_others_are_not_there(api: ApiWorld) -> None:
    theirs = await made(api, other := await api.tenant())
    path = f"/webhooks/{theirs['id']}"
    for answer in (
        await api.get(path),
        await api.put(path, json={"version": 7}),
        await api.delete(path),
        await api.post(f"{path}/test"),
    ):
        assert answer.status_code == 404
    for refused in (
        await api.get(f"/webhooks?domain_id={other.domain.id}"),
        await api.post("/webhooks", json=body(other)),
    ):
        assert refused.json()["errors"] == {"domain_id": ["The selected domain id is invalid."]}
    assert (await other.get(path)).json()["data"]["name"] == "Orders"
    assert api.hooks.requests == []


async def test_a_token_for_one_domain_sees_only_that_one(api: ApiWorld) -> None:
    created = await made(api)
    elsewhere = await api.first.with_token(
        Scope.WEBHOOKS_FULL, domain=(await second_domain(api, api.first)).id
    )
    assert (await elsewhere.get(f"/webhooks/{created['id']}")).status_code == 404
    assert (await elsewhere.get(f"/webhooks?domain_id={api.first.domain.id}")).status_code == 422
    assert (await elsewhere.post("/webhooks", json=body(api.first))).status_code == 422


async def test_the_scope(api: ApiWorld) -> None:
    created = await made(api)
    reader = await api.first.with_token(*(set(Scope) - {Scope.WEBHOOKS_FULL}))
    assert (await reader.get(f"/webhooks/{created['id']}")).status_code == 403
    writer = await api.first.with_token(Scope.WEBHOOKS_FULL)
    assert (await writer.get(f"/webhooks/{created['id']}")).status_code == 200
