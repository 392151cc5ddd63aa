"""The five lists: each with its shape, its quirks, and its entry in the audit log."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from postroom.store import audit
from postroom.store.recipients import recipient_id
from postroom.tenancy import suppression_export, suppressions
from postroom.tenancy.grants import Grant
from postroom.tenancy.suppressions import Terms
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld, Tenant
from support.sent import second_domain

LISTS = ("blocklist", "hard-bounces", "spam-complaints", "unsubscribes", "on-hold-list")
OF_RECIPIENTS = ("hard-bounces", "spam-complaints", "unsubscribes")


def path(name: str) -> str:
    return f"/suppressions/{name}"


async def added(tenant: Tenant, name: str, *addresses: str, **fields: Any) -> list[dict[str, Any]]:
    body = {"domain_id": tenant.domain.id, "recipients": addresses} | fields
    answer = await tenant.post(path(name), json=body)
    assert answer.status_code == 201, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


async def listed(tenant: Tenant | ApiWorld, name: str, **query: Any) -> list[dict[str, Any]]:
    answer = await tenant.get(path(name), params=query)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


async def log(api: ApiWorld) -> list[audit.Entry]:
    async with api.database.read() as connection:
        return await audit.page(connection, api.first.account.id, action="suppression.", limit=100)


# -- adding ---------------------------------------------------------------------------------------------------------


async def test_the_blocklist_takes_addresses_and_patterns(api: ApiWorld) -> None:
    body = {"recipients": ["Ada@EXAMPLE.org"], "patterns": [".*@Example.net"]}
    answer = await api.post(path("blocklist"), json=body)
    assert answer.status_code == 201
    exact, pattern = answer.json()["data"]
    assert set(exact) == {"id", "type", "pattern", "created_at", "updated_at"}
    assert (exact["type"], exact["pattern"]) == ("exact", "Ada@example.org")
    assert (pattern["type"], pattern["pattern"]) == ("pattern", "*@example.net")
    assert exact["updated_at"] == exact["created_at"]
    assert await listed(api, "blocklist") == [pattern | {"domain": None}, exact | {"domain": None}]


async def test_the_blocklist_of_a_domain(api: ApiWorld) -> None:
    [row] = await added(api.first, "blocklist", "a@y.test", patterns=[])
    [shown] = await listed(api, "blocklist")
    assert shown["domain"]["id"] == api.first.domain.id
    [whole] = await added(api.first, "blocklist", "a@y.test", domain_id=None)
    assert [one["id"] for one in await listed(api, "blocklist")] == [whole["id"], row["id"]]
    assert await listed(api, "blocklist", domain_id=api.first.domain.id) == [shown]


@pytest.mark.parametrize("name", OF_RECIPIENTS)
async def test_recipients_are_put_on_a_list(api: ApiWorld, name: str) -> None:
    [row] = await added(api.first, name, "Ada@EXAMPLE.org")
    recipient, domain = row["recipient"], api.first.domain
    assert recipient == {
        "id": recipient_id(api.first.account.id, domain.id, "Ada@example.org"),
        "email": "Ada@example.org",
        "created_at": row["created_at"],
        "updated_at": row["created_at"],
        "deleted_at": "",
        "domain": {
            "id": domain.id,
            "name": domain.name,
            "created_at": timestamp(domain.created_at),
            "updated_at": timestamp(domain.updated_at),
        },
    }
    reasons = {
        "hard-bounces": {"reason": "Unknown reason"},
        "spam-complaints": {},
        "unsubscribes": {"reason": None, "readable_reason": None},
    }
    assert {key: row[key] for key in row if "reason" in key} == reasons[name]
    assert await listed(api, name) == [row]
    known = {key: value for key, value in recipient.items() if key != "domain"}
    assert (await api.get("/recipients")).json()["data"] == [known]


async def test_adding_again_tells_what_is_there(api: ApiWorld) -> None:
    [first] = await added(api.first, "hard-bounces", "a@y.test")
    again = await added(api.first, "hard-bounces", "b@y.test", "a@Y.test", "b@y.test")
    assert [row["recipient"]["email"] for row in again] == ["b@y.test", "a@y.test"]
    assert again[1] == first
    assert [one.action for one in await log(api)] == ["suppression.created"] * 2
    await added(api.first, "hard-bounces", "a@y.test")
    assert len(await log(api)) == 2


@pytest.mark.parametrize(
    ("name", "body", "errors"),
    [
        ("blocklist", {}, {"recipients": "The recipients field is required when patterns is not present."}),
        ("blocklist", {"recipients": [], "patterns": []}, {"recipients": "The recipients field is required when patterns is not present."}),
        ("blocklist", {"recipients": ["a@b.c", "nobody"]}, {"recipients.1": "The recipients.1 must be a valid email address. #MS42208"}),
        ("blocklist", {"patterns": ["*"]}, {"patterns.0": "The patterns.0 format is invalid."}),
        ("blocklist", {"recipients": ["a@b.c"] * 1001}, {"recipients": "The recipients must not have more than 1000 items."}),
        ("blocklist", {"recipients": ["a@b.c"], "domain_id": "a" * 16}, {"domain_id": "The selected domain id is invalid."}),
        ("unsubscribes", {}, {"domain_id": "The domain id field is required. #MS42209", "recipients": "The recipients field is required. #MS42209"}),
        ("unsubscribes", {"domain_id": "a" * 16, "recipients": []}, {"recipients": "The recipients field is required. #MS42209"}),
        ("hard-bounces", {"domain_id": "a" * 16, "recipients": ["a@b.c"]}, {"domain_id": "The selected domain id is invalid."}),
        ("hard-bounces", {"domain_id": "no id", "recipients": ["a@b.c"]}, {"domain_id": "The domain id field is required. #MS42209"}),
    ],
)  # fmt: skip
async def test_what_cannot_be_added(
    api: ApiWorld, name: str, body: dict[str, Any], errors: dict[str, str]
) -> None:
    answer = await api.post(path(name), json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == {field: [text] for field, text in errors.items()}
    assert await listed(api, name) == []


async def test_nobody_is_put_on_hold_by_hand(api: ApiWorld) -> None:
    body = {"domain_id": api.first.domain.id, "recipients": ["a@y.test"]}
    assert (await api.post(path("on-hold-list"), json=body)).status_code == 405


# -- lists ----------------------------------------------------------------------------------------------------------


async def test_ten_a_page_the_newest_first(api: ApiWorld) -> None:
    for number in range(12):
        await added(api.first, "spam-complaints", f"{number}@y.test")
    answer = (await api.get(path("spam-complaints"))).json()
    assert [row["recipient"]["email"] for row in answer["data"]] == [f"{n}@y.test" for n in range(11, 1, -1)]
    assert (answer["meta"]["per_page"], answer["links"]["last"]) == (10, None)
    assert len(await listed(api, "spam-complaints", page=2)) == 2
    assert len(await listed(api, "spam-complaints", limit=25)) == 12


async def test_a_list_is_searched_for_a_part_of_the_address(api: ApiWorld) -> None:
    await added(api.first, "hard-bounces", "Ada@y.test", "ben@z.test", "a_b@y.test")
    await added(api.first, "blocklist", "x@y.test", patterns=["*@spam.test"])
    found = await listed(api, "hard-bounces", search="ADA@")
    assert [row["recipient"]["email"].lower() for row in found] == ["ada@y.test"]
    assert len(await listed(api, "hard-bounces", search="_")) == 1  # no wildcard
    assert [row["pattern"] for row in await listed(api, "blocklist", search="spam")] == ["*@spam.test"]
    assert await listed(api, "hard-bounces", search="nobody") == []


async def test_who_is_on_hold_goes_when_the_time_is_over(api: ApiWorld) -> None:
    until = api.clock.now_ms() + 60_000
    for address, expires_at in (("over@y.test", 1), ("waits@y.test", until)):
        terms = Terms("on_hold", reason="5 soft bounces", domain=api.first.domain.id, expires_at=expires_at)
        await suppressions.put(api.database, api.first.account.id, [address], terms, by=SYSTEM)
    [row] = await listed(api, "on-hold-list")
    assert (row["recipient"]["email"], row["on_hold_until"]) == ("waits@y.test", timestamp(until))
    assert (row["reason"], row["readable_reason"]) == ("5 soft bounces", "5 soft bounces")


async def test_reasons_of_unsubscribes_are_told_in_words(api: ApiWorld) -> None:
    terms = Terms("unsubscribes", reason="option_3")
    await suppressions.put(api.database, api.first.account.id, ["a@y.test"], terms, by=SYSTEM)
    [row] = await listed(api, "unsubscribes")
    assert (row["reason"], row["readable_reason"]) == ("option_3", "I get too many emails")
    assert row["recipient"]["domain"] is None


# -- deleting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_RECIPIENTS)
async def test_entries_are_deleted_by_their_ids(api: ApiWorld, name: str) -> None:
    first, second = await added(api.first, name, "a@y.test", "b@y.test")
    answer = await api.delete(path(name), json={"ids": [first["id"]]})
    assert (answer.status_code, answer.text) == (200, "[]")
    assert answer.headers["content-type"] == "application/json"
    assert await listed(api, name) == [second]


async def test_with_an_id_that_is_not_on_the_list_nothing_is_deleted(api: ApiWorld) -> None:
    [row] = await added(api.first, "hard-bounces", "a@y.test")
    [elsewhere] = await added(api.first, "unsubscribes", "a@y.test")
    body = {"ids": [row["id"], elsewhere["id"], "nothing"]}
    answer = await api.delete(path("hard-bounces"), json=body)
    assert answer.status_code == 422
    assert answer.json() == {
        "message": "The selected ids.1 is invalid. (and 1 more error)",
        "errors": {
            "ids.1": ["The selected ids.1 is invalid."],
            "ids.2": ["The selected ids.2 is invalid."],
        },
    }
    assert [one["id"] for one in await listed(api, "hard-bounces")] == [row["id"]]


async def test_everything_is_deleted_of_the_account_or_of_a_domain(api: ApiWorld) -> None:
    second = await second_domain(api, api.first)
    await added(api.first, "blocklist", "a@y.test", domain_id=None)
    await added(api.first, "blocklist", "a@y.test", domain_id=second.id)
    [kept] = await added(api.first, "hard-bounces", "a@y.test")
    await added(api.first, "blocklist", "a@y.test")
    one = {"all": True, "domain_id": api.first.domain.id}
    assert (await api.delete(path("blocklist"), json=one)).json() == []
    assert len(await listed(api, "blocklist")) == 2
    assert (await api.delete(path("blocklist"), json={"all": "1"})).json() == []
    assert await listed(api, "blocklist") == []
    assert [one["id"] for one in await listed(api, "hard-bounces")] == [kept["id"]]


@pytest.mark.parametrize("body", [None, {}, [], {"ids": []}, {"all": False}])
async def test_deleting_needs_to_know_what(api: ApiWorld, body: Any) -> None:
    for name in LISTS:
        answer = await api.delete(path(name), json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"] == {"ids": ["The ids field is required when all is not present."]}


# -- who ------------------------------------------------------------------------------------------------------------


async def test_h01_lists_of_another_account(api: ApiWorld) -> None:
    other = await api.tenant()
    [row] = await added(api.first, "unsubscribes", "a@y.test")
    assert await listed(other, "unsubscribes") == []
    assert (await other.delete(path("unsubscribes"), json={"ids": [row["id"]]})).status_code == 422
    assert (await other.delete(path("unsubscribes"), json={"all": True})).json() == []
    for query in ({"domain_id": api.first.domain.id}, {"domain_id": "a" * 16}):
        answer = await other.get(path("unsubscribes"), params=query)
        assert answer.json()["errors"] == {"domain_id": ["The selected domain id is invalid."]}
    assert await listed(api, "unsubscribes") == [row]


async def test_a_token_for_one_domain(api: ApiWorld) -> None:
    second = await second_domain(api, api.first)
    whole = await added(api.first, "blocklist", "a@y.test", domain_id=None)
    [mine] = await added(api.first, "blocklist", "a@y.test", domain_id=second.id)
    client = await api.first.with_token(domain=second.id)
    assert [row["id"] for row in (await client.get(path("blocklist"))).json()["data"]] == [mine["id"]]
    answer = await client.post(path("blocklist"), json={"recipients": ["b@y.test"]})
    assert answer.json()["errors"] == {"domain_id": ["The domain id field is required. #MS42209"]}
    for body in ({"ids": [whole[0]["id"]]}, {"all": True, "domain_id": api.first.domain.id}):
        assert (await client.delete(path("blocklist"), json=body)).status_code == 422
    assert (await client.delete(path("blocklist"), json={"all": True})).status_code == 200
    assert [row["id"] for row in await listed(api, "blocklist")] == [whole[0]["id"]]


async def test_who_may(api: ApiWorld) -> None:
    reader = await api.first.with_token(Scope.SUPPRESSIONS_READ)
    assert (await reader.get(path("blocklist"))).status_code == 200
    for request in (reader.post, reader.delete):
        assert (await request(path("blocklist"), json={"all": True})).status_code == 403
    looks = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.READ_SUPPRESSIONS})))
    assert (await looks.get("/v1/suppressions/blocklist")).status_code == 200
    assert (await looks.delete("/v1/suppressions/blocklist", json={"all": True})).status_code == 403


async def test_each_change_is_in_the_audit_log(api: ApiWorld) -> None:
    rows = await added(api.first, "hard-bounces", "a@y.test", "b@y.test")
    await api.delete(path("hard-bounces"), json={"ids": [rows[0]["id"]]})
    await api.delete(path("hard-bounces"), json={"all": True})
    await api.delete(path("hard-bounces"), json={"all": True})
    everything, one, new = await log(api)
    assert [entry.action.rpartition(".")[2] for entry in (new, one, everything)] == [
        "created",
        "deleted",
        "deleted",
    ]
    assert '"addresses": ["a@y.test", "b@y.test"]' in (new.after or "")
    assert '"addresses": ["a@y.test"]' in (one.before or "")
    assert '"entries": 1' in (everything.before or "")
    assert {entry.actor_id for entry in (new, one, everything)} == {api.first.token.id}


# -- as a file ------------------------------------------------------------------------------------------------------


async def exported(tenant: Tenant | ApiWorld, name: str, **query: Any) -> list[list[str]]:
    answer = await tenant.get(f"{path(name)}/export", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    heading, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert heading == list(suppression_export.COLUMNS)
    return rows


async def test_a_list_as_a_file_is_what_the_list_shows(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suppression_export, "PIECE", 2)
    for name in OF_RECIPIENTS:
        await added(api.first, name, *(f"{name}{number}@example.org" for number in range(5)))
        rows = await exported(api, name)
        assert [row[0] for row in rows] == [row["id"] for row in await listed(api, name)]
        assert rows[0][2:5] == [f"{name}4@example.org", "exact", api.first.domain.name]
        assert [row[2] for row in await exported(api, name, search="3@")] == [f"{name}3@example.org"]
    await api.post(path("blocklist"), json={"patterns": ["*@spam.example"]})
    ((_, on, *shown, _, _),) = await exported(api, "blocklist")
    assert (on, shown[:3]) == ("blocklist", ["*@spam.example", "pattern", "*"])
    assert await exported(api, "on-hold-list") == []


async def test_nobody_puts_a_formula_into_the_file(api: ApiWorld) -> None:
    wrong = ("=1+1@example.org", "+a@example.org", "-a@example.org", "@a")
    for at, address in enumerate(wrong):
        await suppressions.add(
            api.database,
            api.first.account.id,
            f"a{at}@example.org" if address == "@a" else address,
            on="hard_bounces",
            reason="@SUM(1)" if address == "@a" else "=cmd|' /C calc'!A0",
            by=SYSTEM,
        )
    rows = await exported(api, "hard-bounces")
    assert [row[2] for row in rows] == ["a3@example.org", *(f"'{one}" for one in wrong[2::-1])]
    assert {row[6][:2] for row in rows} == {"'@", "'="}


async def test_who_takes_a_list_along_is_told_in_the_audit_log(api: ApiWorld) -> None:
    await exported(api, "spam-complaints", search="ada", domain_id=api.first.domain.id)
    (entry,) = await log(api)
    assert (entry.action, entry.object_name) == ("suppression.exported", "spam_complaints")
    assert entry.after is not None
    assert json.loads(entry.after) == {"search": "ada", "domains": api.first.domain.id}


async def test_a_file_has_only_what_its_reader_may_see(api: ApiWorld) -> None:
    other = await second_domain(api, api.first)
    await added(api.first, "hard-bounces", "ada@example.org")
    await added(api.first, "hard-bounces", "ben@example.org", domain_id=other.id)
    grant = Grant(Role.CUSTOM_USER, frozenset({Permission.READ_SUPPRESSIONS}), frozenset({other.id}))
    person = await api.person(grant=grant)
    answer = await person.get("/v1/suppressions/hard-bounces/export")
    assert "ben@example.org" in answer.text
    assert "ada@example.org" not in answer.text
    blind = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.READ_EMAIL})))
    assert (await blind.get("/v1/suppressions/hard-bounces/export")).status_code == 403
    stranger = await api.tenant()
    assert await exported(stranger, "hard-bounces") == []
    assert (await api.get(f"{path('blocklist')}/export?domain_id={'a' * 16}")).status_code == 422
