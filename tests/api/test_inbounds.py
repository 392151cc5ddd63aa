"""Inbound routes: kept and shown as the contract says; mail is not taken in yet."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postroom.store import audit, domains
from postroom.store.database import Database
from postroom.tenancy import inbounds
from postroom.types.scopes import Scope
from support.api import ApiWorld, Tenant
from support.sent import second_domain

HOST = "inbound.example.net"
URL = "https://hooks.example.com/inbound"
EQUAL = {"comparer": "equal", "value": "support"}


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[ApiWorld]:
    """It has a host for inbound mail."""
    world = await ApiWorld.start(sqlite_database, tmp_path, server={"inbound_host": f"{HOST.upper()}."})
    yield world
    await world.stop()


def body(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    forwards = [{"type": "webhook", "value": URL}]
    return {
        "domain_id": tenant.domain.id, "name": "Support", "domain_enabled": False, "forwards": forwards,
    } | fields  # fmt: skip


def with_domain(name: str, priority: int = 10) -> dict[str, Any]:
    return {"domain_enabled": True, "inbound_domain": name, "inbound_priority": priority}


async def made(api: ApiWorld, tenant: Tenant | None = None, **fields: Any) -> dict[str, Any]:
    tenant = tenant or api.first
    answer = await tenant.post("/inbound", json=body(tenant, **fields))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()["data"]
    return created


async def log(api: ApiWorld) -> list[audit.Entry]:
    """What the audit log says of inbound routes, the newest first."""
    async with api.database.read() as connection:
        return await audit.page(connection, api.first.account.id, action="inbound.", limit=100)


# -- creating -------------------------------------------------------------------------------------------------------


async def test_a_new_route(api: ApiWorld) -> None:
    created = await made(
        api, name=" Support ", catch_filter={"type": "catch_all"}, match_filter={"type": "match_all"}
    )
    address, secret = created["address"], created["forwards"][0]["secret"]
    assert created == {
        "id": created["id"],
        "name": "Support",
        "address": address,
        "domain": None,
        "dns_checked_at": None,
        "enabled": True,
        "filters": [{"type": "match_all", "key": None, "comparer": None, "value": None}],
        "forwards": [
            {"id": created["forwards"][0]["id"], "type": "webhook", "value": URL, "secret": secret},
        ],
        "priority": 0,
        "mxValues": {"priority": "10", "target": HOST},
        "catch_type": "all",
        "match_type": "all",
    }
    mailbox, _, host = address.partition("@")
    assert (len(mailbox), mailbox.isalnum(), mailbox.islower(), host) == (20, True, True, HOST)
    assert (len(secret), secret.isalnum()) == (32, True)
    assert (await api.get(f"/inbound/{created['id']}")).json()["data"] == created
    assert (await made(api))["address"] != address


@pytest.mark.parametrize("empty", [None, [], {}, ""])
async def test_the_rest_may_be_left_out(api: ApiWorld, empty: Any) -> None:
    created = await made(api, catch_filter=empty, match_filter=empty, catch_type=None, inbound_domain="")
    assert created["filters"] == [{"type": "match_all", "key": None, "comparer": None, "value": None}]


async def test_filters_are_shown_in_one_list(api: ApiWorld) -> None:
    condition = {"comparer": "starts-with", "value": "1", "key": "X-Priority"}
    created = await made(
        api,
        catch_filter={"type": "catch_recipient", "filters": [EQUAL, EQUAL | {"key": "ignored"}]},
        catch_type="one",
        match_filter={"type": "match_header", "filters": [condition]},
    )
    assert created["filters"] == [
        {"type": "catch_recipient", "key": None, "comparer": "equal", "value": "support"},
        {"type": "catch_recipient", "key": None, "comparer": "equal", "value": "support"},
        {"type": "match_header"} | condition,
    ]
    assert (created["catch_type"], created["match_type"]) == ("one", "all")


@pytest.mark.parametrize(
    "comparer",
    [
        "equal",
        "not-equal",
        "contains",
        "not-contains",
        "starts-with",
        "ends-with",
        "not-starts-with",
        "not-ends-with",
    ],
)
async def test_every_comparer(api: ApiWorld, comparer: str) -> None:
    conditions = [{"comparer": comparer, "value": "x.example"}]
    for kind in ("match_sender", "match_domain"):
        created = await made(api, match_filter={"type": kind, "filters": conditions})
        assert created["filters"] == [{"type": kind, "key": None, "comparer": comparer, "value": "x.example"}]


async def test_email_has_no_secret_and_each_webhook_its_own(api: ApiWorld) -> None:
    forwards = [
        {"type": "webhook", "value": URL},
        {"type": "email", "value": " Ann@EXAMPLE.com "},
        {"type": "webhook", "value": f"{URL}/2"},
    ]
    first, mail, second = (await made(api, forwards=forwards))["forwards"]
    assert (mail["value"], mail["secret"]) == ("Ann@example.com", None)
    assert first["secret"] != second["secret"]


REQUIRED = "field is required. #MS42209"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": None}, {"name": f"The name {REQUIRED}"}),
        ({"name": "a" * 192}, {"name": "The name must not be greater than 191 characters."}),
        ({"name": "a\x07"}, {"name": "The name must hold printable characters."}),
        ({"domain_enabled": None}, {"domain_enabled": f"The domain enabled {REQUIRED}"}),
        (
            {"domain_enabled": True},
            {
                "inbound_domain": f"The inbound domain {REQUIRED}",
                "inbound_priority": f"The inbound priority {REQUIRED}",
            },
        ),
        ({"inbound_priority": 101}, {"inbound_priority": "The inbound priority must not be greater than 100."}),
        ({"inbound_priority": -1}, {"inbound_priority": "The inbound priority must be at least 0."}),
        ({"inbound_domain": "a b"}, {"inbound_domain": "The inbound domain must be a valid domain name."}),
        ({"catch_type": "two"}, {"catch_type": "The selected catch type is invalid."}),
        ({"catch_filter": {"type": "match_all"}}, {"catch_filter.type": "The selected catch filter.type is invalid."}),
        (
            {"catch_filter": {"type": "catch_recipient"}},
            {"catch_filter.filters": f"The catch filter.filters {REQUIRED}"},
        ),
        (
            {"catch_filter": {"type": "catch_recipient", "filters": [EQUAL] * 6}},
            {"catch_filter.filters": "The catch filter.filters must not have more than 5 items."},
        ),
        (
            {"match_filter": {"type": "match_sender", "filters": [{"comparer": "like", "value": ""}]}},
            {
                "match_filter.filters.0.comparer": "The selected match filter.filters.0.comparer is invalid.",
                "match_filter.filters.0.value": f"The match filter.filters.0.value {REQUIRED}",
            },
        ),
        (
            {"match_filter": {"type": "match_header", "filters": [EQUAL]}},
            {"match_filter.filters.0.key": f"The match filter.filters.0.key {REQUIRED}"},
        ),
        (
            {"match_filter": {"type": "match_header", "filters": [EQUAL | {"key": "X-A: b"}]}},
            {"match_filter.filters.0.key": "The match filter.filters.0.key must be the name of a header field."},
        ),
        ({"forwards": []}, {"forwards": "The forwards must have at least 1 items."}),
        (
            {"forwards": [{"type": "webhook", "value": f"{URL}/{n}"} for n in range(6)]},
            {"forwards": "The forwards must not have more than 5 items."},
        ),
        (
            {"forwards": [{"type": "webhook", "value": URL}] * 2},
            {"forwards.1.value": "The forwards.1.value field has a duplicate value."},
        ),
        (
            {"forwards": [{"type": "sms", "value": URL}]},
            {"forwards.0.type": "The selected forwards.0.type is invalid."},
        ),
        (
            {"forwards": [{"type": "email", "value": URL}]},
            {"forwards.0.value": "The forwards.0.value must be a valid email address. #MS42208"},
        ),
    ],
    ids=",".join,
)  # fmt: skip
async def test_what_is_wrong_is_told_by_field(
    api: ApiWorld, fields: dict[str, Any], wrong: dict[str, str]
) -> None:
    refused = await api.post("/inbound", json=body(api.first, **fields))
    assert refused.status_code == 422
    assert refused.json()["errors"] == {path: [text] for path, text in wrong.items()}
    assert await log(api) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example.com/", "must begin with https://"),
        ("https://a@hooks.example.com/", "must not hold a user name or password"),
        ("https://hooks.example.com:22/", "has the port 22; allowed are 443, 80, 8443"),
        ("https://127.1/", "has an address for a host that is not written in the usual form"),
    ],
)
async def test_h09_urls_that_are_not_called(api: ApiWorld, url: str, reason: str) -> None:
    refused = await api.post("/inbound", json=body(api.first, forwards=[{"type": "webhook", "value": url}]))
    assert refused.json()["errors"] == {"forwards.0.value": [f"The forwards.0.value {reason}."]}


async def test_all_that_is_wrong_is_told_at_once(api: ApiWorld) -> None:
    fields = with_domain("elsewhere.example.org") | {"forwards": [{"type": "email", "value": "ann"}]}
    refused = await api.post("/inbound", json=body(api.first, **fields))
    assert list(refused.json()["errors"]) == ["inbound_domain", "forwards.0.value"]
    refused = await api.post("/inbound", json=body(api.first, **fields, domain_id="a" * 16))
    assert list(refused.json()["errors"]) == ["domain_id", "forwards.0.value"]


async def test_without_a_host_for_inbound_mail_it_says_how_to_name_one(
    sqlite_database: Database, tmp_path: Path
) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path)
    refused = await api.post("/inbound", json=body(api.first))
    text = "This installation has no host for inbound mail yet."
    assert (refused.status_code, refused.json()["errors"]) == (422, {"domain_id": [text]})
    await api.stop()


async def test_a_route_outlives_the_host_for_a_while(
    api: ApiWorld, sqlite_database: Database, tmp_path: Path
) -> None:
    created = await made(api)
    api.config.__dict__["server"] = api.config.server.model_copy(update={"inbound_host": ""})
    shown = (await api.get(f"/inbound/{created['id']}")).json()["data"]
    assert shown == created | {"address": None, "mxValues": {"priority": "10", "target": None}}


async def test_there_are_not_more_than_so_many(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbounds, "MOST", 1)
    await made(api)
    refused = await api.post("/inbound", json=body(api.first))
    text = "The account has 1 inbound routes already; there cannot be more."
    assert refused.json()["errors"] == {"domain_id": [text]}


# -- whose mail -----------------------------------------------------------------------------------------------------


async def test_routes_of_one_domain_share_a_name(api: ApiWorld) -> None:
    name = f"Inbound.{api.first.domain.name}"
    first = await made(api, **with_domain(name, 1))
    second = await made(api, **with_domain(name, 2))
    assert {one["domain"] for one in (first, second)} == {name.lower()}
    assert [one["priority"] for one in (first, second)] == [1, 2]
    assert (await made(api, **with_domain(api.first.domain.name)))["domain"] == api.first.domain.name


async def test_a_name_lies_under_the_domain(api: ApiWorld) -> None:
    for name in ("example.org", f"not{api.first.domain.name}", "test"):
        refused = await api.post("/inbound", json=body(api.first, **with_domain(name)))
        text = f"The inbound domain must be {api.first.domain.name} or a name below it."
        assert refused.json()["errors"] == {"inbound_domain": [text]}


async def unverified(api: ApiWorld, domain_id: str) -> None:
    async with api.database.write() as connection:
        await domains.change(connection, domain_id, verified_at=None)


async def test_x06_a_name_needs_a_verified_domain(api: ApiWorld) -> None:
    """Somebody who has only added a domain does not get its mail."""
    name = f"inbound.{api.first.domain.name}"
    await unverified(api, api.first.domain.id)
    refused = await api.post("/inbound", json=body(api.first, **with_domain(name)))
    text = f"The inbound domain can be used once {api.first.domain.name} is verified."
    assert refused.json()["errors"] == {"inbound_domain": [text]}
    created = await made(api)
    refused = await api.put(f"/inbound/{created['id']}", json=with_domain(name))
    assert refused.json()["errors"] == {"inbound_domain": [text]}


TAKEN = {"inbound_domain": ["The inbound domain has already been taken."]}


async def below(api: ApiWorld, tenant: Tenant) -> Tenant:
    """Another account that has verified a name below the tenant's domain."""
    return await api.tenant(name=f"sub.{tenant.domain.name.removesuffix('.test')}")


