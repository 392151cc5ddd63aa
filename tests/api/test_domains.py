"""Domains: added, listed, set, deleted. Their records are in test_domain_records."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import text

from postroom.config import Config
from postroom.store import audit
from postroom.tenancy import domain_removal, domains, smtp_users
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.events import EventType
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from support.api import ApiWorld
from support.email_api import body, kept, raw
from support.mail import rows
from support.objects import webhook
from support.sent import ago, happened, sent

DEFAULTS = {
    "send_paused": False,
    "track_clicks": False,
    "track_opens": False,
    "track_opens_pixel_on_top": False,
    "track_unsubscribe": False,
    "track_unsubscribe_html": '<p>Click here to <a href="{{unsubscribe}}">unsubscribe</a></p>',
    "track_unsubscribe_html_enabled": False,
    "track_unsubscribe_plain": "Click here to unsubscribe: {{unsubscribe}}",
    "track_unsubscribe_plain_enabled": False,
    "track_content": False,
    "custom_tracking_enabled": False,
    "custom_tracking_subdomain": "email",
    "return_path_subdomain": "mta",
    "inbound_routing_enabled": False,
    "inbound_routing_subdomain": "inbound",
    "precedence_bulk": False,
    "ignore_duplicated_recipients": False,
    "show_dmarc": False,
}
"""The contract's fields of a new domain, with tracking and content off."""


async def added(api: ApiWorld, name: str = "shop.example.com", **fields: Any) -> dict[str, Any]:
    answer = await api.post("/domains", json={"name": name} | fields)
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def log(api: ApiWorld) -> list[audit.Entry]:
    """What the audit log says of domains, the oldest first."""
    async with api.database.read() as connection:
        found = await audit.page(connection, api.first.account.id, action="domain.", limit=100)
    return found[::-1]


# -- adding ---------------------------------------------------------------------------------------------------------


async def test_a_new_domain(api: ApiWorld) -> None:
    made = await added(api, "Shop.Example.COM")
    assert made["name"] == "shop.example.com"
    assert made["domain_settings"] == DEFAULTS | {"smtp_enabled": True, "strict_envelope": False}
    assert (made["is_verified"], made["dkim"], made["can"], made["totals"]) == (
        False,
        None,
        {"manage": True},
        [],
    )
    assert not {"created_at", "updated_at"} & made.keys()
    shown = (await api.get(f"/domains/{made['id']}")).json()["data"]
    assert (shown["dkim"], shown["is_verified"], shown["mode"]) == (False, False, "live")
    assert shown["totals"] == {"sent": 0, "delivered": 0, "hard_bounced": 0, "soft_bounced": 0}
    assert shown["domain_settings"] == made["domain_settings"]
    [key, following] = [
        row for row in await rows(api.database, "dkim_keys") if row["domain_id"] == made["id"]
    ]
    assert key["selector"] != following["selector"]


async def test_hosts_of_its_own(api: ApiWorld) -> None:
    hosts = {
        "return_path_subdomain": "b-1",
        "custom_tracking_subdomain": "Click",
        "inbound_routing_subdomain": "in",
    }
    settings = (await added(api, **hosts))["domain_settings"]
    assert {name: settings[name] for name in hosts} == hosts | {"custom_tracking_subdomain": "click"}
    same = await api.post("/domains", json={"name": "b.example.com", "return_path_subdomain": "email"})
    assert same.json()["errors"] == {
        "return_path_subdomain": [
            "The return path subdomain and custom tracking subdomain must be different."
        ]
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (None, "The name field is required. #MS42209"),
        ("localhost", "The name must be a valid domain name."),
        ("exa mple.com", "The name must be a valid domain name."),
        ("192.0.2.1", "The name must be a valid domain name."),
        ("*.example.com", "The name must be a valid domain name."),
        ("a@example.com", "The name must be a valid domain name."),
        ("a." * 95 + "example.com", "The name must not be greater than 189 characters."),
        ("co.uk", "The name co.uk is a public suffix: everybody may register names below it."),
        ("github.io", "The name github.io is a public suffix: everybody may register names below it."),
        ("xn--p1ai.", "The name must be a valid domain name."),
    ],
)
async def test_names_that_are_refused(name: str | None, text: str, api: ApiWorld) -> None:
    refused = await api.post("/domains", json={"name": name})
    assert (refused.status_code, refused.json()["errors"]) == (422, {"name": [text]})
    assert await log(api) == (await log(api))[:1]


