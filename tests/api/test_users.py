"""Who looks after an account: listed, changed, removed; never more given than had, and one Admin always left."""

from __future__ import annotations

from typing import Any

import pytest

from postroom.store import audit
from postroom.tenancy import templates
from postroom.tenancy.grants import Grant
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope
from postroom.types.template import TemplateContent, Wording
from postroom.web.api.json_out import timestamp
from support import people
from support.api import ApiWorld

CUSTOM = {"role": "Custom User", "permissions": ["read-email"]}
MORE = {"message": "You cannot give or take what you do not have yourself."}


def custom(*chosen: Permission, domains: frozenset[str] | None = None) -> Grant:
    return Grant(Role.CUSTOM_USER, frozenset(chosen), domains)


async def own_template(api: ApiWorld) -> str:
    content = TemplateContent(Wording("Hello", "Hello", ""))
    return (await templates.create(api.database, api.first.account.id, content, name="Order", by=SYSTEM)).id


async def test_the_shape_of_a_user(api: ApiWorld) -> None:
    template_id, domain = await own_template(api), api.first.domain
    chosen = frozenset({Permission.READ_OWN_TEMPLATES, Permission.READ_EMAIL})
    grant = Grant(Role.CUSTOM_USER, chosen, frozenset({domain.id, "gone" * 4}), frozenset({template_id}))
    user = await people.make(api.database, api.first.account.id, grant, email="anna@example.com")
    shown = (await api.get(f"/users/{user.id}")).json()["data"]
    (template,) = shown.pop("templates")
    assert template.pop("created_at")
    assert template == {"id": template_id, "name": "Order", "description": None, "type": "api"}
    assert shown == {
        "id": user.id,
        "avatar": None,
        "email": "anna@example.com",
        "last_name": "",
        "name": "",
        "2fa": False,
        "created_at": timestamp(1),
        "updated_at": timestamp(1),
        "role": "Custom User",
        "permissions": ["read-own-templates", "read-email"],
        "domains": [
            {
                "id": domain.id,
                "name": domain.name,
                "created_at": timestamp(domain.created_at),
                "updated_at": timestamp(domain.updated_at),
            }
        ],
    }


async def test_users_are_counted_and_of_this_account_only(api: ApiWorld) -> None:
    made = [await people.make(api.database, api.first.account.id) for _ in range(12)]
    await people.make(api.database, (await api.tenant()).account.id)
    answer = (await api.get("/users?limit=10&page=2")).json()
    assert answer["meta"]["total"] == 12
    ids = {user["id"] for user in answer["data"]} | {
        user["id"] for user in (await api.get("/users?limit=10")).json()["data"]
    }
    assert ids == {user.id for user in made}
    assert [user["permissions"] for user in answer["data"]] == [[], []]