async def test_x06_a_name_belongs_to_one_domain_of_the_installation(api: ApiWorld) -> None:
    name = f"in.sub.{api.first.domain.name}"
    await made(api, **with_domain(name))
    other = await below(api, api.first)
    refused = await other.post("/inbound", json=body(other, **with_domain(name)))
    assert refused.json()["errors"] == TAKEN
    created = await made(api, other)
    refused = await other.put(f"/inbound/{created['id']}", json=with_domain(name))
    assert refused.json()["errors"] == TAKEN
    await unverified(api, api.first.domain.id)
    assert (await made(api, other, **with_domain(name)))["domain"] == name


async def test_x06_the_longest_verified_domain_wins(api: ApiWorld) -> None:
    other = await below(api, api.first)
    for name in (other.domain.name, f"in.{other.domain.name}"):
        refused = await api.post("/inbound", json=body(api.first, **with_domain(name)))
        assert refused.json()["errors"] == TAKEN
    assert (await made(api, other, **with_domain(other.domain.name)))["domain"] == other.domain.name


async def test_the_look_up_of_its_mx_record_is_shown(api: ApiWorld) -> None:
    host = f"inbound.{api.first.domain.name}"
    ours, another = await made(api, **with_domain(host)), await made(api, **with_domain(f"x.{host}"))
    async with api.database.write() as connection:
        await domains.change(connection, api.first.domain.id, inbound_verified_at=1_767_225_600_000)
    shown = (await api.get(f"/inbound/{ours['id']}")).json()["data"]
    assert shown["dns_checked_at"] == "2026-01-01T00:00:00.000000Z"
    assert (await api.get(f"/inbound/{another['id']}")).json()["data"]["dns_checked_at"] is None


