"""The same mail with every client: what arrives at the recipient's server is what was asked for."""

from __future__ import annotations

import pytest

from support.sdk import Client, anymail_backend, judge, node, python_sdk
from support.sdk.cases import CASES
from support.sdk.scene import DOMAIN, Scene

CANNOT = {
    "python_sdk": python_sdk.CANNOT,
    "async_python_sdk": python_sdk.CANNOT,
    "anymail": anymail_backend.CANNOT,
    "node_sdk": frozenset[str](),
    "nodemailer": node.BY_SMTP,
}
"""What each library has no way to say."""


def possible(client: str, case: str) -> bool:
    return not CASES[case]("example.net").uses & CANNOT[client]


@pytest.mark.parametrize(
    ("client", "case"), [(client, case) for client in CANNOT for case in CASES if possible(client, case)]
)
def test_what_arrives_is_what_was_asked_for(
    client: str, case: str, scene: Scene, request: pytest.FixtureRequest
) -> None:
    sender: Client = request.getfixturevalue(client)
    domain = f"{client}-{case}.example.net".replace("_", "-")
    wanted = CASES[case](domain)
    with scene.net.peer(domain) as peer:
        message_id = sender.send(wanted.mail)
        arrived = judge.letters(peer, wanted.mail)
    judge.check(wanted.mail, arrived, wanted.wording, scene.world.dkim_records(DOMAIN))
    emails = scene.world.settled(message_id)
    assert sorted(email.email.recipient for email in emails) == sorted(wanted.mail.recipients)
