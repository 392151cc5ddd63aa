"""Recipients on a suppression list: the others get their copy, and the library tells who does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anymail.exceptions import AnymailRecipientsRefused

from postroom.tenancy import suppressions
from postroom.tenancy.suppressions import Terms
from postroom.types.actor import SYSTEM
from postroom.types.suppression import SuppressionList
from support.peer import Peer
from support.sdk import Contact, Mail
from support.sdk.anymail_backend import Anymail
from support.sdk.node import NodeSdk
from support.sdk.python_sdk import PythonSdk
from support.sdk.scene import Scene

ANNA = Contact("anna@suppressed.example.net", "Anna")
BOUNCED = Contact("bounced@suppressed.example.net", "Ben")
BLOCKED = Contact("blocked@suppressed.example.net")


@pytest.fixture(scope="module", autouse=True)
def peer(scene: Scene) -> Iterator[Peer]:
    """The recipients' server; two of them are on lists."""
    account = scene.account.tenant.account_id
    for contact, name in ((BOUNCED, SuppressionList.HARD_BOUNCES), (BLOCKED, SuppressionList.BLOCKLIST)):
        terms = Terms(name, reason="test")
        scene.world.run(
            lambda db, to=contact.email, terms=terms: suppressions.put(db, account, [to], terms, by=SYSTEM)
        )
    with scene.net.peer("suppressed.example.net") as peer:
        yield peer


def some() -> Mail:
    return Mail((ANNA, BOUNCED), "For some", "text", bcc=(BLOCKED,))


def nobody() -> Mail:
    return Mail((BOUNCED,), "For nobody", "text", bcc=(BLOCKED,))


def test_node_is_warned(scene: Scene, peer: Peer, node_sdk: NodeSdk) -> None:
    answer = node_sdk.answer(some())
    scene.world.settled(answer["headers"]["x-message-id"], "delivered", "suppressed")
    assert {command for command in peer.commands if command.startswith("RCPT")} == {f"RCPT TO:<{ANNA.email}>"}
    assert answer["statusCode"] == 202
    [warning] = answer["body"]["warnings"]
    assert warning["type"] == "SOME_SUPPRESSED"
    assert warning["recipients"] == [
        {"email": BOUNCED.email, "name": "Ben", "reasons": ["hard_bounced"]},
        {"email": BLOCKED.email, "name": None, "reasons": ["blocklisted"]},
    ]


def test_node_is_told_that_nobody_is_left(node_sdk: NodeSdk) -> None:
    answer = node_sdk.answer(nobody())
    assert answer["statusCode"] == 202
    assert "x-message-id" not in answer["headers"]
    assert [warning["type"] for warning in answer["body"]["warnings"]] == ["ALL_SUPPRESSED"]


def test_anymail_tells_each_recipients_status(scene: Scene, anymail: Anymail) -> None:
    status = anymail.status(some())
    scene.world.settled(status.recipients[ANNA.email].message_id, "delivered", "suppressed")
    assert {address: one.status for address, one in status.recipients.items()} == {
        ANNA.email: "queued",
        BOUNCED.email: "rejected",
        BLOCKED.email: "rejected",
    }


def test_anymail_refuses_when_nobody_is_left(anymail: Anymail) -> None:
    with pytest.raises(AnymailRecipientsRefused):
        anymail.send(nobody())


def test_python_has_no_id_when_nobody_is_left(python_sdk: PythonSdk) -> None:
    assert python_sdk.send(nobody()) == "None"
