"""Templates: made and changed by the API, in versions; what they say is checked when it is said."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update as change_rows

from postroom.store import audit
from postroom.store.schema import templates as table
from postroom.tenancy import templates
from postroom.tenancy.grants import Grant
from postroom.tenancy.templates import MOST, TemplateChange
from postroom.types.actor import SYSTEM
from postroom.types.events import EventType
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from postroom.web.api.json_out import timestamp
from support.api import ApiWorld, Client, Tenant
from support.email_api import body as email_body
from support.sent import ago, happened, second_domain, sent

HTML = '<p>Dear {{ name }},</p><p>order <b>{{ number }}</b> is <a href="{{ url }}">here</a>.</p>'
SAID = "Dear {{ name }},\n\norder {{ number }} is here ({{ url }})."


async def made(client: Client, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/templates", json={"html": HTML, "auto_generate": True} | fields)
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()["data"]
    return shown


async def wrong(client: Client, **fields: Any) -> dict[str, list[str]]:
    answer = await client.post("/templates", json={"html": HTML, "text": "x"} | fields)
    assert answer.status_code == 422, answer.text
    errors: dict[str, list[str]] = answer.json()["errors"]
    return errors


async def log(api: ApiWorld) -> list[str]:
    async with api.database.read() as connection:
        entries = await audit.page(connection, api.first.account.id, action="template.", limit=100)
    return [entry.action for entry in entries]


# -- what there is --------------------------------------------------------------------------------------------------


async def test_a_new_template(api: ApiWorld) -> None:
    fields = {
        "name": "Order",
        "domain_id": api.first.domain.id,
        "categories": ["orders", "shop"],
        "tags": ["order"],
        "subject": "Order {{ number }}",
        "from": {"email": "shop@example.com", "name": "Shop"},
        "translations": {"de": {"subject": "Bestellung {{ nummer }}"}},
    }
    shown = await made(api, **fields)
    assert {name: shown[name] for name in ("name", "tags", "subject", "from", "html")} == {
        name: fields.get(name, HTML) for name in ("name", "tags", "subject", "from", "html")
    }
    assert (shown["type"], shown["text"], shown["version"]) == ("api", SAID, 1)
    assert shown["categories"] == [{"id": "orders", "name": "orders"}, {"id": "shop", "name": "shop"}]
    assert shown["category"] == shown["categories"][0]
    assert shown["variables"]["personalization"] == {"name": "", "number": "", "nummer": "", "url": ""}
    assert shown["translations"]["de"] == {
        "subject": "Bestellung {{ nummer }}",
        "text": None,
        "html": None,
    }
    assert shown["domain"]["id"] == api.first.domain.id
    assert set(shown["template_stats"].values()) == {0, None}
    assert (await api.get(f"/templates/{shown['id']}")).json()["data"] == shown


async def test_rows_of_the_list(api: ApiWorld) -> None:
    first = await made(api, html="<p>Hello</p>")
    second = await made(api, categories=["a"])
    answer = (await api.get("/templates")).json()
    assert {row["id"] for row in answer["data"]} == {first["id"], second["id"]}
    [row] = [row for row in answer["data"] if row["id"] == first["id"]]
    assert row == {
        "id": first["id"],
        "name": "Template",
        "description": None,
        "type": "api",
        "image_path": None,
        "variables": {"variables": [], "personalization": []},
        "created_at": first["created_at"],
        "category": None,
        "categories": [],
    }
    assert answer["links"]["last"] is None


async def test_what_became_of_its_emails(api: ApiWorld) -> None:
    template = await made(api)
    at = ago(api, 500)
    mails = [await sent(api, api.first, 2, template_id=template["id"], at=at - n) for n in range(3)]
    await sent(api, api.first, template_id="a" * 16)
    await happened(api.database, mails[0], EventType.DELIVERED, ago(api, 100), status="delivered")
    await happened(api.database, mails[1], EventType.HARD_BOUNCED, ago(api, 100), status="bounced")
    await happened(api.database, mails[2], EventType.DEFERRED, ago(api, 100), status="deferred")
    stats = (await api.get(f"/templates/{template['id']}")).json()["data"]["template_stats"]
    told = {name: stats[name] for name in ("total", "queued", "sent", "rejected", "delivered", "opened")}
    assert told == {"total": 6, "queued": 3, "sent": 1, "rejected": 1, "delivered": 1, "opened": 0}
    assert stats["last_email_sent_at"] == timestamp(at)


# -- changing -------------------------------------------------------------------------------------------------------


async def test_what_is_absent_stays_as_it_is(api: ApiWorld) -> None:
    old = await made(api, categories=["a"], tags=["t"], subject="One")
    path = f"/templates/{old['id']}"
    answer = await api.put(path, json={"subject": "Two {{ x }}", "name": "New", "text": ""})
    assert answer.status_code == 200
    new = answer.json()["data"]
    assert (new["subject"], new["name"], new["version"]) == ("Two {{ x }}", "New", 2)
    assert {name: new[name] for name in ("html", "text", "tags", "categories")} == {
        name: old[name] for name in ("html", "text", "tags", "categories")
    }
    assert "x" in new["variables"]["personalization"]
    cleared = (await api.put(path, json={"categories": [], "tags": []})).json()["data"]
    assert (cleared["categories"], cleared["tags"], cleared["version"]) == ([], [], 3)
    assert await log(api) == ["template.updated", "template.updated", "template.created"]
    assert (await api.put(path, json={})).json()["data"] == cleared
    assert len(await log(api)) == 3


async def test_the_text_is_made_from_the_html_there_is(api: ApiWorld) -> None:
    template = await made(api, auto_generate=False, text="old")
    path = f"/templates/{template['id']}"
    assert (await api.put(path, json={"auto_generate": True})).json()["data"]["text"] == SAID
    both = {"auto_generate": True, "html": "<p>new</p>", "text": "not this"}
    assert (await api.put(path, json=both)).json()["data"]["text"] == "new"


async def test_only_templates_made_by_the_api_are_updated(api: ApiWorld) -> None:
    template = await made(api)
    async with api.database.write() as connection:
        await connection.execute(change_rows(table).values(type="dd"))
    path = f"/templates/{template['id']}"
    assert (await api.put(path, json={"name": "New"})).status_code == 404
    assert (await api.get(path)).json()["data"]["type"] == "dd"
    assert (await api.delete(path)).status_code == 200


async def test_a_deleted_template(api: ApiWorld) -> None:
    path = f"/templates/{(await made(api))['id']}"
    answer = await api.delete(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "text/html; charset=UTF-8"
    for again in (await api.get(path), await api.put(path, json={}), await api.delete(path)):
        assert again.status_code == 404
    assert await log(api) == ["template.deleted", "template.created"]


async def test_p06_an_edit_in_the_middle_of_a_batch_changes_nothing(api: ApiWorld) -> None:
    template = await made(api, subject="Old")
    await api.changed()
    one = email_body(api, template_id=template["id"], subject=None, text=None)
    before = await api.post("/bulk-email", json=[one])
    assert before.status_code == 202, before.text
    await api.put(f"/templates/{template['id']}", json={"subject": "New"})
    await api.changed()
    while await api.bulk.turn():
        pass
    after = await api.post("/email", json=one)
    [first] = (await api.get(f"/bulk-email/{before.json()['bulk_email_id']}")).json()["data"]["messages_id"]
    subjects = [
        (await api.get(f"/messages/{id_}")).json()["data"]["emails"][0]["subject"]
        for id_ in (first, after.headers["x-message-id"])
    ]
    assert subjects == ["Old", "New"]


async def test_two_changes_at_once_are_both_kept(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody changes the text while the change of the subject is being checked."""
    template = await made(api, subject="One")
    account, checked = api.first.account.id, templates._checked

    async def slowly(content: Any) -> list[str]:
        monkeypatch.setattr(templates, "_checked", checked)
        await templates.update(api.database, account, template["id"], TemplateChange(text="T"), by=SYSTEM)
        return await checked(content)

    monkeypatch.setattr(templates, "_checked", slowly)
    await api.put(f"/templates/{template['id']}", json={"subject": "Two"})
    shown = (await api.get(f"/templates/{template['id']}")).json()["data"]
    assert (shown["subject"], shown["text"], shown["version"]) == ("Two", "T", 3)


