from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from postroom.store.database import Database
from postroom.store.recipients import recipient_id
from postroom.types.events import EventType
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld
from support.sent import ago, dates, happened, sent, times


async def _list(api: ApiWorld, **params: Any) -> Any:
    return await api.get(f"/activity/{api.first.domain.id}", params=dates(api) | params)


async def test_the_shape_of_a_row_and_of_a_page(api: ApiWorld) -> None:
    accepted_at, delivered_at = ago(api), ago(api, 4000)
    headers = [{"name": "X-Order", "value": "4711"}]
    mail = await sent(
        api, api.first, at=accepted_at, headers=headers, template_id="0r83ql3jjz8lgwpo", tags="order\nnews"
    )
    event_id = await happened(api.database, mail, EventType.DELIVERED, delivered_at, status="delivered")
    answer = await _list(api)
    assert answer.status_code == 200
    recipient = {
        "id": recipient_id(api.first.account.id, api.first.domain.id, "user0@example.org"),
        "email": "user0@example.org",
        **times(accepted_at),
        "deleted_at": "",
    }
    email = {
        "id": mail.emails[0].id,
        "from": f"shop@{api.first.domain.name}",
        "subject": "Hello",
        "text": None,
        "html": None,
        "template_id": "0r83ql3jjz8lgwpo",
        "status": "delivered",
        "tags": ["order", "news"],
        "created_at": timestamp(accepted_at),
        "updated_at": timestamp(delivered_at),
        "headers": headers,
        "recipient": recipient,
    }
    delivered = {"id": event_id, **times(delivered_at), "type": "delivered", "email": email}
    queued = {"id": mail.emails[0].id, **times(accepted_at), "type": "queued", "email": email}
    path = f"http://api.test/v1/activity/{api.first.domain.id}"
    assert answer.json() == {
        "data": [delivered, queued],
        "links": {"first": f"{path}?page=1", "last": None, "prev": None, "next": None},
        "meta": {"current_page": 1, "from": 1, "path": path, "per_page": 25, "to": 2},
    }
    for row in (delivered, queued):
        assert (await api.get(f"/activities/{row['id']}")).json() == {"data": row}


async def test_a_message_without_anything_of_the_api(api: ApiWorld) -> None:
    await sent(api, api.first)
    [row] = (await _list(api)).json()["data"]
    email = row["email"]
    assert [email[name] for name in ("template_id", "tags", "headers", "status")] == [
        "",
        None,
        None,
        "queued",
    ]
    assert "suppression_reason" not in row


async def test_why_something_was_suppressed(api: ApiWorld) -> None:
    mail = await sent(api, api.first)
    event_id = await happened(
        api.database,
        mail,
        EventType.SUPPRESSED,
        ago(api, 9000),
        status="suppressed",
        reason="spam_complained",
    )
    [row] = (await _list(api, **{"event[]": "suppressed"})).json()["data"]
    assert (row["id"], row["suppression_reason"]) == (event_id, "spam_complained")
    assert row["email"]["status"] == "rejected"
    assert (await api.get(f"/activities/{event_id}")).json()["data"] == row


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("event[]=queued", ["queued"]),
        ("event[]=delivered&event[]=queued", ["delivered", "queued"]),
        ("event[0]=delivered&event[1]=soft_bounced", ["delivered"]),
        ("event=delivered,queued", ["delivered", "queued"]),
        ("event[]=opened&event[]=survey_submitted", []),
        ("event[]=junk", []),
    ],
)
async def test_only_some_events(api: ApiWorld, query: str, types: list[str]) -> None:
    mail = await sent(api, api.first)
    await happened(api.database, mail, EventType.DELIVERED, ago(api, 5000), status="delivered")
    days = "&".join(f"{name}={value}" for name, value in dates(api).items())
    answer = await api.get(f"/activity/{api.first.domain.id}?{days}&{query}")
    assert [row["type"] for row in answer.json()["data"]] == types


async def test_pages(api: ApiWorld) -> None:
    mail = await sent(api, api.first, 12)
    newest_first = [row.id for row in mail.emails][::-1]
    first = (await _list(api, limit=10)).json()
    second = (await _list(api, limit=10, page=2)).json()
    assert [row["id"] for row in first["data"] + second["data"]] == newest_first
    assert first["links"]["next"] == f"http://api.test/v1/activity/{api.first.domain.id}?page=2"
    assert (second["links"]["next"], second["meta"]["from"], second["meta"]["to"]) == (None, 11, 12)


