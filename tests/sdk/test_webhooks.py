"""Webhooks by the libraries' own methods. A new URL has to answer, so there is a server for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from mailersend import WebhooksBuilder
from mailersend.exceptions import BadRequestError

from postroom.wire.webhooks import TEST_SECRET, signature
from support.http_sink import HttpSink, http_sink
from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import AsyncPythonSdk, PythonSdk
from support.sdk.scene import Scene


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with http_sink() as sink:
        yield sink


def pinged(sink: HttpSink, times: int) -> None:
    """Asked so often, signed as the contract says."""
    assert len(sink.calls) == times
    for call in sink.calls:
        assert json.loads(call.body)["type"] == "webhook.test"
        assert call.headers["signature"] == signature(call.body, TEST_SECRET)


def builder(scene: Scene, sink: HttpSink) -> WebhooksBuilder:
    new = WebhooksBuilder().domain_id(scene.account.domain_id).name("By Python").url(sink.url)
    return new.activity_events().system_events().enabled(True)


def test_python_does_it_all(scene: Scene, sink: HttpSink, python_sdk: PythonSdk) -> None:
    webhooks = python_sdk.client.webhooks
    answer = webhooks.create_webhook(builder(scene, sink).build_webhook_create_request())
    created = answer["data"]
    assert (answer.status_code, created["url"], created["name"]) == (201, sink.url, "By Python")
    assert created["domain"]["id"] == scene.account.domain_id
    pinged(sink, 1)
    listed = webhooks.list_webhooks(
        WebhooksBuilder().domain_id(scene.account.domain_id).build_webhooks_list_request()
    )
    assert created["id"] in {row["id"] for row in listed["data"]}
    one = WebhooksBuilder().webhook_id(created["id"])
    assert webhooks.get_webhook(one.build_webhook_get_request())["data"]["secret"] == created["secret"]
    change = one.copy().name("New").enabled(False).events(["activity.opened"])
    changed = webhooks.update_webhook(change.build_webhook_update_request())["data"]
    assert (changed["name"], changed["enabled"], changed["events"]) == ("New", False, ["activity.opened"])
    pinged(sink, 1)
    moved = webhooks.update_webhook(one.copy().url(f"{sink.url}/2").build_webhook_update_request())["data"]
    assert moved["url"] == f"{sink.url}/2"
    pinged(sink, 2)
    assert webhooks.delete_webhook(one.build_webhook_delete_request()).status_code == 204


def test_the_asynchronous_client(scene: Scene, sink: HttpSink, async_python_sdk: AsyncPythonSdk) -> None:
    request = builder(scene, sink).build_webhook_create_request()

    async def create(client: Any) -> str:
        return str((await client.webhooks.create_webhook(request))["data"]["id"])

    one = WebhooksBuilder().webhook_id(async_python_sdk.run(create)).build_webhook_delete_request()
    gone = async_python_sdk.run(lambda client: client.webhooks.delete_webhook(one))
    assert gone.status_code == 204


def test_a_url_that_does_not_answer_is_an_error_of_the_library(
    scene: Scene, sink: HttpSink, python_sdk: PythonSdk
) -> None:
    sink.status = 404
    with pytest.raises(BadRequestError, match="but it answered 404"):
        python_sdk.client.webhooks.create_webhook(builder(scene, sink).build_webhook_create_request())


def test_node_does_it_all(scene: Scene, sink: HttpSink, node_sdk: NodeSdk) -> None:
    wanted = {
        "url": sink.url,
        "name": "By Node",
        "domain_id": scene.account.domain_id,
        "events": ["activity.sent", "sender_identity.verified"],
        "enabled": True,
        "version": 1,
        "editable": True,
    }
    answer = node_sdk.call("email.webhook.create", wanted)
    created = answer["body"]["data"]
    assert answer["statusCode"] == 201
    assert {name: created[name] for name in wanted if name != "domain_id"} == {
        name: value for name, value in wanted.items() if name != "domain_id"
    }
    pinged(sink, 1)
    listed = node_sdk.call("email.webhook.list", scene.account.domain_id, {"limit": 10, "page": 1})["body"]
    assert created["id"] in {row["id"] for row in listed["data"]}
    assert listed["meta"]["current_page"] == 1
    assert node_sdk.call("email.webhook.single", created["id"])["body"]["data"] == created
    changed = node_sdk.call("email.webhook.update", created["id"], {"name": "New", "enabled": False})
    assert (changed["body"]["data"]["name"], changed["body"]["data"]["enabled"]) == ("New", False)
    assert node_sdk.call("email.webhook.delete", created["id"])["statusCode"] == 204
    with pytest.raises(NodeError) as gone:
        node_sdk.call("email.webhook.single", created["id"])
    assert gone.value.status == 404
