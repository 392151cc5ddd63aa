"""What the libraries make of our refusals: the words reach the user, every wrong field at once."""

from __future__ import annotations

import re
import time

import pytest
from anymail.exceptions import AnymailRequestsAPIError
from mailersend.exceptions import (
    AuthenticationError,
    BadRequestError,
    MailerSendError,
    RateLimitExceeded,
    ResourceNotFoundError,
)

from postroom.types.scopes import Scope
from support.sdk import Contact, File, Mail
from support.sdk.anymail_backend import Anymail
from support.sdk.node import Node, NodeError, NodeSdk
from support.sdk.python_sdk import AsyncPythonSdk, PythonSdk
from support.sdk.scene import ACTIVITY_PER_MINUTE, Scene, add_account, add_token

ANNA = Contact("anna@example.net", "Anna")
UNKNOWN_ID = "0" * 24
STRANGER = Contact("me@stranger.example.org")

NOT_VERIFIED = "The from.email domain must be verified in your account to send emails. #MS42207"
FILE_TYPE = "The attachments.0.filename file type is not supported. #MS42210"

WRONG: dict[str, tuple[Mail, dict[str, str]]] = {
    "sender": (Mail((ANNA,), "Hello", "text", sender=STRANGER), {"from.email": NOT_VERIFIED}),
    "template": (
        Mail((ANNA,), "Hello", template_id="abcdefgh12345678"),
        {"template_id": "The selected template id is invalid."},
    ),
    "duplicate": (
        Mail((ANNA, ANNA), "Hello", "text"),
        {"to.1.email": "anna@example.net is duplicated in the to recipients list. #MS42201"},
    ),
    "personalization": (
        Mail((ANNA,), "Hello", "text", data={STRANGER.email: {"name": "x"}}),
        {"personalization.0.email": "#MS42217"},
    ),
    "syntax": (
        Mail((ANNA,), "Hello", "{% if %}", data={ANNA.email: {"name": "x"}}),
        {"text": "#MS42213"},
    ),
    "several": (
        Mail(
            (ANNA,),
            "Hello",
            "text",
            sender=STRANGER,
            files=(File("virus.exe", b"MZ", "application/octet-stream"),),
            headers={"Message-ID": "mine"},
        ),
        {
            "from.email": NOT_VERIFIED,
            "attachments.0.filename": FILE_TYPE,
            "headers.0.name": "a header that the server sets",
        },
    ),
}


def check(errors: dict[str, list[str]], expected: dict[str, str]) -> None:
    """The fields are those, and each text holds the words."""
    assert set(errors) == set(expected)
    for name, words in expected.items():
        assert words in " ".join(errors[name])


@pytest.mark.parametrize("name", WRONG)
def test_node_is_given_every_wrong_field(name: str, node_sdk: NodeSdk) -> None:
    mail, expected = WRONG[name]
    with pytest.raises(NodeError) as caught:
        node_sdk.send(mail)
    assert caught.value.status == 422
    check(caught.value.body["errors"], expected)
    more = len(expected) - 1
    assert caught.value.body["message"].endswith(f"(and {more} more errors)") == (more > 1)


@pytest.mark.parametrize("name", WRONG)
def test_python_shows_every_wrong_field(
    name: str, python_sdk: PythonSdk, async_python_sdk: AsyncPythonSdk
) -> None:
    mail, expected = WRONG[name]
    for client in (python_sdk, async_python_sdk):
        with pytest.raises(BadRequestError) as caught:
            client.send(mail)
        for field, words in expected.items():
            assert f"{field}: " in str(caught.value)
            assert words in str(caught.value)


@pytest.mark.parametrize("name", [name for name in WRONG if name not in ("duplicate", "personalization")])
def test_anymail_shows_every_wrong_field(name: str, anymail: Anymail) -> None:
    mail, expected = WRONG[name]
    with pytest.raises(AnymailRequestsAPIError) as caught:
        anymail.send(mail)
    assert caught.value.status_code == 422
    check(caught.value.response.json()["errors"], expected)
    for field in expected:
        assert field in str(caught.value)


def test_a_refused_message_is_not_sent_in_part(scene: Scene, node_sdk: NodeSdk) -> None:
    with scene.net.peer("refused.example.net") as peer:
        mail = Mail((Contact("anna@refused.example.net"),), "Never", "text", data={STRANGER.email: {}})
        with pytest.raises(NodeError):
            node_sdk.send(mail)
        assert scene.world.message_ids("Never") == []
        assert peer.messages == []


# -- who may ask, and how often ----------------------------------------------------------------------------------


def test_a_wrong_token_is_an_authentication_error(scene: Scene, node_process: Node) -> None:
    mail, token = Mail((ANNA,), "Hello", "text"), f"mlsn.{'0' * 64}"
    for client in (PythonSdk(scene.url, token), AsyncPythonSdk(scene.url, token)):
        with pytest.raises(AuthenticationError, match=r"Unauthenticated\."):
            client.send(mail)
    with pytest.raises(NodeError) as caught:
        NodeSdk(node_process, scene.url, token).send(mail)
    assert (caught.value.status, caught.value.body) == (401, {"message": "Unauthenticated."})


def test_a_token_without_the_scope_is_told_which_one_it_needs(scene: Scene) -> None:
    client = PythonSdk(scene.url, add_token(scene.world, scene.account.tenant, Scope.ACTIVITY_READ))
    with pytest.raises(BadRequestError, match=re.escape("it needs email_full. #MS40301")):
        client.send(Mail((ANNA,), "Hello", "text"))


@pytest.mark.parametrize(
    "path", [f"messages/{UNKNOWN_ID}", f"activities/{UNKNOWN_ID}", f"message-schedules/{UNKNOWN_ID}"]
)
def test_an_unknown_id_is_a_resource_that_is_not_found(path: str, python_sdk: PythonSdk) -> None:
    with pytest.raises(ResourceNotFoundError, match=r"Resource not found\."):
        python_sdk.client.request("GET", path)


def test_too_many_requests_say_when_to_try_again(scene: Scene, node_process: Node) -> None:
    busy = add_account(scene.world, "busy.example.com")
    now = int(time.time())
    node_sdk = NodeSdk(node_process, scene.url, busy.token)

    query = {"date_from": now - 60, "date_to": now}

    def ask_too_often() -> None:
        """More than a minute allows, and more again, should the first ones have taken longer than that."""
        for _ in range(3 * ACTIVITY_PER_MINUTE):
            node_sdk.call("email.activity.domain", busy.domain_id, query)

    with pytest.raises(NodeError) as caught:
        ask_too_often()
    assert caught.value.status == 429
    assert "#MS42903" in caught.value.body["message"]
    assert 1 <= int(caught.value.headers["retry-after"]) <= 60

    path = f"activity/{busy.domain_id}?date_from={now - 60}&date_to={now}"
    with pytest.raises(RateLimitExceeded, match="#MS42903"):
        AsyncPythonSdk(scene.url, busy.token).run(lambda client: client.request("GET", path))
    with pytest.raises(MailerSendError, match="too many 429"):  # without retries the library tells no more
        PythonSdk(scene.url, busy.token).client.request("GET", path)
