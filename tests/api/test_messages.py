from __future__ import annotations

from typing import Any

from postroom.types.events import EventType
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld
from support.sent import ago, happened, sent, times


async def test_a_page_of_messages(api: ApiWorld) -> None:
    await sent(api, await api.tenant())
    mail = [await sent(api, api.first, 2, at=ago(api, 5000 - number)) for number in range(12)]
    answer = await api.get("/messages?limit=10")
    rows = [{"id": one.messages[0].id, **times(one.messages[0].received_at)} for one in reversed(mail)]
    path = "http://api.test/v1/messages"
    assert answer.json() == {
        "data": rows[:10],
        "links": {"first": f"{path}?page=1", "last": None, "prev": None, "next": f"{path}?page=2"},
        "meta": {"current_page": 1, "from": 1, "path": path, "per_page": 10, "to": 10},
    }
    assert (await api.get("/messages?limit=10&page=2")).json()["data"] == rows[10:]


async def test_the_shape_of_a_message(api: ApiWorld) -> None:
    accepted_at, bounced_at = ago(api), ago(api, 2000)
    headers = [{"name": "X-Order", "value": "4711"}]
    mail = await sent(api, api.first, 2, at=accepted_at, tags="order", headers=headers)
    await happened(api.database, mail, EventType.HARD_BOUNCED, bounced_at, status="bounced")
    answer = await api.get(f"/messages/{mail.messages[0].id}")
    common = {
        "from": f"shop@{api.first.domain.name}",
        "subject": "Hello",
        "text": None,
        "html": None,
        "template_id": "",
        "tags": ["order"],
        "created_at": timestamp(accepted_at),
        "headers": headers,
    }
    body: dict[str, Any] = answer.json()
    domain = body["data"].pop("domain")
    assert body == {
        "data": {
            "id": mail.messages[0].id,
            **times(accepted_at),
            "emails": [
                common | {"id": mail.emails[0].id, "status": "rejected", "updated_at": timestamp(bounced_at)},
                common | {"id": mail.emails[1].id, "status": "queued", "updated_at": timestamp(accepted_at)},
            ],
        }
    }
    assert (domain["id"], domain["name"]) == (api.first.domain.id, api.first.domain.name)
    assert domain["is_verified"] is True
    assert domain["is_cname_verified"] is False
    assert domain["totals"] == []
    assert domain["domain_settings"]["return_path_subdomain"] == "mta"
    assert domain["created_at"] == timestamp(api.first.domain.created_at)
    assert "domain_stats" not in domain


async def test_h01_of_another_account_or_unknown_is_404(api: ApiWorld) -> None:
    mail = await sent(api, await api.tenant())
    for message_id in (mail.messages[0].id, "0" * 24, "a" * 16, "nothing"):
        answer = await api.get(f"/messages/{message_id}")
        assert (answer.status_code, answer.json()) == (404, {"message": "Resource not found."})


async def test_a_token_for_one_domain_sees_only_that(api: ApiWorld) -> None:
    elsewhere = await sent(api, api.first, domain_id="e" * 16)
    here = await sent(api, api.first)
    mine = await api.first.with_token(Scope.EMAIL_FULL, domain=api.first.domain.id)
    assert [row["id"] for row in (await mine.get("/messages")).json()["data"]] == [here.messages[0].id]
    assert (await mine.get(f"/messages/{elsewhere.messages[0].id}")).status_code == 404
    shown = (await api.get(f"/messages/{elsewhere.messages[0].id}")).json()["data"]
    assert shown["domain"] is None  # there is no such domain any more
