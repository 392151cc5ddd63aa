"""`GET /v1/emails/search`: emails of all domains, and what has changed since the last look."""

from __future__ import annotations

from typing import Any

import pytest

from postroom.types.events import EventType
from postroom.types.scopes import Scope
from postroom.web.api import email_find
from postroom.web.api.email_find import OVERLAP, SearchableEvent
from support.api import ApiWorld
from support.sent import ago, happened, second_domain, sent


async def _search(api: ApiWorld, **query: Any) -> dict[str, Any]:
    answer = await api.get("/emails/search", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _ids(api: ApiWorld, **query: Any) -> list[str]:
    return [row["id"] for row in (await _search(api, **query))["data"]]


def test_every_event_but_the_first_can_be_asked_for() -> None:
    assert {*map(str, SearchableEvent)} == {*map(str, EventType)} - {"queued"}


async def test_of_all_domains_with_who_sent_it(api: ApiWorld) -> None:
    another = await second_domain(api, api.first)
    mail = await sent(
        api, api.first, at=ago(api, 9000), credential_id=api.first.token.id, credential_kind="token"
    )
    newer = await sent(api, api.first, at=ago(api, 8000), domain_id=another.id)
    await sent(api, await api.tenant())
    await happened(api.database, mail, EventType.DEFERRED, ago(api), status="deferred", reply="450 later")
    found = await _search(api)
    assert [row["id"] for row in found["data"]] == [newer.emails[0].id, mail.emails[0].id]
    row = found["data"][1]
    assert row["sent_by"] == {"kind": "token", "id": api.first.token.id, "name": "all"}
    assert (row["state"], row["status"], row["stream"]) == ("deferred", "sent", "transactional")
    assert (found["meta"]["before"], found["meta"]["complete"]) == (None, True)


async def test_filters(api: ApiWorld) -> None:
    another = await second_domain(api, api.first)
    first = await sent(api, api.first, 2, at=ago(api, 9000), subject="Your Order", tags="order")
    second = await sent(
        api, api.first, at=ago(api, 8000), domain_id=another.id, stream="broadcast", credential_id="k" * 16
    )
    await happened(api.database, first, EventType.HELD, ago(api, 100), status="held", reason="paused")
    held, waiting, other = first.emails[0].id, first.emails[1].id, second.emails[0].id
    seconds = second.messages[0].received_at // 1000
    for query, expected in (
        ({}, [other, waiting, held]),
        ({"domain_id": another.id}, [other]),
        ({"status[]": "queued"}, [other, waiting]),
        ({"state[]": ["held", "deferred"]}, [held]),
        ({"event[]": "held"}, [held]),
        ({"recipient": "USER1@"}, [waiting]),
        ({"subject": "order"}, [waiting, held]),
        ({"tag": "order", "state[]": "queued"}, [waiting]),
        ({"stream": "broadcast"}, [other]),
        ({"credential_id": "k" * 16}, [other]),
        ({"message_id": first.messages[0].id}, [waiting, held]),
        ({"date_from": seconds}, [other]),
        ({"date_to": seconds - 1}, [waiting, held]),
    ):
        assert await _ids(api, **query) == expected, query


async def test_page_by_page(api: ApiWorld) -> None:
    mail = await sent(api, api.first, 5)
    everything = [row.id for row in mail.emails][::-1]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        found = await _search(api, **query)
        seen += [row["id"] for row in found["data"]]
        if found["meta"]["before"] is None:
            break
        query["before"] = found["meta"]["before"]
    assert seen == everything


async def test_a_list_that_keeps_up(api: ApiWorld) -> None:
    """Each look tells what has changed since the last one; what is told twice has the same id."""
    old = await sent(api, api.first, at=ago(api, 3_600_000))
    await sent(api, api.first, at=ago(api, 3_000_000))
    since = (await _search(api))["meta"]["since"]
    assert await _ids(api, since=since) == []
    new = await sent(api, api.first, at=ago(api, 5))
    await happened(api.database, old, EventType.DELIVERED, ago(api, 1), status="delivered")
    found = await _search(api, since=since)
    assert [row["id"] for row in found["data"]] == [new.emails[0].id, old.emails[0].id]
    assert [row["state"] for row in found["data"]] == ["queued", "delivered"]
    assert found["meta"]["complete"] is True
    assert await _ids(api, since=since, **{"state[]": "delivered"}) == [old.emails[0].id]
    assert int(found["meta"]["since"][:12], 16) <= api.clock.now_ms() - OVERLAP


async def test_too_much_has_changed(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = await sent(api, api.first, 3)
    since = "0" * 24
    found = await _search(api, since=since, limit=2)
    assert [row["id"] for row in found["data"]] == [row.id for row in mail.emails][:0:-1]
    assert found["meta"]["complete"] is False
    monkeypatch.setattr(email_find, "MOST_CHANGES", 2)
    assert (await _search(api, since=since))["meta"]["complete"] is False


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"before": "g" * 24}, "before"),
        ({"limit": 201}, "limit"),
        ({"domain_id": "a" * 16}, "domain_id"),
        ({"state[]": "sleeping"}, "state.0"),
        ({"event[]": "queued"}, "event.0"),
        ({"stream": "both"}, "stream"),
        ({"date_from": "x"}, "date_from"),
        ({"recipient": "a"}, "recipient"),
    ],
)
async def test_what_is_wrong_with_a_question(api: ApiWorld, query: dict[str, str], field: str) -> None:
    answer = await api.get("/emails/search", params=query)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


async def test_h01_a_token_for_one_domain_sees_only_that(api: ApiWorld) -> None:
    another = await second_domain(api, api.first)
    await sent(api, api.first)
    mail = await sent(api, api.first, domain_id=another.id)
    client = await api.first.with_token(Scope.ACTIVITY_READ, domain=another.id)
    for query in ({}, {"since": "0" * 24}):
        answer = await client.get("/emails/search", params=query)
        assert [row["id"] for row in answer.json()["data"]] == [mail.emails[0].id]
    answer = await client.get("/emails/search", params={"domain_id": api.first.domain.id})
    assert answer.status_code == 422
