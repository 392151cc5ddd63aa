from __future__ import annotations

from typing import Any

import pytest

from postroom.types.events import EventType
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld
from support.email_api import body, kept
from support.sent import ago, dates, happened, second_domain, sent, times

UNEXPLAINED = {"suppression_reason": None, "reason": None}
"""Of an event that needs no words."""


async def _list(api: ApiWorld, query: str = "", **params: Any) -> Any:
    return await api.get(f"/emails?{query}", params={"domain_id": api.first.domain.id} | dates(api) | params)


async def _ids(api: ApiWorld, query: str) -> list[str]:
    days = "&".join(f"{name}={value}" for name, value in dates(api).items())
    answer = await api.get(f"/emails?domain_id={api.first.domain.id}&{days}&{query}")
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


async def test_the_shape_of_a_row_and_of_a_page(api: ApiWorld) -> None:
    accepted_at, ended_at = ago(api), ago(api, 3000)
    mail = await sent(api, api.first, at=accepted_at, metadata={"order": "4711"}, tags="order")
    event_id = await happened(
        api.database, mail, EventType.SUPPRESSED, ended_at, status="suppressed", reason="blocklisted"
    )
    answer = await _list(api)
    [row] = answer.json()["data"]
    expected = {
        "id": mail.emails[0].id,
        "from": f"shop@{api.first.domain.name}",
        "to": "user0@example.org",
        "domain_id": api.first.domain.id,
        "subject": "Hello",
        "text": None,
        "html": None,
        "template_id": "",
        "status": "rejected",
        "tags": ["order"],
        "created_at": timestamp(accepted_at),
        "updated_at": timestamp(ended_at),
        "headers": None,
        "message_id": mail.messages[0].id,
        "interaction": [],
        "suppression_reason": "blocklisted",
        "metadata": {"order": "4711"},
        "settings": None,
    }
    assert row == expected
    path = "http://api.test/v1/emails"
    assert answer.json()["links"] == {"first": f"{path}?page=1", "last": None, "prev": None, "next": None}
    assert answer.json()["meta"] == {"current_page": 1, "from": 1, "path": path, "per_page": 25, "to": 1}

    shown = (await api.get(f"/email/{mail.emails[0].id}")).json()
    activity = [
        {"id": mail.emails[0].id, "type": "queued", **times(accepted_at), **UNEXPLAINED},
        {
            "id": event_id,
            "type": "suppressed",
            **times(ended_at),
            **UNEXPLAINED,
            "suppression_reason": "blocklisted",
        },
    ]
    recipient = shown["data"].pop("recipient")
    assert recipient["email"] == "user0@example.org"
    assert shown == {"data": expected | {"activity": activity}}


async def test_an_email_says_why_it_did_not_arrive(api: ApiWorld) -> None:
    mail = await sent(api, api.first)
    email_id, at = mail.emails[0].id, ago(api, 3000)
    await happened(api.database, mail, EventType.DEFERRED, at, status="deferred", reply="450 4.2.1 later")
    await happened(
        api.database, mail, EventType.SOFT_BOUNCED, at + 1, status="expired", reply="450 no", reason="expired"
    )
    activity = (await api.get(f"/email/{email_id}")).json()["data"]["activity"]
    assert [event["reason"] for event in activity] == [None, "450 4.2.1 later", "expired: 450 no"]
    assert {event["suppression_reason"] for event in activity} == {None}


async def test_filters(api: ApiWorld) -> None:
    first = await sent(
        api, api.first, 2, at=ago(api, 9000), subject="Your Order", tags="order", metadata={"4711": "x/y ü"}
    )
    second = await sent(api, api.first, at=ago(api, 8000), template_id="t" * 16)
    await happened(api.database, first, EventType.DELIVERED, ago(api, 100), status="delivered")
    delivered, waiting, other = first.emails[0].id, first.emails[1].id, second.emails[0].id
    for query, expected in {
        "": [other, waiting, delivered],
        "status[]=delivered": [delivered],
        "status[]=queued&status[]=sent": [other, waiting],
        "status=queued,rejected": [other, waiting],
        "interaction[]=no_interaction&interaction[]=opened": [other, waiting, delivered],
        "interaction[]=clicked&interaction[0]=opened": [],
        "recipient_email=user1@example.org": [waiting],
        f"message_id={first.messages[0].id}": [waiting, delivered],
        f"template_id={'t' * 16}": [other],
        "subject=order": [waiting, delivered],
        "tag=order": [waiting, delivered],
        "tag=": [other, waiting, delivered],
        "metadata[4711]=x/y%20%C3%BC": [waiting, delivered],
        "metadata%5B4711%5D=x/y+%C3%BC&status[]=queued": [waiting],
        "metadata[4711]=x&tag=order": [],
        "metadata[other]=x/y": [],
    }.items():
        assert await _ids(api, query) == expected, query