async def test_a_role_is_changed_and_what_is_left_out_stays(api: ApiWorld) -> None:
    user = await people.make(api.database, api.first.account.id)
    await people.make(api.database, api.first.account.id)
    path = f"/users/{user.id}"
    body = CUSTOM | {
        "domains": [api.first.domain.id],
        "templates": [],
        "requires_periodic_password_change": True,
    }
    changed = (await api.put(path, json=body)).json()["data"]
    assert (changed["role"], changed["permissions"]) == ("Custom User", ["read-email"])
    assert [domain["id"] for domain in changed["domains"]] == [api.first.domain.id]
    assert (await api.put(path, json={"permissions": ["read-activity"]})).json()["data"].items() >= {
        "role": "Custom User",
        "permissions": ["read-activity"],
        "domains": changed["domains"],
    }.items()
    assert (await api.put(path, json={"domains": []})).json()["data"]["domains"] == []
    manager = (await api.put(path, json={"role": "Manager", "permissions": ["read-email"]})).json()["data"]
    assert (manager["role"], manager["permissions"], manager["domains"]) == ("Manager", [], [])


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"role": "admin"}, {"role": ["The selected role is invalid."]}),
        (
            {"role": "Owner", "templates": []},
            {
                "role": ["The selected role is invalid."],
                "templates": ["Templates require a read own templates permission. #MS42224"],
            },
        ),
        (
            {"role": "Owner", "templates": [], "permissions": ["read-own-templates"]},
            {"role": ["The selected role is invalid."]},
        ),
        (
            CUSTOM | {"permissions": ["read-mind"]},
            {"permissions.0": ["The selected permissions.0 is invalid."]},
        ),
        (
            {"role": "Custom User"},
            {"permissions": ["The permissions field is required when role is custom user. #MS42232"]},
        ),
        (
            {"role": "Custom User", "permissions": [], "templates": ["a" * 16], "domains": ["b" * 16]},
            {
                "permissions": ["The permissions field is required when role is custom user. #MS42232"],
                "templates": ["Templates require a read own templates permission. #MS42224"],
                "domains.0": ["The selected domains.0 is invalid."],
                "templates.0": ["The selected templates.0 is invalid."],
            },
        ),
    ],
)
async def test_what_makes_no_sense_is_told_all_at_once(
    api: ApiWorld, body: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    user = await people.make(api.database, api.first.account.id)
    for answer in (
        await api.put(f"/users/{user.id}", json=body),
        await api.post("/users", json=body | {"email": "new@example.com"}),
    ):
        assert (answer.status_code, answer.json()["errors"]) == (422, errors)


async def test_h01_domains_and_templates_of_others_cannot_be_named(api: ApiWorld) -> None:
    other = await api.tenant()
    body = CUSTOM | {"email": "new@example.com", "domains": [api.first.domain.id, other.domain.id]}
    answer = await api.post("/users", json=body)
    assert answer.json()["errors"] == {"domains.1": ["The selected domains.1 is invalid."]}


async def test_u08_the_last_admin_can_neither_go_nor_change(api: ApiWorld) -> None:
    person = await api.person()
    path = f"/users/{person.user.id}"
    text = "An account needs at least one Admin."
    for client in (api, person):
        prefix = "/v1" if client is person else ""
        changed = await client.put(f"{prefix}{path}", json={"role": "Manager"})
        assert (changed.status_code, changed.json()) == (422, {"message": text, "errors": {"role": [text]}})
        gone = await client.delete(f"{prefix}{path}")
        assert (gone.status_code, gone.json()) == (422, {"message": text, "errors": {"user": [text]}})
    other = await api.person()
    assert (await other.delete(f"/v1{path}")).status_code == 204
    assert (await api.get(path)).status_code == 404
    await api.changed()
    assert (await person.get("/v1/users")).status_code == 403


async def test_u06_nobody_gives_or_takes_more_than_they_have(api: ApiWorld) -> None:
    domain = frozenset({api.first.domain.id})
    admin = await api.person()
    limited = await api.person(grant=custom(Permission.MANAGE_ACCOUNT, Permission.READ_EMAIL, domains=domain))
    peer = await people.make(
        api.database, api.first.account.id, custom(Permission.READ_EMAIL, domains=domain)
    )
    everything = [str(permission) for permission in Permission]
    inside = {"domains": [api.first.domain.id]}
    for body in (
        {"role": "Admin"},
        {"role": "Manager"},
        {"role": "Designer"},
        CUSTOM,  # for all domains
        {"role": "Custom User", "permissions": everything, **inside},
    ):
        path = f"/v1/users/{limited.user.id}"
        assert (await limited.put(path, json={"domains": []} | body)).json() == MORE, body
        invited = await limited.post("/v1/users", json=body | {"email": "friend@example.com"})
        assert (invited.status_code, invited.json()) == (403, MORE), body
    for request in (
        limited.put(f"/v1/users/{admin.user.id}", json=CUSTOM | inside),
        limited.delete(f"/v1/users/{admin.user.id}"),
    ):
        assert (await request).json() == MORE
    assert (await limited.put(f"/v1/users/{peer.id}", json=CUSTOM | inside)).status_code == 200
    assert (await limited.delete(f"/v1/users/{peer.id}")).status_code == 204
    assert (
        await limited.post("/v1/users", json=CUSTOM | inside | {"email": "b@example.com"})
    ).status_code == 201


async def test_a_token_for_one_domain_gives_access_to_that_only(api: ApiWorld) -> None:
    token = await api.first.with_token(Scope.USERS_FULL, domain=api.first.domain.id)
    body = {"email": "a@example.com"}
    assert (await token.post("/users", json=body | {"role": "Admin"})).json() == MORE
    assert (await token.post("/users", json=body | CUSTOM)).json() == MORE
    inside = CUSTOM | {"domains": [api.first.domain.id]}
    assert (await token.post("/users", json=body | inside)).status_code == 201


async def test_u13_every_change_is_told_once(api: ApiWorld) -> None:
    person = await api.person()
    user = await people.make(api.database, api.first.account.id)
    await person.put(f"/v1/users/{user.id}", json={"role": "Manager"})
    await api.delete(f"/users/{user.id}")
    async with api.database.read() as connection:
        entries = await audit.page(connection, api.first.account.id, object_id=user.id, limit=10)
    deleted, updated, _ = entries
    assert (deleted.action, deleted.actor_kind, deleted.actor_id) == (
        "user.deleted",
        "token",
        api.first.token.id,
    )
    assert (updated.action, updated.actor_name) == ("user.updated", person.user.email)
    assert (updated.before, updated.after) == ('{"role": "Admin"}', '{"role": "Manager"}')
