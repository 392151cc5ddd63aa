"""The audit log over the API: pages, filters, and all of it as a file."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from postroom.store import audit as store
from postroom.store.audit import Entry
from postroom.tenancy import audit, audit_log
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM, Actor, ActorKind
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from support.api import ApiWorld

ANN = Actor(ActorKind.USER, "u" * 16, "ann@example.com", "192.0.2.7")
THING = "t" * 16
AT = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""


async def written(
    api: ApiWorld, action: str, by: Actor = ANN, account_id: str = "", object_id: str = THING, **change: Any
) -> None:
    async with api.database.write() as connection:
        await audit.record(
            connection,
            by,
            action,
            account_id=account_id or api.first.account.id,
            object_id=object_id,
            name="Thing",
            **change,
        )


async def written_at(api: ApiWorld, at: int) -> None:
    """As somebody did it at that time."""
    entry = Entry(
        account_id=api.first.account.id,
        id=f"{at:012x}{0:012x}",
        at=at,
        actor_kind="user",
        actor_id=ANN.id,
        actor_name=ANN.name,
        client="",
        action="thing.aged",
        object_id=THING,
        object_name="Thing",
        before=None,
        after=None,
    )
    async with api.database.write() as connection:
        await store.add(connection, entry)


async def actions(api: ApiWorld, **query: Any) -> list[str]:
    answer = await api.get("/audit-log", params=query)
    assert answer.status_code == 200, answer.text
    return [one["action"] for one in answer.json()["data"] if one["action"].startswith("thing.")]


async def test_an_entry_tells_who_what_before_and_after(api: ApiWorld) -> None:
    await written(api, "thing.updated", before={"a": 1, "b": "é"}, after={"a": 2, "b": "é"})
    entry = (await api.get("/audit-log")).json()["data"][0]
    assert entry == {
        "id": entry["id"],
        "created_at": entry["created_at"],
        "actor": {"kind": "user", "id": ANN.id, "name": "ann@example.com", "client": "192.0.2.7"},
        "action": "thing.updated",
        "object": {"id": THING, "name": "Thing"},
        "before": {"a": 1},
        "after": {"a": 2},
    }


async def test_what_has_no_id_is_null(api: ApiWorld) -> None:
    await written(api, "thing.made", SYSTEM, object_id="")
    entry = (await api.get("/audit-log")).json()["data"][0]
    assert entry["actor"] == {"kind": "system", "id": None, "name": "Postroom", "client": None}
    assert (entry["object"]["id"], entry["before"], entry["after"]) == (None, None, None)


async def test_pages_with_the_newest_first(api: ApiWorld) -> None:
    for number in range(12):
        await written(api, f"thing.n_{'x' * number}")
    first = await api.get("/audit-log?limit=10")
    lengths = [len(one["action"]) for one in first.json()["data"]]
    assert lengths == list(range(19, 9, -1))
    assert first.json()["meta"]["to"] == 10
    assert first.json()["links"]["next"].endswith("?page=2")
    second = (await api.get("/audit-log?limit=10&page=2")).json()["data"]
    assert [len(one["action"]) for one in second[:2]] == [9, 8]


async def test_filters(api: ApiWorld) -> None:
    await written(api, "thing.made", ANN)
    await written(api, "thing.done", SYSTEM, object_id="o" * 16)
    await written(api, "things.made", ANN)
    await written(api, "thing.kept", Actor(ActorKind.COMMAND, name="root"))
    assert await actions(api) == ["thing.kept", "thing.done", "thing.made"]
    assert await actions(api, action="thing.done") == ["thing.done"]
    assert await actions(api, action="thing.") == ["thing.kept", "thing.done", "thing.made"]
    assert await actions(api, actor=ANN.id) == ["thing.made"]
    assert await actions(api, actor="system") == ["thing.done"]
    assert await actions(api, actor="command") == ["thing.kept"]
    assert await actions(api, object="o" * 16) == ["thing.done"]
    assert await actions(api, object="o" * 16, actor=ANN.id) == []


async def test_a_period_has_its_last_second(api: ApiWorld) -> None:
    for at in (AT - 1, AT, AT + 10_999, AT + 11_000):
        await written_at(api, at)
    seconds = AT // 1000
    assert len(await actions(api, date_from=seconds, date_to=seconds + 10)) == 2
    assert len(await actions(api, date_from="2026-01-01 00:00:00")) == 3
    assert len(await actions(api, date_to="2026-01-01 00:00:10")) == 3
    assert len(await actions(api, date_to=999_999_999_999)) == 4
    assert await actions(api, date_from=999_999_999_999) == []


@pytest.mark.parametrize(
    ("query", "field", "text"),
    [
        ("action=webhook", "action", "The action must look like webhook.updated, or like webhook. for all changes."),
        ("actor=ann", "actor", "The actor must be the id of a user or token, or command or system."),
        ("object=5", "object", "The object must be an id."),
        ("date_from=x", "date_from", "The date from must be a Unix timestamp or a date like 2026-01-31 09:05:00."),
        ("date_from=5&date_to=5", "date_from", "The date from must be less than date to."),
        ("limit=9", "limit", "The limit must be at least 10."),
    ],
)  # fmt: skip
async def test_wrong_questions(api: ApiWorld, query: str, field: str, text: str) -> None:
    answer = await api.get(f"/audit-log?{query}")
    assert (answer.status_code, answer.json()["errors"]) == (422, {field: [text]})


# -- the file -------------------------------------------------------------------------------------------------------


async def test_all_of_it_as_csv(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "PIECE", 2)
    for number in range(5):
        await written(api, f"thing.n_{'x' * number}", after={"text": 'a "b",\nc'})
    answer = await api.get("/audit-log/export?action=thing.")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-log-')
    head, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert head == list(audit_log.COLUMNS)
    entries = [dict(zip(head, row, strict=True)) for row in rows]
    assert [one["action"] for one in entries] == [f"thing.n_{'x' * number}" for number in (4, 3, 2, 1, 0)]
    assert json.loads(entries[0]["after"]) == {"text": 'a "b",\nc'}
    assert (entries[0]["actor_name"], entries[0]["client"]) == ("ann@example.com", "192.0.2.7")
    assert entries[0]["created_at"].endswith("Z")


async def test_all_of_it_as_lines_of_json(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "PIECE", 2)
    for _ in range(4):
        await written(api, "thing.made", after={"text": "é\n"})
    answer = await api.get("/audit-log/export?format=jsonl&action=thing.made")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    page = (await api.get("/audit-log?action=thing.made")).json()["data"]
    assert lines == page
    assert len(lines) == 4


async def test_an_empty_log(api: ApiWorld) -> None:
    assert (await api.get("/audit-log/export?format=jsonl&action=no.such")).text == ""
    assert (await api.get("/audit-log/export?action=no.such")).text == ",".join(audit_log.COLUMNS) + "\r\n"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
async def test_a_spreadsheet_runs_no_formula_of_a_stranger(api: ApiWorld, name: str) -> None:
    await written(api, "thing.made", Actor(ActorKind.TOKEN, "k" * 16, name))
    answer = await api.get("/audit-log/export?action=thing.made")
    row = next(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert row["actor_name"] == f"'{name}"


# -- who may --------------------------------------------------------------------------------------------------------


async def test_h01_of_another_account_nothing_is_told(api: ApiWorld) -> None:
    other = await api.tenant()
    await written(api, "thing.made", account_id=other.account.id)
    await written(api, "thing.made", account_id="-")
    assert await actions(api) == []
    assert "thing.made" not in (await api.get("/audit-log/export")).text


@pytest.mark.parametrize("path", ["/audit-log", "/audit-log/export", "/audit-log?limit=x"])
async def test_h01_who_is_limited_to_domains_does_not_see_it(api: ApiWorld, path: str) -> None:
    limited = await api.first.with_token(Scope.USERS_READ, domain=api.first.domain.id)
    only = Grant(Role.CUSTOM_USER, frozenset({Permission.MANAGE_ACCOUNT}), frozenset({api.first.domain.id}))
    person = await api.person(grant=only)
    for answer in (await limited.get(path), await person.get(f"/v1{path}")):
        assert answer.status_code == 403
        assert answer.json()["message"].startswith("This is about the whole account")


async def test_nobody_can_change_it(api: ApiWorld) -> None:
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await api.request(verb, "/audit-log", json={})).status_code == 405
