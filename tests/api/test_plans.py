"""What a plan takes away: each entitlement where it is enforced, exactly, also when several ask at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from postroom.config import Config
from postroom.store.database import Database
from postroom.tenancy import accounts, entitlements
from postroom.tenancy.entitlements import of_plan
from postroom.types.actor import SYSTEM
from support.api import ApiWorld
from support.email_api import body
from support.objects import new_domain, webhook

SMALL: dict[str, Any] = {
    "domains": 2,
    "users": 3,
    "templates": 2,
    "webhooks": 2,
    "tokens": 3,
    "smtp_users": 2,
    "inbound_routes": 2,
    "sender_identities": 2,
    "recipients": 2,
    "bulk_emails": 2,
    "custom_headers": False,
    "track_content": False,
    "suppressed_filter": False,
    "requests_per_day": 200,
    "email_per_minute": 50,
}


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[ApiWorld]:
    world = await ApiWorld.start(
        sqlite_database, tmp_path, plans={"small": SMALL}, server={"inbound_host": "inbound.example.net"}
    )
    await accounts.set_plan(world.database, world.config, world.first.account.id, "small", by=SYSTEM)
    await world.changed()
    yield world
    await world.stop()


def errors(answer: httpx.Response) -> dict[str, list[str]]:
    assert answer.status_code == 422, answer.text
    found: dict[str, list[str]] = answer.json()["errors"]
    return found


async def test_what_a_message_may_have(api: ApiWorld) -> None:
    two = body(api, cc=[{"email": "carla@x.test"}])
    assert (await api.post("/email", json=two)).status_code == 202
    three = two | {"bcc": [{"email": "dan@x.test"}]}
    assert errors(await api.post("/email", json=three)) == {
        "to": ["Too many recipients: at most 2 per message. #MS42205"]
    }
    headers = [{"name": "X-Campaign", "value": "spring"}]
    assert errors(await api.post("/email", json=body(api, headers=headers))) == {
        "headers": ["The account's plan does not include custom headers. #MS42216"]
    }
    other = await api.tenant()
    assert (await other.post("/email", json=body(other, headers=headers))).status_code == 202


async def test_bulk(api: ApiWorld) -> None:
    assert (await api.post("/bulk-email", json=[body(api)] * 2)).status_code == 202
    answer = await api.post("/bulk-email", json=[body(api)] * 3)
    assert (answer.status_code, answer.json()["message"].split("#")[1]) == (422, "MS42229")


async def test_limits_of_requests(api: ApiWorld) -> None:
    answer = await api.post("/email", json=body(api))
    assert answer.headers["x-ratelimit-limit"] == "50"
    assert (await api.get("/api-quota")).json()["quota"] == 200


async def test_keeping_content(api: ApiWorld) -> None:
    path = f"/domains/{api.first.domain.id}/settings"
    assert errors(await api.put(path, json={"track_content": True})) == {
        "track_content": ["The account's plan does not include keeping content. #MS42216"]
    }
    assert (await api.put(path, json={"track_content": False})).status_code == 200


def bodies(api: ApiWorld) -> Iterator[tuple[str, Callable[[int], dict[str, Any]], str]]:
    """Where things are made, what of, and what is said when there are as many as the plan allows. Of tokens the
    tenant has one; its sandbox domain takes no space."""
    domain = {"domain_id": api.first.domain.id}
    yield "/domains", lambda _: new_domain(), "There is no space for another domain: the account may have 2."
    yield "/webhooks", lambda _: webhook(api.first), "The domain has 2 webhooks already"
    html = {"html": "<p>Hi</p>", "auto_generate": True}
    yield "/templates", lambda _: html, "The account has 2 templates already, and may not have more."
    token = {"name": "App", "scopes": ["email_full"]}
    yield "/token", lambda _: token, "An account may have at most 3 tokens"
    users = f"/domains/{api.first.domain.id}/smtp-users"
    yield users, lambda _: {"name": "App"}, "The domain has 2 SMTP users"
    route = {"name": "Support", "domain_enabled": False, "forwards": [{"type": "email", "value": "a@x.test"}]}
    yield "/inbound", lambda _: route | domain, "The account has 2 inbound routes already"
    ben = {"name": "Ben"} | domain
    yield (
        "/identities",
        lambda number: ben | {"email": f"ben{number}@client.example"},
        "An account may have at most 2 sender identities",
    )


async def test_how_many_there_may_be(api: ApiWorld, subtests: pytest.Subtests) -> None:
    for path, made, full in bodies(api):
        with subtests.test(path):
            answers = [await api.post(path, json=made(number)) for number in range(3)]
            assert [answer.is_success for answer in answers] == [True, True, False], answers[1].text
            assert answers[2].status_code == 422
            assert full in answers[2].text
            if path.endswith(("/smtp-users", "/identities")):
                assert list(errors(answers[2])) == ["email" if path == "/identities" else "name"]


async def test_users_with_those_who_are_invited(api: ApiWorld) -> None:
    admin = await api.person()
    made = [
        await admin.post("/console/invites", json={"email": f"new{number}@x.test", "role": "Manager"})
        for number in range(3)
    ]
    assert [answer.status_code for answer in made] == [201, 201, 422]
    assert made[2].json()["message"] == (
        "The account has 3 users and invitations already, and may not have more."
    )


async def test_a_race_for_the_last_space_has_one_winner(database: Database, tmp_path: Path) -> None:
    api = await ApiWorld.start(database, tmp_path, plans={"small": {"domains": 2, "webhooks": 2, "users": 2}})
    await accounts.set_plan(database, api.config, api.first.account.id, "small", by=SYSTEM)
    await api.changed()
    for path, made in (
        ("/domains", [new_domain() for _ in range(8)]),
        ("/webhooks", [webhook(api.first) for _ in range(8)]),
        ("/users", [{"email": f"new{number}@x.test", "role": "Manager"} for number in range(8)]),
    ):
        answers = await asyncio.gather(*[api.post(path, json=one) for one in made])
        assert sorted(answer.status_code for answer in answers)[:3] == [201, 201, 422], path
    await api.stop()


async def test_without_a_plan_and_on_an_unknown_one_everything_is_as_for_everybody(
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = Config(plans={"small": SMALL}, limits={"daily_quota": 10, "over_quota": "hold"})  # type: ignore[arg-type]
    nothing, unknown = of_plan("", config), of_plan("gone", config)
    assert nothing == unknown
    assert (nothing.daily_quota, nothing.over_quota, nothing.domains) == (10, "hold", None)
    assert of_plan("small", config).daily_quota == 10
    assert of_plan("gone", config) is unknown
    assert capsys.readouterr().out.count("an account is on a plan that the settings do not have") == 1


def test_a_plan_may_leave_out_a_limit_that_others_have() -> None:
    config = Config(plans={"large": {"daily_quota": 0, "requests_per_day": 0}}, limits={"daily_quota": 10})  # type: ignore[arg-type]
    assert of_plan("large", config).daily_quota is None
    assert of_plan("", config).daily_quota == 10


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests have asked."""
    monkeypatch.setattr(entitlements, "_known", {})


