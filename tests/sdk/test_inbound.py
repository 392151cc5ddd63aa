"""Inbound routes by the libraries' own methods."""

from __future__ import annotations

from typing import Any

import pytest
from mailersend import InboundBuilder
from mailersend.exceptions import BadRequestError
from mailersend.models.inbound import InboundForward

from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import AsyncPythonSdk, PythonSdk
from support.sdk.scene import DOMAIN, INBOUND_HOST, Scene

URL = "https://hooks.example.com/inbound"
CONDITION = {"comparer": "starts-with", "value": "support"}
HEADER = {"comparer": "not-equal", "value": "bulk", "key": "Precedence"}


def builder(scene: Scene, name: str = "By Python") -> InboundBuilder:
    new = InboundBuilder().domain_id(scene.account.domain_id).name(name).disable_domain()
    return new.catch_all().match_all().add_webhook_forward(URL)


def test_python_does_it_all(scene: Scene, python_sdk: PythonSdk) -> None:
    inbound = python_sdk.client.inbound
    new = builder(scene).enable_domain(f"inbound.{DOMAIN}", 5).add_email_forward("ann@example.com")
    new.clear_catch_filters().catch_recipient([CONDITION], "one").clear_match_filters().match_header([HEADER])
    answer = inbound.create(new.build_create_request())
    created = answer["data"]
    assert answer.status_code == 201
    assert created["address"].endswith(f"@{INBOUND_HOST}")
    assert (created["domain"], created["priority"]) == (f"inbound.{DOMAIN}", 5)
    assert created["filters"] == [
        {"type": "catch_recipient", "key": None} | CONDITION,
        {"type": "match_header"} | HEADER,
    ]
    webhook, email = (InboundForward(**forward) for forward in created["forwards"])
    assert (webhook.value, len(webhook.secret)) == (URL, 32)
    assert (email.value, email.secret) == ("ann@example.com", None)
    listed = inbound.list(
        InboundBuilder().domain_id(scene.account.domain_id).page(1).limit(25).build_list_request()
    )
    assert created in listed["data"]
    one = InboundBuilder().inbound_id(created["id"])
    assert inbound.get(one.build_get_request())["data"] == created
    change = builder(scene, "New").inbound_id(created["id"])
    changed = inbound.update(change.build_update_request())["data"]
    assert (changed["name"], changed["domain"], changed["forwards"]) == ("New", None, created["forwards"][:1])
    assert inbound.delete(one.build_delete_request()).status_code == 204


def test_the_asynchronous_client(scene: Scene, async_python_sdk: AsyncPythonSdk) -> None:
    request = builder(scene).build_create_request()

    async def create(client: Any) -> str:
        return str((await client.inbound.create(request))["data"]["id"])

    one = InboundBuilder().inbound_id(async_python_sdk.run(create)).build_delete_request()
    gone = async_python_sdk.run(lambda client: client.inbound.delete(one))
    assert gone.status_code == 204


def test_a_refusal_is_an_error_of_the_library(scene: Scene, python_sdk: PythonSdk) -> None:
    elsewhere = builder(scene).enable_domain("inbound.example.org", 1)
    with pytest.raises(BadRequestError, match=f"must be {DOMAIN} or a name below it"):
        python_sdk.client.inbound.create(elsewhere.build_create_request())


def test_node_does_it_all(scene: Scene, node_sdk: NodeSdk) -> None:
    wanted = {
        "name": "By Node",
        "domain_enabled": False,
        "domain_id": scene.account.domain_id,
        "forwards": [{"type": "webhook", "value": URL}],
        "match_filter": {"type": "match_sender", "filters": [CONDITION]},
        "match_type": "one",
        "catch_filter": {"type": "catch_all"},
    }
    answer = node_sdk.call("email.inbound.create", wanted)
    created = answer["body"]["data"]
    assert answer["statusCode"] == 201
    assert (created["name"], created["enabled"], created["match_type"]) == ("By Node", True, "one")
    assert created["filters"] == [{"type": "match_sender", "key": None} | CONDITION]
    query = {"domain_id": scene.account.domain_id, "limit": 10, "page": 1}
    listed = node_sdk.call("email.inbound.list", query)["body"]
    assert created in listed["data"]
    assert listed["meta"]["current_page"] == 1
    assert node_sdk.call("email.inbound.single", created["id"])["body"]["data"] == created
    changed = node_sdk.call("email.inbound.update", created["id"], {"name": "New", "domain_enabled": False})
    assert changed["body"]["data"] == created | {"name": "New"}
    assert node_sdk.call("email.inbound.delete", created["id"])["statusCode"] == 204
    with pytest.raises(NodeError) as gone:
        node_sdk.call("email.inbound.single", created["id"])
    assert gone.value.status == 404
