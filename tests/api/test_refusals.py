"""`GET /v1/refusals`: what was refused, by whom it was tried, and how to mend it."""

from __future__ import annotations

from typing import Any

from postroom.store import refusals as store
from postroom.store.refusals import HOUR, Refusal
from postroom.tenancy import smtp_users
from postroom.tenancy.grants import Grant
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Permission, Role
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld
from support.sent import ago, second_domain


async def _refused(api: ApiWorld, rule: str, at: int, **fields: str) -> Refusal:
    made = store.new(rule, at, **({"reply": "550 no", "account_id": api.first.account.id} | fields))
    async with api.database.write() as connection:
        await store.record(connection, [made])
    return made


async def _rules(api: ApiWorld, **query: Any) -> list[str]:
    answer = await api.get("/refusals", params=query)
    assert answer.status_code == 200, answer.text
    return [row["rule"] for row in answer.json()["data"]]


async def test_a_row_says_who_what_why_and_how_to_mend_it(api: ApiWorld) -> None:
    begin = ago(api) // HOUR * HOUR
    made = await _refused(
        api,
        "from-not-verified",
        begin,
        credential="app@shop.test",
        client="192.0.2.7",
        sender="app@example.net",
        header_from="App <app@example.net>",
        recipients="ada@example.org, bob@example.org",
        reply="550 5.7.1 The domain is not verified. [from-not-verified]",
    )
    await _refused(
        api,
        "from-not-verified",
        begin + 9,
        credential="app@shop.test",
        client="192.0.2.7",
        header_from="App <app@example.net>",
        reply="550 5.7.1 The domain is not verified. [from-not-verified]",
    )
    answer = await api.get("/refusals")
    [row] = answer.json()["data"]
    assert row == {
        "id": made.id,
        "first_at": timestamp(begin),
        "last_at": timestamp(begin + 9),
        "count": 2,
        "rule": "from-not-verified",
        "reply": "550 5.7.1 The domain is not verified. [from-not-verified]",
        "what": refusals.FROM_NOT_VERIFIED.what,
        "fix": refusals.FROM_NOT_VERIFIED.fix,
        "credential": "app@shop.test",
        "credential_name": "app@shop.test",
        "client": "192.0.2.7",
        "sender": "app@example.net",
        "header_from": "App <app@example.net>",
        "recipients": ["ada@example.org", "bob@example.org"],
    }
    assert answer.json()["meta"]["current_page"] == 1


async def test_filters_and_names(api: ApiWorld) -> None:
    token = api.first.token.id
    now = api.clock.now_ms()
    await _refused(api, "a-rule-of-old", now - 3 * HOUR, credential=token, client="192.0.2.1")
    await _refused(
        api, "daily-quota", now - 2 * HOUR, credential="app@shop.test", recipients="ada@example.org"
    )
    await _refused(api, "token-scope", now - HOUR, credential="gone")
    await _refused(api, "auth-failed", now, account_id="")
    await _refused(api, "daily-quota", now - 31 * 24 * HOUR)
    assert await _rules(api) == ["token-scope", "daily-quota", "a-rule-of-old"]
    for query, expected in (
        ({"rule[]": ["daily-quota", "x"]}, ["daily-quota"]),
        ({"credential": token}, ["a-rule-of-old"]),
        ({"client": "192.0.2.1"}, ["a-rule-of-old"]),
        ({"search": "ADA@"}, ["daily-quota"]),
        ({"date_from": (now - HOUR) // 1000}, ["token-scope"]),
        ({"date_to": (now - 3 * HOUR) // 1000}, ["a-rule-of-old"]),
        ({"page": 2}, []),
    ):
        assert await _rules(api, **query) == expected, query
    rows = (await api.get("/refusals")).json()["data"]
    assert [row["credential_name"] for row in rows] == ["", "app@shop.test", "all"]
    assert (rows[2]["what"], rows[2]["fix"]) == ("", "")


async def test_a_login_that_failed_is_seen_by_whose_user_it_named(api: ApiWorld) -> None:
    made = await smtp_users.add(api.database, api.first.domain.id, name="app", by=SYSTEM)
    for name in (made.username.upper(), made.username, "nobody@example.com"):
        api.refusals.add(Refused(refusals.AUTH_FAILED), client="192.0.2.66", credential=name)
    await api.refusals.stop()
    own = await api.first.with_token(Scope.ACTIVITY_READ, domain=api.first.domain.id)
    for client in (api, own):
        [row] = (await client.get("/refusals")).json()["data"]
        assert (row["rule"], row["count"], row["client"]) == ("auth-failed", 2, "192.0.2.66")
        assert (row["credential"], row["credential_name"]) == (made.username, made.username)
        assert row["fix"] == refusals.AUTH_FAILED.fix
    assert (await (await api.tenant()).get("/refusals")).json()["data"] == []


async def test_who_may_and_whose(api: ApiWorld) -> None:
    another = await second_domain(api, api.first)
    made = await smtp_users.add(api.database, api.first.domain.id, name="app", by=SYSTEM)
    for name in (made.user.username, "elsewhere@x.test"):
        await _refused(api, "daily-quota", api.clock.now_ms(), credential=name)
    own = await api.first.with_token(Scope.ACTIVITY_READ, domain=api.first.domain.id)
    others = await api.first.with_token(Scope.ACTIVITY_READ, domain=another.id)
    for client, count in ((api, 2), (own, 1), (others, 0), (await api.tenant(), 0)):
        assert len((await client.get("/refusals")).json()["data"]) == count
    answer = await own.get("/refusals", params={"credential": "elsewhere@x.test"})
    assert answer.json()["data"] == []
    for permission, status in ((Permission.READ_ERROR_LOG, 200), (Permission.READ_ACTIVITY, 403)):
        person = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({permission})))
        assert (await person.get("/v1/refusals")).status_code == status