@pytest.mark.parametrize("label", ["a.b", "-a", "a_b", "ä", "a" * 64])
async def test_subdomains_are_one_label(label: str, api: ApiWorld) -> None:
    refused = await api.post("/domains", json={"name": "a.example.com", "inbound_routing_subdomain": label})
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["inbound_routing_subdomain"]


async def test_a_name_is_there_once_for_an_account(api: ApiWorld) -> None:
    answers = await asyncio.gather(*(api.post("/domains", json={"name": "a.example.com"}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    taken = next(answer for answer in answers if answer.status_code == 422)
    assert taken.json()["errors"] == {"name": ["The name has already been taken."]}


async def test_x06_what_is_verified_is_taken_and_what_is_not_is_kept_from_nobody(api: ApiWorld) -> None:
    other = await api.tenant()
    await added(api, "a.example.com")
    assert (await other.post("/domains", json={"name": "a.example.com"})).status_code == 201
    refused = await api.post("/domains", json={"name": other.domain.name})
    assert refused.json()["errors"] == {"name": ["The name has already been taken."]}


async def test_there_is_space_for_so_many(api: ApiWorld) -> None:
    """Sandboxes, as the first one here, take none."""
    spaces = api.config.domains.model_copy(update={"spaces": 1})
    object.__setattr__(api.api, "config", api.config.model_copy(update={"domains": spaces}))
    await added(api)
    refused = await api.post("/domains", json={"name": "b.example.com"})
    text = "There is no space for another domain: the account may have 1."
    assert refused.json()["errors"] == {"name": [text]}


# -- reading --------------------------------------------------------------------------------------------------------


async def test_the_list_with_its_filter(api: ApiWorld) -> None:
    new = await added(api)
    everything = (await api.get("/domains")).json()
    assert [row["id"] for row in everything["data"]] == [api.first.domain.id, new["id"]]
    assert everything["meta"]["total"] == 2
    for query, ids in (
        ("true", [api.first.domain.id]),
        ("1", [api.first.domain.id]),
        ("false", [new["id"]]),
        ("0", [new["id"]]),
    ):
        page = (await api.get(f"/domains?verified={query}")).json()
        assert ([row["id"] for row in page["data"]], page["meta"]["total"]) == (ids, 1)
    assert (await api.get("/domains?verified=maybe")).status_code == 422
    row = everything["data"][0]
    assert set(row) == {
        "id", "name", "dkim", "spf", "tracking", "is_verified", "is_cname_verified", "is_dns_active", "is_cname_active",
        "is_tracking_allowed", "domain_stats", "has_not_queued_messages", "not_queued_messages_count",
        "domain_settings", "created_at", "updated_at", "totals", "mode", "failing_since", "pauses_at",
    }  # fmt: skip
    assert row["totals"] == []


async def test_its_mail_is_counted(api: ApiWorld) -> None:
    mail = await sent(api, api.first, 2)
    await happened(api.database, mail, EventType.DELIVERED, ago(api, 100), status="delivered")
    shown = (await api.get(f"/domains/{api.first.domain.id}")).json()["data"]
    assert shown["domain_stats"] == {"total": 2, "queued": 1, "sent": 0, "rejected": 0, "delivered": 1}
    assert shown["totals"]["delivered"] == 1
    [row] = (await api.get("/domains")).json()["data"]
    assert row["domain_stats"] == shown["domain_stats"]


async def test_an_id_is_no_name(api: ApiWorld) -> None:
    for path in (api.first.domain.name, "5", "A" * 16):
        assert (await api.get(f"/domains/{path}")).status_code == 404


# -- settings -------------------------------------------------------------------------------------------------------


async def test_settings_are_changed_one_by_one(api: ApiWorld) -> None:
    path = f"/domains/{api.first.domain.id}/settings"
    new = {
        "track_clicks": True,
        "track_content": True,
        "track_unsubscribe_html": "<a href='{$unsubscribe}'>x</a>",
        "custom_tracking_subdomain": "go",
        "return_path_subdomain": "b",
        "precedence_bulk": True,
        "smtp_enabled": False,
        "strict_envelope": True,
    }
    changed = await api.put(
        path, json=new | {"track_opens": None, "nonsense": 1, "track_unsubscribe_plain": ""}
    )
    assert changed.status_code == 200
    settings = changed.json()["data"]["domain_settings"]
    assert settings == DEFAULTS | {"smtp_enabled": True, "strict_envelope": False} | new
    assert (await api.put(path, json={})).json()["data"]["domain_settings"] == settings
    [_, entry] = await log(api)
    assert entry.action == "domain.updated"
    assert json.loads(entry.after or "")["track_clicks"] is True
    assert "track_opens" not in (entry.after or "")


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"track_clicks": "maybe"}, "The track clicks field must be true or false."),
        (
            {"track_unsubscribe_html": "<p>bye</p>"},
            "The track unsubscribe html must contain the variable {{unsubscribe}}.",
        ),
        ({"track_unsubscribe_plain": "{{unsubscribe}}" * 1000}, "must not be greater than 10000 characters"),
        ({"custom_tracking_subdomain": "a.b"}, "The custom tracking subdomain may only contain"),
        (
            {"return_path_subdomain": "inbound"},
            "The return path subdomain and inbound routing subdomain must",
        ),
    ],
)
async def test_settings_that_are_refused(settings: dict[str, Any], wrong: str, api: ApiWorld) -> None:
    refused = await api.put(f"/domains/{api.first.domain.id}/settings", json=settings)
    assert refused.status_code == 422
    assert wrong in refused.json()["message"]
    assert len(await log(api)) == 1