# -- changing -------------------------------------------------------------------------------------------------------


async def test_what_is_absent_stays(api: ApiWorld) -> None:
    name = f"in.{api.first.domain.name}"
    condition = {"type": "catch_recipient", "filters": [EQUAL]}
    created = await made(api, **with_domain(name), catch_filter=condition, catch_type="one")
    path = f"/inbound/{created['id']}"
    changed = await api.put(path, json={"name": "Sales", "enabled": False})
    assert changed.status_code == 200
    assert changed.json()["data"] == created | {"name": "Sales", "enabled": False}
    moved = await api.put(path, json={"inbound_domain": f"x.{name}", "inbound_priority": 3})
    assert (moved.json()["data"]["domain"], moved.json()["data"]["priority"]) == (f"x.{name}", 3)
    again = await api.put(path, json={"domain_enabled": True})
    assert again.json()["data"]["domain"] == f"x.{name}"
    off = await api.put(path, json={"domain_enabled": False, "inbound_domain": name})
    assert (off.json()["data"]["domain"], off.json()["data"]["priority"]) == (None, 0)
    late = await api.put(path, json={"domain_enabled": True, "inbound_domain": name})
    assert late.json()["errors"] == {"inbound_priority": [f"The inbound priority {REQUIRED}"]}


async def test_forwards_that_were_there_keep_their_secrets(api: ApiWorld) -> None:
    created = await made(api)
    more = [{"type": "email", "value": "ann@example.com"}, {"type": "webhook", "value": URL}]
    changed = (await api.put(f"/inbound/{created['id']}", json={"forwards": more})).json()["data"]
    assert changed["forwards"][1] == created["forwards"][0]
    other = [{"type": "webhook", "value": f"{URL}/2"}]
    changed = (await api.put(f"/inbound/{created['id']}", json={"forwards": other})).json()["data"]
    [forward] = changed["forwards"]
    assert forward["secret"] != created["forwards"][0]["secret"]


