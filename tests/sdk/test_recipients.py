"""Recipients and suppressions by the libraries' own methods."""

from __future__ import annotations

from typing import Any

import pytest
from mailersend import RecipientsBuilder
from mailersend.exceptions import BadRequestError, ResourceNotFoundError

from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import PythonSdk
from support.sdk.scene import Scene

LISTS = ("hard-bounces", "spam-complaints", "unsubscribes")


def ids(answer: Any) -> list[str]:
    return [row["id"] for row in answer["data"]]


@pytest.mark.parametrize("name", LISTS)
def test_python_keeps_the_lists_of_recipients(scene: Scene, python_sdk: PythonSdk, name: str) -> None:
    sdk, word = python_sdk.client.recipients, name.replace("-", "_")
    builder = RecipientsBuilder().domain_id(scene.account.domain_id)
    add = builder.copy().recipients([f"{word}-{n}@python.example.net" for n in range(2)])
    answer = getattr(sdk, f"add_{word}")(add.build_suppression_add_request())
    assert answer.status_code == 201
    first, second = answer["data"]
    assert first["recipient"]["domain"]["id"] == scene.account.domain_id
    listed = getattr(sdk, f"list_{word}")(builder.build_suppression_list_request())
    assert {first["id"], second["id"]} <= set(ids(listed))
    delete = getattr(sdk, f"delete_{word}")
    one = RecipientsBuilder().ids([first["id"]]).build_suppression_delete_request()
    assert delete(one).status_code == 200
    with pytest.raises(BadRequestError, match=r"The selected ids\.0 is invalid"):
        delete(one)
    assert delete(RecipientsBuilder().all().build_suppression_delete_request()).status_code == 200
    assert getattr(sdk, f"list_{word}")()["data"] == []


def test_python_keeps_the_blocklist(scene: Scene, python_sdk: PythonSdk) -> None:
    sdk = python_sdk.client.recipients
    builder = RecipientsBuilder().domain_id(scene.account.domain_id)
    add = builder.copy().add_recipient("a@python.example.net").add_pattern(".*@blocked.example.net")
    exact, pattern = sdk.add_to_blocklist(add.build_suppression_add_request())["data"]
    assert (exact["type"], pattern["type"], pattern["pattern"]) == (
        "exact",
        "pattern",
        "*@blocked.example.net",
    )
    assert ids(sdk.list_blocklist(builder.limit(10).build_suppression_list_request())) == [
        pattern["id"],
        exact["id"],
    ]
    both = RecipientsBuilder().domain_id(scene.account.domain_id).ids([exact["id"], pattern["id"]])
    assert sdk.delete_from_blocklist(both.build_suppression_delete_request()).status_code == 200
    assert sdk.list_on_hold()["data"] == []
    everything = RecipientsBuilder().all().build_suppression_delete_request()
    assert sdk.delete_from_on_hold(everything).status_code == 200


def test_python_reads_recipients(scene: Scene, python_sdk: PythonSdk) -> None:
    sdk = python_sdk.client.recipients
    builder = RecipientsBuilder().domain_id(scene.account.domain_id)
    add = builder.copy().recipients(["known@python.example.net"]).build_suppression_add_request()
    [row] = sdk.add_unsubscribes(add)["data"]
    id_ = row["recipient"]["id"]
    listed = sdk.list_recipients(builder.limit(100).build_recipients_list_request())
    assert id_ in ids(listed)
    one = RecipientsBuilder().recipient_id(id_)
    shown = sdk.get_recipient(one.build_recipient_get_request())["data"]
    assert (shown["email"], shown["emails"]) == ("known@python.example.net", [])
    assert sdk.delete_recipient(one.build_recipient_delete_request()).status_code == 204
    with pytest.raises(ResourceNotFoundError):
        sdk.get_recipient(one.build_recipient_get_request())
    sdk.delete_unsubscribes(RecipientsBuilder().all().build_suppression_delete_request())


@pytest.mark.parametrize("name", ["blocklist", *LISTS])
def test_node_keeps_the_lists(scene: Scene, node_sdk: NodeSdk, name: str) -> None:
    domain = scene.account.domain_id
    wanted = {"domain_id": domain, "recipients": [f"{name}-{n}@node.example.net" for n in range(2)]}
    answer = node_sdk.call("email.recipient.blockRecipients", wanted, name)
    assert answer["statusCode"] == 201
    first, second = ids(answer["body"])
    listed = node_sdk.call("email.recipient.blockList", {"domain_id": domain, "limit": 10}, name)["body"]
    assert ids(listed) == [second, first]
    gone = node_sdk.call("email.recipient.delBlockListRecipients", [first], name, domain)
    assert (gone["statusCode"], gone["body"]) == (200, [])
    assert node_sdk.call("email.recipient.delAllBlockListRecipients", name)["body"] == []
    assert node_sdk.call("email.recipient.blockList", {"page": 1}, name)["body"]["data"] == []


def test_node_reads_recipients(scene: Scene, node_sdk: NodeSdk) -> None:
    wanted = {"domain_id": scene.account.domain_id, "recipients": ["known@node.example.net"]}
    [row] = node_sdk.call("email.recipient.blockRecipients", wanted, "unsubscribes")["body"]["data"]
    id_ = row["recipient"]["id"]
    listed = node_sdk.call("email.recipient.list", {"domain_id": scene.account.domain_id, "limit": 100})
    assert id_ in ids(listed["body"])
    assert node_sdk.call("email.recipient.single", id_)["body"]["data"]["email"] == "known@node.example.net"
    assert node_sdk.call("email.recipient.delete", id_)["statusCode"] == 204
    with pytest.raises(NodeError) as missing:
        node_sdk.call("email.recipient.single", id_)
    assert missing.value.status == 404
    node_sdk.call("email.recipient.delAllBlockListRecipients", "unsubscribes")
