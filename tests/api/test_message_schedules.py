from __future__ import annotations

from typing import Any

import pytest

from postroom.store import batches
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld
from support.mail import rows
from support.sent import ago, second_domain, sent, times

TOO_LATE = {
    "message": "This message is scheduled to be sent shortly or has already been sent, "
    "it's not possible to delete it."
}


def _later(api: ApiWorld, seconds: int = 3600) -> int:
    return api.clock.now_ms() // 1000 * 1000 + seconds * 1000


async def test_the_shape_of_a_row_and_of_one_alone(api: ApiWorld) -> None:
    at, send_at = ago(api), _later(api)
    mail = await sent(api, api.first, 2, at=at, send_at=send_at)
    await sent(api, api.first)
    row = {
        "message_id": mail.messages[0].id,
        "subject": "Hello",
        "send_at": timestamp(send_at),
        "status": "scheduled",
        "status_message": None,
        "created_at": timestamp(at),
    }
    page = (await api.get("/message-schedules")).json()
    assert page["data"] == [row]
    assert page["meta"]["total"] == 1
    assert page["links"]["last"] == "http://api.test/v1/message-schedules?page=1"
    domain = api.first.domain
    assert (await api.get(f"/message-schedules/{mail.messages[0].id}")).json() == {
        "data": row
        | {
            "domain": {
                "id": domain.id,
                "name": domain.name,
                "created_at": timestamp(domain.created_at),
                "updated_at": timestamp(domain.updated_at),
            },
            "message": {"id": mail.messages[0].id, **times(at)},
        }
    }


async def test_filters_and_pages(api: ApiWorld) -> None:
    mail = [await sent(api, api.first, send_at=_later(api, number)) for number in range(12)]
    await sent(api, api.first, send_at=_later(api), domain_id="e" * 16)
    await sent(api, await api.tenant(), send_at=_later(api))
    assert (await api.get("/message-schedules")).json()["meta"]["total"] == 13
    query = f"domain_id={api.first.domain.id}&status=scheduled&limit=10"
    first = (await api.get(f"/message-schedules?{query}")).json()
    second = (await api.get(f"/message-schedules?{query}&page=2")).json()
    found = [row["message_id"] for row in first["data"] + second["data"]]
    assert found == [one.messages[0].id for one in reversed(mail)]
    assert (first["meta"]["last_page"], first["meta"]["total"]) == (2, 12)
    assert (await api.get("/message-schedules?status=sent")).json()["data"] == []


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("status=queued", {"status": ["The selected status is invalid."]}),
        (f"domain_id={'a' * 16}", {"domain_id": ["The selected domain id is invalid."]}),
        ("domain_id=x", {"domain_id": ["The domain id field is required. #MS42209"]}),
        ("limit=5", {"limit": ["The limit must be at least 10."]}),
    ],
)
async def test_what_is_wrong_with_a_question(api: ApiWorld, query: str, errors: dict[str, Any]) -> None:
    answer = await api.get(f"/message-schedules?{query}")
    assert (answer.status_code, answer.json()["errors"]) == (422, errors)


@pytest.mark.parametrize("body", [None, "null", "[]", "{}"])
async def test_delete_takes_it_back_once(api: ApiWorld, body: str | None) -> None:
    mail = await sent(api, api.first, 2, send_at=_later(api))
    path = f"/message-schedules/{mail.messages[0].id}"
    headers = {"content-type": "application/json"}
    answer = await api.delete(path, content=body, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "application/json" not in answer.headers.get("content-type", "")
    assert {row["status"] for row in await rows(api.database, "emails")} == {"cancelled"}
    assert await rows(api.database, "queue") == []
    [message] = await rows(api.database, "messages")
    expires_in = message["content_expires_at"] - api.clock.now_ms()
    assert 0 < expires_in <= api.config.retention.content * 1000
    assert (await api.get(path)).status_code == 404
    assert (await api.get("/message-schedules")).json()["meta"]["total"] == 0
    again = await api.delete(path)
    assert (again.status_code, again.json()) == (404, TOO_LATE)
    shown = (await api.get(f"/email/{mail.emails[0].id}")).json()["data"]
    assert shown["status"] == "rejected"
    assert [event["type"] for event in shown["activity"]] == ["queued", "cancelled"]


async def test_too_late_unknown_and_foreign_are_the_same_404(api: ApiWorld) -> None:
    other = await api.tenant()
    late = await sent(api, api.first, 2, send_at=ago(api))
    await batches.claim(api.database, 1, [0], api.first.account.id, api.clock.now_ms(), 1)
    ordinary, foreign = await sent(api, api.first), await sent(api, other, send_at=_later(api))
    for mail in (late, ordinary, foreign):
        answer = await api.delete(f"/message-schedules/{mail.messages[0].id}")
        assert (answer.status_code, answer.json()) == (404, TOO_LATE)
    assert (await api.delete(f"/message-schedules/{'0' * 24}")).json() == TOO_LATE
    assert "cancelled" not in {row["status"] for row in await rows(api.database, "emails")}
    for mail in (ordinary, foreign):
        answer = await api.get(f"/message-schedules/{mail.messages[0].id}")
        assert (answer.status_code, answer.json()) == (404, {"message": "Resource not found."})


async def test_a_token_for_one_domain_sees_and_deletes_only_that(api: ApiWorld) -> None:
    mail = await sent(api, api.first, send_at=_later(api))
    another = await second_domain(api, api.first)
    mine = await api.first.with_token(Scope.EMAIL_FULL, domain=another.id)
    assert (await mine.get("/message-schedules")).json()["data"] == []
    assert (await mine.get(f"/message-schedules/{mail.messages[0].id}")).status_code == 404
    assert (await mine.delete(f"/message-schedules/{mail.messages[0].id}")).status_code == 404
    assert len(await rows(api.database, "queue")) == 1
