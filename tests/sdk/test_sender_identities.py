"""Sender identities by the libraries' own methods."""

from __future__ import annotations

from typing import Any

import pytest
from mailersend import IdentityBuilder
from mailersend.exceptions import BadRequestError, ResourceNotFoundError

from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import AsyncPythonSdk, PythonSdk
from support.sdk.scene import Scene


def new(scene: Scene, email: str) -> IdentityBuilder:
    builder = IdentityBuilder().domain_id(scene.account.domain_id).name("Ben").email(email)
    return builder.with_reply_to("office@client.example", "Office").enable_personal_note("As we said.")


def test_python_does_it_all(scene: Scene, python_sdk: PythonSdk) -> None:
    identities = python_sdk.client.identities
    answer = identities.create_identity(new(scene, "python@client.example").build_create_request())
    created = answer["data"]
    assert (answer.status_code, created["email"], created["is_verified"]) == (
        201,
        "python@client.example",
        False,
    )
    assert (created["reply_to_name"], created["add_note"], created["resends"]) == ("Office", True, 0)
    assert created["domain"]["id"] == scene.account.domain_id
    listed = identities.list_identities(
        IdentityBuilder().domain_id(scene.account.domain_id).limit(100).build_list_request()
    )
    assert created["id"] in {row["id"] for row in listed["data"]}
    one = IdentityBuilder().identity_id(created["id"])
    assert identities.get_identity(one.build_get_request())["data"] == created
    changed = identities.update_identity(one.copy().name("Benjamin").add_note(False).build_update_request())
    assert (changed["data"]["name"], changed["data"]["add_note"]) == ("Benjamin", True)
    assert identities.delete_identity(one.build_delete_request()).status_code == 204
    with pytest.raises(ResourceNotFoundError):
        identities.get_identity(one.build_get_request())


def test_python_by_the_address(scene: Scene, python_sdk: PythonSdk) -> None:
    identities = python_sdk.client.identities
    request = new(scene, "python+tag@client.example").build_create_request()
    created = identities.create_identity(request)["data"]
    with pytest.raises(BadRequestError, match="The email has already been taken"):
        identities.create_identity(request)
    one = IdentityBuilder().email("python+tag@client.example")
    assert identities.get_identity_by_email(one.build_get_by_email_request())["data"] == created
    change = one.copy().name("Benjamin").build_update_by_email_request()
    assert identities.update_identity_by_email(change)["data"]["name"] == "Benjamin"
    assert identities.delete_identity_by_email(one.build_delete_by_email_request()).status_code == 204
    with pytest.raises(ResourceNotFoundError):
        identities.get_identity_by_email(one.build_get_by_email_request())


def test_the_asynchronous_client(scene: Scene, async_python_sdk: AsyncPythonSdk) -> None:
    request = new(scene, "later@client.example").build_create_request()

    async def create(client: Any) -> str:
        return str((await client.identities.create_identity(request))["data"]["id"])

    one = IdentityBuilder().identity_id(async_python_sdk.run(create)).build_delete_request()
    assert async_python_sdk.run(lambda client: client.identities.delete_identity(one)).status_code == 204


def test_node_does_it_all(scene: Scene, node_sdk: NodeSdk) -> None:
    wanted = {
        "email": "node@client.example",
        "name": "Ben",
        "personal_note": "As we said.",
        "reply_to_email": "office@client.example",
        "reply_to_name": "Office",
        "add_note": True,
    }
    given = wanted | {"domain_id": scene.account.domain_id}
    answer = node_sdk.call("email.identity.create", given)
    created = answer["body"]["data"]
    assert answer["statusCode"] == 201
    assert {name: created[name] for name in wanted} == wanted
    query = {"query": "NODE@", "order_by": "created_at", "order": "desc", "page": 1, "limit": 10}
    listed = node_sdk.call("email.identity.list", query)["body"]
    assert [row["id"] for row in listed["data"]] == [created["id"]]
    assert node_sdk.call("email.identity.single", created["id"])["body"]["data"] == created
    assert node_sdk.call("email.identity.singleByEmail", wanted["email"])["body"]["data"] == created
    again = node_sdk.call("email.identity.resend", created["id"])["body"]["data"]
    assert again["resends"] == 1
    changed = node_sdk.call("email.identity.update", created["id"], {"name": "Benjamin"})["body"]["data"]
    assert changed["name"] == "Benjamin"
    by_email = {"reply_to_name": "O."}
    changed = node_sdk.call("email.identity.updateByEMail", wanted["email"], by_email)["body"]["data"]
    assert changed["reply_to_name"] == "O."
    assert node_sdk.call("email.identity.deleteByEmail", wanted["email"])["statusCode"] == 204
    with pytest.raises(NodeError) as gone:
        node_sdk.call("email.identity.delete", created["id"])
    assert gone.value.status == 404