# -- what cannot be said --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"html": None}, {"html": "The html field is required. #MS42209"}),
        ({"text": ""}, {"text": "The text field is required. #MS42209"}),
        ({"name": "x" * 51}, {"name": "The name must not be greater than 50 characters."}),
        ({"domain_id": "a" * 16}, {"domain_id": "The selected domain id is invalid."}),
        ({"tags": ["a"] * 6}, {"tags": "The tags must not have more than 5 items."}),
        ({"categories": ["x" * 51]}, {"categories.0": "The categories.0 must not be greater than 50 characters."}),
        ({"from": {"email": "nobody"}}, {"from.email": "The from.email must be a valid email address. #MS42208"}),
        ({"translations": {"d_e": {}}}, {"translations.d_e": "The translations.d_e is invalid: the language must be a code like de or pt-BR."}),
    ],
)  # fmt: skip
async def test_wrong_fields(api: ApiWorld, fields: dict[str, Any], errors: dict[str, str]) -> None:
    assert await wrong(api, **fields) == {field: [text] for field, text in errors.items()}
    assert (await api.get("/templates")).json()["data"] == []


async def test_what_does_not_compile(api: ApiWorld) -> None:
    errors = await wrong(api, html="<p>{{ name </p>", translations={"de": {"text": "{% if %}"}})
    assert set(errors) == {"html", "translations.de.text"}
    for field, [text] in errors.items():
        assert text.startswith(f"The value in {field} failed to compile: line 1: ")
        assert text.endswith(". #MS42213")
    template = await made(api)
    answer = await api.put(f"/templates/{template['id']}", json={"text": "{{ a"})
    assert set(answer.json()["errors"]) == {"text"}
    assert (await api.get(f"/templates/{template['id']}")).json()["data"] == template


