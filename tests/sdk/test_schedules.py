"""Messages for later: sent at their time, listed until then, and taken back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from mailersend import SchedulesBuilder
from mailersend.exceptions import ResourceNotFoundError

from support.sdk import Client, Contact, Mail, judge
from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import PythonSdk
from support.sdk.scene import DOMAIN, Scene
from support.waiting import until

TOO_LATE = (
    "This message is scheduled to be sent shortly or has already been sent, it's not possible to delete it."
)
HOUR = 3600


def later(seconds: int, at: str = "later.example.net") -> Mail:
    return Mail((Contact(f"anna@{at}"),), "For later", "text", send_at=int(time.time()) + seconds)


def listed(node_sdk: NodeSdk, **query: Any) -> set[str]:
    rows = node_sdk.call("email.schedule.list", {"page": 1, "limit": 100} | query)["body"]["data"]
    return {row["message_id"] for row in rows}


@pytest.mark.parametrize("client", ["python_sdk", "anymail", "node_sdk"])
def test_a_message_is_sent_at_its_time(
    client: str, scene: Scene, node_sdk: NodeSdk, request: pytest.FixtureRequest
) -> None:
    sender: Client = request.getfixturevalue(client)
    domain = f"{client}-soon.example.net".replace("_", "-")
    mail = later(2, domain)
    with scene.net.peer(domain) as peer:
        message_id = sender.send(mail)
        arrived = judge.letters(peer, mail)
    assert mail.send_at is not None
    assert time.time() >= mail.send_at
    judge.check(mail, arrived, {}, scene.world.dkim_records(DOMAIN))
    until(lambda: message_id in listed(node_sdk, status="sent"))


def test_python_takes_a_message_back(scene: Scene, python_sdk: PythonSdk) -> None:
    schedules = python_sdk.client.schedules
    mail = later(HOUR)
    message_id = python_sdk.send(mail)
    of_domain = SchedulesBuilder().domain_id(scene.account.domain_id).scheduled_only().limit(100)
    rows = {
        row["message_id"]: row for row in schedules.list_schedules(of_domain.build_list_request())["data"]
    }
    assert mail.send_at is not None
    when = datetime.fromtimestamp(mail.send_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    assert rows[message_id] | {"created_at": ""} == {
        "message_id": message_id,
        "subject": "For later",
        "send_at": when,
        "status": "scheduled",
        "status_message": None,
        "created_at": "",
    }
    one = SchedulesBuilder().message_id(message_id)
    shown = schedules.get_schedule(one.build_get_request())["data"]
    assert (shown["domain"]["name"], shown["message"]["id"]) == (DOMAIN, message_id)
    assert schedules.delete_schedule(one.build_delete_request()).status_code == 204
    assert {email.email.status for email in scene.world.settled(message_id, "cancelled")} == {"cancelled"}
    with pytest.raises(ResourceNotFoundError, match=TOO_LATE):
        schedules.delete_schedule(one.build_delete_request())


def test_node_takes_a_message_back(scene: Scene, node_sdk: NodeSdk) -> None:
    message_id = node_sdk.send(later(HOUR))
    assert node_sdk.call("email.schedule.single", message_id)["body"]["data"]["status"] == "scheduled"
    assert node_sdk.call("email.schedule.delete", message_id)["statusCode"] == 204
    assert message_id not in listed(node_sdk)
    with pytest.raises(NodeError) as caught:
        node_sdk.call("email.schedule.delete", message_id)
    assert (caught.value.status, caught.value.body) == (404, {"message": TOO_LATE})


@pytest.mark.parametrize("seconds", [-HOUR, 73 * HOUR])
def test_a_time_that_is_past_or_too_far_is_refused(seconds: int, node_sdk: NodeSdk) -> None:
    with pytest.raises(NodeError) as caught:
        node_sdk.send(later(seconds))
    assert caught.value.status == 422
    assert list(caught.value.body["errors"]) == ["send_at"]