async def test_two_at_once_lose_nothing(api: ApiWorld) -> None:
    path = f"/domains/{api.first.domain.id}/settings"
    names = ("track_clicks", "track_opens", "track_unsubscribe", "precedence_bulk")
    await asyncio.gather(*(api.put(path, json={name: True}) for name in names))
    settings = (await api.get(f"/domains/{api.first.domain.id}")).json()["data"]["domain_settings"]
    assert all(settings[name] for name in names)


async def test_a_pause_holds_what_is_queued_and_its_end_sends_it(api: ApiWorld) -> None:
    found = await kept(api, await api.post("/email", json=body(api)))
    path = f"/domains/{api.first.domain.id}/settings"
    paused = (await api.put(path, json={"send_paused": True})).json()["data"]
    assert (paused["domain_settings"]["send_paused"], paused["not_queued_messages_count"]) == (True, 1)
    again = (await api.put(path, json={"send_paused": "1"})).json()["data"]
    assert again == paused
    await api.changed()
    assert (await api.post("/email", json=body(api))).headers["x-send-paused"] == "true"
    resumed = (await api.put(path, json={"send_paused": False})).json()["data"]
    assert resumed["has_not_queued_messages"] is False
    async with api.database.read() as connection:
        assert set(await connection.scalars(text("SELECT hold FROM queue"))) == {""}
    assert [entry.action for entry in await log(api)][1:] == ["domain.updated"] * 2
    assert found.message.id


async def test_duplicates_are_ignored_where_that_is_set(api: ApiWorld) -> None:
    twice = body(api, to=[{"email": "a@x.test"}, {"email": "a@x.test"}])
    assert (await api.post("/email", json=twice)).status_code == 422
    path = f"/domains/{api.first.domain.id}/settings"
    await api.put(path, json={"ignore_duplicated_recipients": True, "precedence_bulk": True})
    await api.changed()
    answer = await api.post("/email", json=twice)
    assert list((await kept(api, answer)).emails) == ["a@x.test"]
    content = await raw(api, answer, "a@x.test")
    assert content.count(b"a@x.test") == 1
    assert b"\r\nPrecedence: bulk\r\n" in content
    other = await api.post("/email", json=body(api, precedence_bulk=False))
    assert b"Precedence" not in await raw(api, other)


# -- deleting -------------------------------------------------------------------------------------------------------


async def test_deleting_takes_everything_along_and_cancels_what_is_queued(api: ApiWorld) -> None:
    domain_id = api.first.domain.id
    await smtp_users.add(api.database, domain_id, name="App", by=SYSTEM)
    await api.post("/webhooks", json=webhook(api.first))
    restricted = await api.first.with_token(Scope.DOMAINS_READ, domain=domain_id)
    now = await kept(api, await api.post("/email", json=body(api)))
    at = api.clock.now_ms() // 1000 + 3600
    later = await kept(api, await api.post("/email", json=body(api, send_at=at)))
    gone = await api.delete(f"/domains/{domain_id}", json=[])
    assert (gone.status_code, gone.content) == (204, b"")
    assert await rows(api.database, "queue") == []
    for email_id in (now.emails["bob@x.test"].id, later.emails["bob@x.test"].id):
        shown = (await api.get(f"/email/{email_id}")).json()["data"]
        assert shown["status"] == "rejected"
        assert shown["activity"][-1]["type"] == "cancelled"
    tables = ("smtp_users", "webhooks", "dkim_keys")
    assert [await rows(api.database, table) for table in tables] == [[], [], []]
    assert (await restricted.get("/domains")).status_code == 401
    for path in (f"/domains/{domain_id}", f"/domains/{domain_id}/verify"):
        assert (await api.get(path)).status_code == 404
    assert (await api.delete(f"/domains/{domain_id}")).status_code == 404
    await api.changed()
    refused = await api.post("/email", json=body(api))
    assert list(refused.json()["errors"]) == ["from.email"]
    assert (await log(api))[-1].action == "domain.deleted"
    assert (await api.get(f"/messages/{now.message.id}")).json()["data"]["domain"] is None