async def test_an_account_has_a_limit(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST == 5000
    monkeypatch.setattr(templates, "MOST", 1)
    await made(api)
    answer = await api.post("/templates", json={"html": HTML, "text": "x"})
    assert (answer.status_code, answer.json()["message"]) == (
        422,
        "The account has 1 templates already, and may not have more.",
    )


# -- who ------------------------------------------------------------------------------------------------------------


async def test_h01_templates_of_another_account(api: ApiWorld) -> None:
    other = await api.tenant()
    path = f"/templates/{(await made(api))['id']}"
    assert (await other.get("/templates")).json()["data"] == []
    for answer in (
        await other.get(path),
        await other.put(path, json={"name": "x"}),
        await other.delete(path),
    ):
        assert answer.status_code == 404
    assert (await other.get(f"/templates?domain_id={api.first.domain.id}")).status_code == 422
    assert set(await wrong(other, domain_id=api.first.domain.id)) == {"domain_id"}


async def of(client: Client, query: str = "") -> set[str]:
    return {row["id"] for row in (await client.get(f"/templates{query}")).json()["data"]}


async def test_a_token_for_one_domain(api: ApiWorld) -> None:
    """It sees what all domains may use, and changes only its own."""
    second = await second_domain(api, api.first)
    shared, theirs = (await made(api))["id"], (await made(api, domain_id=api.first.domain.id))["id"]
    client = await api.first.with_token(domain=second.id)
    own = (await made(client, domain_id=second.id))["id"]
    assert await of(client) == {shared, own}
    assert await of(client, f"?domain_id={second.id}") == {own}
    assert (await client.get(f"/templates/{shared}")).status_code == 200
    assert (await client.get(f"/templates/{theirs}")).status_code == 404
    assert (await client.put(f"/templates/{own}", json={"name": "x"})).status_code == 200
    assert (await client.put(f"/templates/{shared}", json={"name": "x"})).status_code == 404
    assert (await client.delete(f"/templates/{shared}")).status_code == 404
    assert set(await wrong(client)) == {"domain_id"}
    assert await of(api) == {shared, theirs, own}


def _designer(tenant: Tenant, *visible: str) -> Grant:
    allowed = {Permission.READ_OWN_TEMPLATES, Permission.MANAGE_TEMPLATE}
    return Grant(Role.CUSTOM_USER, frozenset(allowed), templates=frozenset(visible))


async def test_who_may_see_only_some(api: ApiWorld) -> None:
    seen, hidden = (await made(api))["id"], (await made(api))["id"]
    person = await api.person(grant=_designer(api.first, seen))
    assert {row["id"] for row in (await person.get("/v1/templates")).json()["data"]} == {seen}
    assert (await person.get(f"/v1/templates/{seen}")).status_code == 200
    for request in (person.get, person.delete):
        assert (await request(f"/v1/templates/{hidden}")).status_code == 404
    assert (await person.put(f"/v1/templates/{seen}", json={"name": "x"})).status_code == 200


async def test_who_may(api: ApiWorld) -> None:
    template = await made(api)
    path = f"/templates/{template['id']}"
    reads = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({Permission.READ_ALL_TEMPLATES})))
    assert (await reads.get(f"/v1{path}")).status_code == 200
    assert (await reads.delete(f"/v1{path}")).status_code == 403
    sender = await api.first.with_token(Scope.EMAIL_FULL)
    assert (await sender.get(path)).status_code == 403