async def test_deleted_is_gone(api: ApiWorld) -> None:
    created = await made(api)
    path = f"/inbound/{created['id']}"
    assert (await api.delete(path)).status_code == 204
    for answer in (await api.get(path), await api.put(path, json={}), await api.delete(path)):
        assert answer.status_code == 404
    assert (await api.get("/inbound")).json()["data"] == []


# -- who sees them --------------------------------------------------------------------------------------------------


async def test_lists_of_the_account_and_of_a_domain(api: ApiWorld) -> None:
    other_domain = await second_domain(api, api.first)
    here = [(await made(api))["id"] for _ in range(2)]
    there = (await made(api, domain_id=other_domain.id))["id"]
    listed = (await api.get("/inbound")).json()
    assert [one["id"] for one in listed["data"]] == [*here, there]
    assert (listed["meta"]["per_page"], listed["meta"]["total"]) == (10, 3)
    of_domain = (await api.get("/inbound", params={"domain_id": other_domain.id, "limit": 25})).json()
    assert ([one["id"] for one in of_domain["data"]], of_domain["meta"]["per_page"]) == ([there], 25)
    wrong = await api.get("/inbound", params={"domain_id": "a" * 16})
    assert wrong.json()["errors"] == {"domain_id": ["The selected domain id is invalid."]}