async def test_a_deleted_name_can_be_added_again_at_once_with_new_keys(api: ApiWorld) -> None:
    first = await added(api)
    keys = {row["public_key"] for row in await rows(api.database, "dkim_keys")}
    await api.delete(f"/domains/{first['id']}")
    again = await added(api)
    assert again["id"] != first["id"]
    new = [row for row in await rows(api.database, "dkim_keys") if row["domain_id"] == again["id"]]
    assert len(new) == 2
    assert keys  # the keys of tests are all the same one, so only that there are some


async def test_the_row_goes_when_nothing_waits_any_more(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept(api, await api.post("/email", json=body(api)))
    async with api.database.write() as connection:  # an attempt is under way
        await connection.execute(text("UPDATE queue SET mark = 1"))
    await api.delete(f"/domains/{api.first.domain.id}")
    monkeypatch.setattr(domain_removal, "STRAGGLERS_MS", 0)
    await domain_removal.clean_up(api.database, 0)
    assert [row["deleted_at"] is None for row in await rows(api.database, "domains")] == [False]
    async with api.database.write() as connection:
        await connection.execute(text("UPDATE queue SET mark = 0"))
    await domain_removal.clean_up(api.database, 0)
    assert await rows(api.database, "domains") == []
    assert await rows(api.database, "queue") == []


# -- who may --------------------------------------------------------------------------------------------------------


async def test_h01_the_domains_of_others_are_not_there(api: ApiWorld) -> None:
    path = f"/domains/{(await api.tenant()).domain.id}"
    for answer in (
        await api.get(path),
        await api.get(f"{path}/recipients"),
        await api.get(f"{path}/dns-records"),
        await api.get(f"{path}/verify"),
        await api.put(f"{path}/settings", json={"track_clicks": 7}),
        await api.delete(path),
    ):
        assert answer.status_code == 404
    assert [row["id"] for row in (await api.get("/domains")).json()["data"]] == [api.first.domain.id]


async def test_a_token_for_one_domain_sees_and_adds_no_other(api: ApiWorld) -> None:
    new = await added(api)
    one = await api.first.with_token(Scope.DOMAINS_FULL, domain=new["id"])
    assert [row["id"] for row in (await one.get("/domains")).json()["data"]] == [new["id"]]
    assert (await one.get(f"/domains/{api.first.domain.id}")).status_code == 404
    assert (await one.post("/domains", json={"name": "b.example.com"})).status_code == 403


async def test_reading_and_writing_are_two_scopes(api: ApiWorld) -> None:
    reader = await api.first.with_token(Scope.DOMAINS_READ)
    path = f"/domains/{api.first.domain.id}"
    assert (await reader.get(path)).status_code == 200
    for answer in (
        await reader.post("/domains", json={"name": "b.example.com"}),
        await reader.put(f"{path}/settings", json={}),
        await reader.delete(path),
    ):
        assert answer.status_code == 403


async def test_a_person_changes_what_their_permissions_name(api: ApiWorld) -> None:
    grant = Grant(Role.CUSTOM_USER, frozenset({Permission.CONTROL_SENDINGS}))
    person = await api.person(grant=grant)
    path = f"/v1/domains/{api.first.domain.id}/settings"
    assert (await person.put(path, json={"send_paused": True})).status_code == 200
    refused = await person.put(path, json={"send_paused": False, "track_clicks": True})
    assert refused.status_code == 403
    assert "control-tracking-options" in refused.json()["message"]
    assert (await person.delete(f"/v1/domains/{api.first.domain.id}")).status_code == 403
    assert (await log(api))[-1].actor_kind == "user"


async def test_everybody_has_an_own_default(api: ApiWorld) -> None:
    rules = Config(domains={"defaults": {"track_opens": True, "return_path_subdomain": "b"}}).domains
    made = await domains.add(
        api.database, api.box, "own.example.com", account_id=api.first.account.id, rules=rules, by=SYSTEM
    )
    settings = (await api.get(f"/domains/{made.id}")).json()["data"]["domain_settings"]
    assert (settings["track_opens"], settings["return_path_subdomain"]) == (True, "b")
