"""What was sent is read back with the libraries, and fits the models they bring along."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from mailersend import ActivityBuilder, EmailsBuilder, MessagesBuilder, SingleActivityBuilder
from mailersend.models.activity import Activity
from mailersend.models.email import EmailActivityEvent, EmailListItem

from support.sdk import Contact, Mail
from support.sdk.node import Nodemailer, NodeSdk
from support.sdk.python_sdk import PythonSdk
from support.sdk.scene import Scene

ANNA = "anna@reading.example.net"
GONE = "gone@nobody.example.net"


@dataclass
class Sent:
    message_id: str
    mail: Mail


@pytest.fixture(scope="module")
def sent(scene: Scene) -> Sent:
    """A message that one recipient got, and that another one's server did not want."""
    mail = Mail(
        (Contact(ANNA, "Anna"), Contact(GONE, "Nobody")),
        "To be read back",
        "text",
        headers={"X-Order": "4711"},
        tags=("reading",),
    )
    unknown = {"RCPT": "550 5.1.1 no such user"}
    with scene.net.peer("reading.example.net"), scene.net.peer("nobody.example.net", unknown):
        message_id = PythonSdk(scene.url, scene.account.token).send(mail)
        scene.world.settled(message_id, "delivered", "bounced")
    return Sent(message_id, mail)


def period() -> tuple[int, int]:
    """The last hour, with this second."""
    now = int(time.time())
    return now - 3600, now


def test_python_reads_messages(scene: Scene, python_sdk: PythonSdk, sent: Sent) -> None:
    listed = python_sdk.client.messages.list_messages(MessagesBuilder().limit(10).build_list_request())
    assert sent.message_id in {row["id"] for row in listed["data"]}
    request = MessagesBuilder().message_id(sent.message_id).build_get_request()
    message = python_sdk.client.messages.get_message(request)["data"]
    assert message["id"] == sent.message_id
    assert message["domain"]["id"] == scene.account.domain_id
    assert {email["status"] for email in message["emails"]} == {"delivered", "rejected"}
    assert {email["subject"] for email in message["emails"]} == {sent.mail.subject}


def test_python_reads_activity(scene: Scene, python_sdk: PythonSdk, sent: Sent) -> None:
    start, end = period()
    builder = ActivityBuilder().domain_id(scene.account.domain_id).date_from(start).date_to(end)
    request = builder.events(["delivered", "hard_bounced"]).limit(100).build_list_request()
    rows = [Activity(**row) for row in python_sdk.client.activities.get(request)["data"]]
    happened = {row.email.recipient.email: row for row in rows if row.email.subject == sent.mail.subject}
    assert {email: row.type for email, row in happened.items()} == {ANNA: "delivered", GONE: "hard_bounced"}
    assert happened[ANNA].email.tags == ["reading"]
    single = SingleActivityBuilder().activity_id(happened[ANNA].id).build_get_request()
    assert Activity(**python_sdk.client.activities.get_single(single)["data"]) == happened[ANNA]


def test_python_reads_emails(scene: Scene, python_sdk: PythonSdk, sent: Sent) -> None:
    start, end = period()
    builder = EmailsBuilder().domain_id(scene.account.domain_id).date_from(start).date_to(end)
    request = builder.message_id(sent.message_id).status(["delivered", "rejected"]).build_list_request()
    rows = [EmailListItem(**row) for row in python_sdk.client.emails.list(request)["data"]]
    emails = {email.to: email for email in rows}
    assert {to: email.status for to, email in emails.items()} == {ANNA: "delivered", GONE: "rejected"}
    assert emails[ANNA].from_email == "hello@shop.example.com"
    assert emails[ANNA].interaction == []
    assert [(header.name, header.value) for header in emails[ANNA].headers or ()] == [("X-Order", "4711")]
    shown = python_sdk.client.emails.get(emails[ANNA].id)["data"]
    assert EmailListItem(**shown).message_id == sent.message_id
    assert shown["recipient"]["email"] == ANNA
    happened = [EmailActivityEvent(**event).type for event in shown["activity"]]
    assert happened == ["queued", "sent", "delivered"]


def test_node_reads_what_python_has_sent(scene: Scene, node_sdk: NodeSdk, sent: Sent) -> None:
    message = node_sdk.call("email.message.single", sent.message_id)["body"]["data"]
    assert len(message["emails"]) == 2
    assert node_sdk.call("email.message.list", {"page": 1, "limit": 10})["body"]["meta"]["current_page"] == 1
    start, end = period()
    query = {"date_from": start, "date_to": end, "limit": 100}
    filters = {"domain_id": scene.account.domain_id, "recipient_email": GONE, "status": ["rejected"]}
    [email] = node_sdk.call("email.list", query | filters)["body"]["data"]
    assert node_sdk.call("email.single", email["id"])["body"]["data"]["recipient"]["email"] == GONE
    events = {"event": ["hard_bounced", "sent"]}
    rows = node_sdk.call("email.activity.domain", scene.account.domain_id, query | events)["body"]["data"]
    mine = {row["type"]: row for row in rows if row["email"]["id"] == email["id"]}
    assert set(mine) == {"hard_bounced", "sent"}
    single = node_sdk.call("email.activity.single", mine["sent"]["id"])["body"]["data"]
    assert single == mine["sent"]


def test_what_came_by_smtp_is_read_like_all_the_rest(
    scene: Scene, nodemailer: Nodemailer, python_sdk: PythonSdk
) -> None:
    mail = Mail((Contact("anna@by-smtp.example.net"),), "By SMTP", "text", tags=("by smtp",))
    with scene.net.peer("by-smtp.example.net"):
        message_id = nodemailer.send(mail)
        scene.world.settled(message_id)
    request = MessagesBuilder().message_id(message_id).build_get_request()
    [email] = python_sdk.client.messages.get_message(request)["data"]["emails"]
    assert (email["subject"], email["status"], email["tags"]) == ("By SMTP", "delivered", ["by smtp"])


def test_the_quota_is_read_and_does_not_count(python_sdk: PythonSdk, node_sdk: NodeSdk) -> None:
    quota = python_sdk.client.api_quota.get_quota()
    assert (quota["quota"], quota["remaining"]) == (-1, -1)
    assert node_sdk.call("others.getApiQuota")["body"] == quota.data
    assert quota.rate_limit_remaining == -1
    assert quota.request_id
