"""Many messages in one request: each is checked by itself, and the report says what became of them."""

from __future__ import annotations

from typing import Any

from support.sdk import Contact, Mail, judge
from support.sdk.anymail_backend import Anymail
from support.sdk.node import NodeSdk
from support.sdk.python_sdk import PythonSdk, request
from support.sdk.scene import DOMAIN, Scene
from support.waiting import until

STRANGER = Contact("me@stranger.example.org")


def mails(domain: str, count: int) -> list[Mail]:
    return [
        Mail((Contact(f"person{number}@{domain}"),), f"Number {number}", "text") for number in range(count)
    ]


def completed(ask: Any) -> dict[str, Any]:
    """The report, once all of it is done."""

    def look() -> Any:
        report = ask()
        return report if report["state"] == "completed" else None

    report: dict[str, Any] = until(look)
    return report


def test_python_sends_in_bulk(scene: Scene, python_sdk: PythonSdk) -> None:
    wanted = mails("python-bulk.example.net", 20)
    with scene.net.peer("python-bulk.example.net") as peer:
        answer = python_sdk.client.emails.send_bulk([request(mail) for mail in wanted])
        assert answer["message"] == "The bulk email is being processed."
        report = completed(lambda: python_sdk.client.emails.get_bulk_status(answer["bulk_email_id"])["data"])
        until(lambda: len(peer.messages) == len(wanted))
    assert report["total_recipients_count"] == len(wanted)
    assert (report["validation_errors_count"], report["validation_errors"]) == (0, None)
    subjects = {scene.world.story(message_id).message.subject for message_id in report["messages_id"]}
    assert subjects == {mail.subject for mail in wanted}


def test_node_is_told_which_message_of_a_bulk_is_wrong(scene: Scene, node_sdk: NodeSdk) -> None:
    good, bad = mails("node-bulk.example.net", 2)
    bad = Mail(bad.to, bad.subject, bad.text, sender=STRANGER)
    with scene.net.peer("node-bulk.example.net") as peer:
        bulk_id = node_sdk.send_bulk([good, bad])["body"]["bulk_email_id"]
        report = completed(lambda: node_sdk.call("email.getBulkStatus", bulk_id)["body"]["data"])
        arrived = judge.letters(peer, good)
    judge.check(good, arrived, {}, scene.world.dkim_records(DOMAIN))
    assert report["validation_errors_count"] == 1
    assert list(report["validation_errors"]) == ["message.1"]
    assert list(report["validation_errors"]["message.1"]) == ["from.email"]
    assert len(report["messages_id"]) == 1


def test_anymail_hides_the_recipients_of_a_batch_from_each_other(scene: Scene) -> None:
    domain = "anymail-bulk.example.net"
    anna, ben = f"anna@{domain}", f"ben@{domain}"
    mail = Mail(
        (Contact(anna), Contact(ben)),
        "Dear {{ name }}",
        "text",
        data={anna: {"name": "Anna"}, ben: {"name": "Ben"}},
    )
    batch = Anymail(scene.url, scene.account.token, batch_send_mode="use-bulk-email")
    with scene.net.peer(domain) as peer:
        status = batch.status(mail)
        arrived = judge.letters(peer, mail)
    assert status.message_id.startswith("bulk:")
    for address, other in ((anna, ben), (ben, anna)):
        assert other.encode() not in arrived[address]