async def test_dates_may_be_written_out_and_both_ends_belong_to_it(api: ApiWorld) -> None:
    at = ago(api) // 1000 * 1000
    await sent(api, api.first, at=at)
    second = timestamp(at)[:19].replace("T", " ")
    now = timestamp(api.clock.now_ms())[:19].replace("T", " ")
    for date_from, date_to, count in [
        (second, now, 1),
        (at // 1000 - 9, second, 1),
        (at // 1000 + 1, now, 0),
    ]:
        answer = await _list(api, date_from=date_from, date_to=date_to)
        assert len(answer.json()["data"]) == count


async def test_larger_pages_but_fewer(api: ApiWorld) -> None:
    mail = await sent(api, api.first, 101)
    answer = (await _list(api, limit=100)).json()
    assert answer["links"]["next"] == "http://api.test/v1/emails?page=2"
    assert [row["id"] for row in answer["data"]] == [row.id for row in mail.emails][:0:-1]
    assert len((await _list(api, limit=1000)).json()["data"]) == 101
    errors = (await _list(api, limit=1001, page=101)).json()["errors"]
    assert errors == {
        "page": ["The page must not be greater than 100."],
        "limit": ["The limit must not be greater than 1000."],
    }


@pytest.mark.parametrize(
    ("params", "errors"),
    [
        ({"domain_id": "5"}, {"domain_id": "The domain id field is required. #MS42209"}),
        ({"domain_id": None}, {"domain_id": "The domain id field is required. #MS42209"}),
        ({"domain_id": "a" * 16}, {"domain_id": "The selected domain id is invalid."}),
        (
            {"domain_id": "a" * 16, "date_from": 5},
            {
                "domain_id": "The selected domain id is invalid.",
                "date_from": "Date selection out of range. Your account has a 90-day data retention limit.",
            },
        ),
        ({"status": "sent"}, {"status": "The status must be an array."}),
        ({"status[]": "held"}, {"status.0": "The selected status.0 is invalid."}),
        ({"interaction[]": "x"}, {"interaction.0": "The selected interaction.0 is invalid."}),
        ({"subject": "ab"}, {"subject": "The subject must be at least 3 characters."}),
    ],
)
async def test_what_is_wrong_with_a_question(
    api: ApiWorld, params: dict[str, Any], errors: dict[str, str]
) -> None:
    answer = await _list(api, **params)
    assert answer.status_code == 422
    assert answer.json()["errors"] == {field: [text] for field, text in errors.items()}


async def test_h01_of_another_account_is_unknown(api: ApiWorld) -> None:
    other = await api.tenant()
    mail = await sent(api, other)
    answer = await _list(api, domain_id=other.domain.id)
    assert answer.json()["errors"] == {"domain_id": ["The selected domain id is invalid."]}
    for email_id in (mail.emails[0].id, "0" * 24, "nothing"):
        answer = await api.get(f"/email/{email_id}")
        assert (answer.status_code, answer.json()) == (404, {"message": "Resource not found."})
    assert await _ids(api, f"message_id={mail.messages[0].id}") == []


async def test_a_token_for_one_domain_sees_only_that(api: ApiWorld) -> None:
    mail = await sent(api, api.first)
    another = await second_domain(api, api.first)
    mine = await api.first.with_token(Scope.EMAIL_FULL, domain=another.id)
    assert (await mine.get(f"/email/{mail.emails[0].id}")).status_code == 404
    answer = await mine.get("/emails", params={"domain_id": api.first.domain.id} | dates(api))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (Scope.EMAIL_FULL, 404),
        (Scope.ACTIVITY_READ, 404),
        (Scope.ACTIVITY_FULL, 404),
        (Scope.DOMAINS_FULL, 403),
    ],
)
async def test_scopes(api: ApiWorld, scope: Scope, status: int) -> None:
    client = await api.first.with_token(scope)
    assert (await client.get(f"/email/{'0' * 24}")).status_code == status


async def test_the_reference_knows_the_filter_by_metadata(api: ApiWorld) -> None:
    document = (await api.anonymous.get("/openapi.json")).json()
    parameters = {each["name"]: each for each in document["paths"]["/emails"]["get"]["parameters"]}
    assert parameters["metadata"]["style"] == "deepObject"
    assert {"domain_id", "status[]", "interaction[]", "subject", "page", "date_to"} <= set(parameters)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"track_opens": True, "track_clicks": False}, {"track_opens": True, "track_clicks": False}),
        ({"track_content": 1, "track_opens": None}, {"track_content": True}),
        ({}, None),
        (None, None),
    ],
)
async def test_settings_are_kept_with_the_message(api: ApiWorld, given: Any, shown: Any) -> None:
    """And a message without them has no row for them."""
    answer = await api.post("/email", json=body(api, settings=given))
    found = await kept(api, answer)
    [email_id] = [row.id for row in found.emails.values()]
    assert (await api.get(f"/email/{email_id}")).json()["data"]["settings"] == shown
    assert (found.details is None) == (shown is None)