async def test_preflight_says_whether_it_would_be_held_or_refused(
    sqlite_database: Database, tmp_path: Path
) -> None:
    held = {"daily_quota": 2, "over_quota": "hold"}
    api = await ApiWorld.start(sqlite_database, tmp_path, plans={"held": held})
    await accounts.set_plan(api.database, api.config, api.first.account.id, "held", by=SYSTEM)
    await api.changed()
    verdicts = []
    for _ in range(5):
        report = (await api.post("/preflight", json=body(api))).json()["data"]
        verdicts += [one["verdict"] for one in report["findings"] if one["id"] == "daily-quota"]
        await api.post("/email", json=body(api))
    assert verdicts == ["pass", "pass", "warn", "warn", "fail"]
    await api.stop()


async def test_new_domains_keep_no_content_where_the_plan_does_not_include_it(
    sqlite_database: Database, tmp_path: Path
) -> None:
    defaults = {"defaults": {"track_content": True}}
    api = await ApiWorld.start(
        sqlite_database, tmp_path, plans={"small": {"track_content": False}}, domains=defaults
    )
    kept = []
    for plan in ("", "small"):
        await accounts.set_plan(api.database, api.config, api.first.account.id, plan, by=SYSTEM)
        await api.changed()
        made = await api.post("/domains", json=new_domain())
        kept.append(made.json()["data"]["domain_settings"]["track_content"])
    assert kept == [True, False]
    await api.stop()
