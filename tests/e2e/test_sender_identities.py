"""A sender identity from the first request to the inbox: asked by mail, confirmed in the browser, used over both edges."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.net import small_internet
from support.peer import Peer
from support.process import Relay, starting
from support.waiting import until
from support.world import Tenant, World

BEN = "Ben@client.example"


@dataclass
class Scene:
    relay: Relay
    world: World
    tenant: Tenant
    api: httpx.Client
    receiver: Peer

    def letter(self) -> str:
        """The text of the confirmation mail, in the sandbox inbox."""
        (message_id,) = until(
            lambda: self.world.message_ids("Shop wants to send email from your address"), 20
        )
        ((recipient, content),) = until(lambda: self.world.inbox(message_id), 20)
        assert recipient == BEN
        text = message_from_bytes(content, policy=default).get_body(("plain",))
        assert text is not None
        return str(text.get_content())

    def by_smtp(self, author: str) -> None:
        with self.relay.smtp(*self.tenant.login) as client:
            message = f"From: {author}\r\nTo: bob@x.test\r\nSubject: By SMTP\r\n\r\nHello\r\n"
            client.sendmail("cron@localhost", ["bob@x.test"], message)

    def by_api(self, **more: Any) -> httpx.Response:
        given = {
            "from": {"email": BEN},
            "to": [{"email": "bob@x.test"}],
            "subject": "By API",
            "text": "Hello",
        }
        return self.api.post("/v1/email", json=given | more)

    def arrived(self, subject: str) -> EmailMessage:
        """What the recipient's server has got."""

        def look() -> list[EmailMessage]:
            parsed = [message_from_bytes(one, policy=default) for one in self.receiver.messages]
            return [message for message in parsed if message["Subject"] == subject]

        (message,) = until(look, 20)
        return message


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    data = tmp_path / "data"
    with (
        small_internet() as net,
        net.peer("x.test") as receiver,
        starting(data, "--first-run", settings=net.settings) as relay,
    ):
        world = World.of(data)
        tenant = world.tenant("shop.test", mode="live")
        made = relay.json("token", "add", "--account", tenant.account_id, "--name", "App", "--scope", "all")
        url = f"http://127.0.0.1:{relay.addresses['http']['port']}"
        headers = {"authorization": f"Bearer {made['token']}"}
        with httpx.Client(base_url=url, headers=headers, timeout=30) as api:
            yield Scene(relay, world, tenant, api, receiver)


def test_from_the_request_to_the_inbox(scene: Scene) -> None:
    (domain,) = scene.api.get("/v1/domains").json()["data"]
    created = scene.api.post("/v1/identities", json={"domain_id": domain["id"], "email": BEN})
    assert created.status_code == 201, created.text
    with pytest.raises(smtplib.SMTPDataError, match="from-not-verified"):
        scene.by_smtp(BEN)
    (link,) = re.findall(r"http://\S+/confirm-sender/\S+", scene.letter())
    path = httpx.URL(link).path
    with httpx.Client(base_url=scene.api.base_url, timeout=30) as browser:
        page = browser.get(path)
        assert "<strong>Shop</strong>" in page.text
        assert scene.by_api().status_code == 422  # opening the page confirms nothing
        assert "Thank you" in browser.post(path).text
        assert browser.post(path).status_code == 410
    until(lambda: scene.by_api().status_code == 202, 5)
    scene.by_smtp(f"Ben <{BEN}>")
    with pytest.raises(smtplib.SMTPDataError, match="from-not-verified"):
        scene.by_smtp("anna@client.example")
    for subject in ("By API", "By SMTP"):
        message = scene.arrived(subject)
        assert message["From"].addresses[0].addr_spec == BEN
        assert " d=shop.test;" in " ".join(message["DKIM-Signature"].split())
    assert path.rpartition("/")[2] not in scene.relay.log