async def test_h01_a_token_for_one_domain_sees_its_routes_only(api: ApiWorld) -> None:
    other_domain = await second_domain(api, api.first)
    mine, theirs = await made(api), await made(api, domain_id=other_domain.id)
    limited = await api.first.with_token(Scope.INBOUNDS_FULL, domain=api.first.domain.id)
    assert [one["id"] for one in (await limited.get("/inbound")).json()["data"]] == [mine["id"]]
    assert (await limited.get(f"/inbound/{theirs['id']}")).status_code == 404
    assert (await limited.put(f"/inbound/{theirs['id']}", json={"name": "x"})).status_code == 404
    refused = await limited.post("/inbound", json=body(api.first, domain_id=other_domain.id))
    assert list(refused.json()["errors"]) == ["domain_id"]


# -- what is written down -------------------------------------------------------------------------------------------


async def test_each_change_is_in_the_audit_log_without_a_secret(api: ApiWorld) -> None:
    created = await made(api)
    path = f"/inbound/{created['id']}"
    await api.put(path, json={"forwards": [{"type": "webhook", "value": f"{URL}/2"}]})
    await api.put(path, json={"name": "Support"})  # as it was
    await api.delete(path)
    deleted, updated, new = await log(api)
    assert [one.action for one in (new, updated, deleted)] == ["inbound.created", "inbound.updated", "inbound.deleted"]  # fmt: skip
    assert json.loads(new.after or "")["forwards"][0]["secret"] == "(secret)"
    assert set(json.loads(updated.after or "")) == {"forwards"}
    assert json.loads(updated.after or "")["forwards"][0]["value"] == f"{URL}/2"
    told = "".join(text or "" for one in (new, updated, deleted) for text in (one.before, one.after))
    assert created["forwards"][0]["secret"] not in told


async def test_x01_the_secret_is_sealed(api: ApiWorld) -> None:
    created = await made(api)
    async with api.database.read() as connection:
        [kept] = await inbounds.store.page(connection, api.first.account.id)
    secret = created["forwards"][0]["secret"]
    assert secret.encode() not in (kept.forwards[0].secret or b"")
    assert inbounds.secret(api.box, kept, kept.forwards[0]) == secret
    elsewhere = replace(kept, id="x" * 16)
    with pytest.raises(Exception, match="belongs elsewhere"):
        inbounds.secret(api.box, elsewhere, kept.forwards[0])