async def test_only_of_this_domain_and_these_days(api: ApiWorld) -> None:
    other = await api.tenant()
    await sent(api, other)
    await sent(api, api.first, domain_id="e" * 16)
    await sent(api, api.first, at=ago(api, 2 * 3_600_000))
    assert (await _list(api)).json()["data"] == []
    assert len((await _list(api, **dates(api, hours=3))).json()["data"]) == 1


@pytest.mark.parametrize(
    ("params", "errors"),
    [
        (
            {"date_from": None, "date_to": None},
            {
                "date_from": "The date from field is required. #MS42209",
                "date_to": "The date to field is required. #MS42209",
            },
        ),
        ({"event": "sent"}, {"event": "The event must be an array."}),
        ({"event[]": "nonsense"}, {"event.0": "The selected event.0 is invalid."}),
        (
            {"limit": 9, "page": 1001},
            {"page": "The page must not be greater than 1000.", "limit": "The limit must be at least 10."},
        ),
        ({"limit": 101}, {"limit": "The limit must not be greater than 100."}),
        (
            {"date_from": "yesterday"},
            {"date_from": "The date from must be a Unix timestamp or a date like 2026-01-31 09:05:00."},
        ),
        (
            {"date_from": "2026-02-30 00:00:00"},
            {"date_from": "The date from must be a Unix timestamp or a date like 2026-01-31 09:05:00."},
        ),
        (
            {"date_from": 5},
            {"date_from": "Date selection out of range. Your account has a 30-day data retention limit."},
        ),
    ],
)
async def test_what_is_wrong_with_a_question(
    api: ApiWorld, params: dict[str, Any], errors: dict[str, str]
) -> None:
    answer = await _list(api, **params)
    assert answer.status_code == 422
    assert answer.json()["errors"] == {field: [text] for field, text in errors.items()}


async def test_the_order_of_the_dates(api: ApiWorld) -> None:
    now = api.clock.now_ms() // 1000
    answer = await _list(api, date_from=now, date_to=now)
    assert answer.json()["errors"] == {"date_from": ["The date from must be less than date to."]}
    answer = await _list(api, date_to=now + 1000)
    [text] = answer.json()["errors"]["date_to"]
    assert text.startswith("The date_to must be before or equal to 20")
    assert text.endswith(".")


async def test_a_filter_may_be_for_others(sqlite_database: Database, tmp_path: Path) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, api={"suppressed_filter": False})
    assert (await _list(api, **{"event[]": "sent"})).status_code == 200
    answer = await _list(api, **{"event[]": ["sent", "suppressed"]})
    text = "The suppressed filter is not available to your account. #MS42240"
    assert answer.json() == {"message": text, "errors": {"event": [text]}}
    await api.stop()


async def test_h01_of_another_account_or_unknown_is_404_before_validation(api: ApiWorld) -> None:
    other = await api.tenant()
    mail = await sent(api, other)
    for path in (
        f"/activity/{other.domain.id}?limit=0&event[]=wrong",
        "/activity/nothing?limit=0",
        f"/activity/{'a' * 16}",
        f"/activities/{mail.emails[0].id}",
        f"/activities/{'0' * 24}",
        "/activities/1",
    ):
        answer = await api.get(path)
        assert (answer.status_code, answer.json()) == (404, {"message": "Resource not found."}), path


async def test_a_token_for_one_domain_sees_only_that(api: ApiWorld) -> None:
    mail = await sent(api, api.first, domain_id="e" * 16)
    mine = await api.first.with_token(Scope.ACTIVITY_READ, domain=api.first.domain.id)
    assert (await mine.get(f"/activities/{mail.emails[0].id}")).status_code == 404
    assert (await api.get(f"/activities/{mail.emails[0].id}")).status_code == 200
    assert (await mine.get(f"/activity/{api.first.domain.id}", params=dates(api))).status_code == 200


@pytest.mark.parametrize(("scope", "status"), [(Scope.ACTIVITY_FULL, 404), (Scope.EMAIL_FULL, 403)])
async def test_scopes(api: ApiWorld, scope: Scope, status: int) -> None:
    client = await api.first.with_token(scope)
    assert (await client.get(f"/activities/{'0' * 24}")).status_code == status
