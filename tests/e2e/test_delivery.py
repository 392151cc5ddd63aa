"""From the client to the recipient's server, through the whole process: what arrives, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dkim
import pytest

from postroom.runtime.secrets import SecretBox
from postroom.tenancy import suppressions
from postroom.types.actor import SYSTEM
from postroom.wire import verp
from support import opendkim, postfix
from support.net import Net, small_internet
from support.peer import Drop, Peer, Script, Step
from support.postfix import Postfix
from support.process import Relay, starting
from support.tls import local_tls
from support.waiting import until
from support.world import Tenant, World

BOUNCE_HOST = "bounces.relay.test"
RETRY = {"POSTROOM_DELIVERY__RETRY": '["200ms"]'}

SUBMITTED = (
    b"From: Shop <shop@live.test>\r\n"
    b"To: you@recipient.test\r\n"
    b"Bcc: secret@recipient.test\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Date: Mon, 01 Jun 2026 12:00:00 +0000\r\n"
    b"Message-ID: <as-submitted@live.test>\r\n"
    b"X-Folded: one\r\n\ttwo\r\n   three \r\n"
    b"X-MailerSend-Tags: first, second\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"\r\n"
    b"Gr\xc3\xbc\xc3\x9fe  \r\n.\r\n..two dots\r\n\ttab \r\nFrom the start of a line\r\n\r\n\r\n"
)
OURS = (b"Bcc: secret@recipient.test\r\n", b"X-MailerSend-Tags: first, second\r\n")


@dataclass
class Scene:
    """A relay with one live domain, in a net of its own."""

    net: Net
    relay: Relay
    world: World
    tenant: Tenant

    def send(self, *recipients: str, content: bytes | None = None) -> str:
        """The id of the message that the relay has accepted."""
        sender = f"shop@{self.tenant.domain}"
        content = content or f"From: {sender}\r\nSubject: hello\r\n\r\nhello\r\n".encode()
        with self.relay.smtp(*self.tenant.login) as client:
            client.ehlo()
            assert client.mail(sender, ["BODY=8BITMIME"])[0] == 250
            for recipient in recipients:
                assert client.rcpt(recipient)[0] == 250
            code, reply = client.data(content)
        assert code == 250, reply
        return reply.decode().rpartition(" ")[2]

    def events(self, message_id: str) -> dict[str, list[str]]:
        """By recipient, in their order."""
        emails = self.world.story(message_id).emails
        return {story.email.recipient: [event.type for event in story.events] for story in emails}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    data = tmp_path_factory.mktemp("delivery") / "data"
    with small_internet() as net:
        settings = net.settings | RETRY | {"POSTROOM_SERVER__BOUNCE_HOST": BOUNCE_HOST}
        with starting(data, "--first-run", settings=settings) as relay:
            world = World.of(data)
            yield Scene(net, relay, world, world.tenant("live.test", mode="live"))


@pytest.fixture(scope="module")
def receiver(scene: Scene) -> Iterator[Postfix]:
    """Postfix as the server of recipient.test, with OpenDKIM that judges what comes in."""
    address = scene.net.address()
    scene.net.domain("recipient.test", address)
    with (
        opendkim.verifying(scene.world.dkim_records("live.test")) as milter,
        postfix.receiver("recipient.test", address, scene.net.mx_port, milter) as server,
    ):
        yield server


# -- what arrives --------------------------------------------------------------------------------------------


def test_what_was_submitted_arrives_at_postfix_signed_and_otherwise_unchanged(
    scene: Scene, receiver: Postfix
) -> None:
    message_id = scene.send("you@recipient.test", content=SUBMITTED)
    (email,) = scene.world.settled(message_id)
    (arrived,) = until(receiver.received, what=f"the mailbox has it\n{receiver.log()}")
    theirs, ours, rest = split(arrived)
    expected = SUBMITTED
    for line in OURS:
        expected = expected.replace(line, b"")
    assert rest == expected.replace(b"\r\n", b"\n")
    assert b"Received: by relay.postroom.test (Postroom) with ESMTPSA id" in ours
    assert b"127.0.0.1" not in ours  # where the client sits is nobody's business
    assert return_path(scene, theirs) == (email.email.account_id, email.email.id)
    assert b"dkim=pass" in theirs, theirs.decode()  # OpenDKIM's verdict
    assert dkim_verifies(scene, arrived)
    assert email.attempts[0].tls.startswith("TLSv1.3")
    assert b"TLSv1.3" in theirs


def split(arrived: bytes) -> tuple[bytes, bytes, bytes]:
    """What the receiving server has put on top, what we have, and the rest."""
    at = arrived.index(b"DKIM-Signature:")
    end = arrived.index(b"\nFrom:", at) + 1
    return arrived[:at], arrived[at:end], arrived[end:]


def return_path(scene: Scene, theirs: bytes) -> tuple[str, str] | None:
    path = theirs.split(b"\n")[0].decode().removeprefix("Return-Path: <").removesuffix(">")
    local, _, host = path.partition("@")
    assert host == BOUNCE_HOST
    key = SecretBox.load(scene.relay.data / "secret.key").derive("return paths")
    return verp.parse(key, local.removeprefix(verp.PREFIX))


def dkim_verifies(scene: Scene, arrived: bytes) -> bool:
    records = scene.world.dkim_records("live.test")

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        return records.get(name.decode().rstrip("."), "").encode() or None

    return bool(dkim.verify(arrived.replace(b"\n", b"\r\n"), dnsfunc=look_up))


def test_content_is_the_same_on_the_wire_octet_by_octet(scene: Scene) -> None:
    with scene.net.peer("octets.test") as peer:
        scene.world.settled(scene.send("you@octets.test", content=SUBMITTED))
        (arrived,) = peer.messages
    assert arrived.endswith(SUBMITTED[SUBMITTED.index(b"\r\n\r\n") :])
    assert dkim_verifies(scene, arrived.replace(b"\r\n", b"\n"))


def test_large_content_arrives_whole(scene: Scene) -> None:
    body = b"".join(b"%07d .dots and words to fill a line\r\n" % number for number in range(30_000))
    content = b"From: shop@live.test\r\nSubject: large\r\n\r\n" + body
    with scene.net.peer("large.test") as peer:
        scene.world.settled(scene.send("you@large.test", content=content))
        (arrived,) = peer.messages
    assert arrived.endswith(b"\r\n\r\n" + body)
    assert dkim_verifies(scene, arrived.replace(b"\r\n", b"\n"))


def test_every_recipient_has_a_transaction_and_a_return_path_of_its_own(scene: Scene) -> None:
    recipients = [f"person{number}@many.test" for number in range(3)]
    with scene.net.peer("many.test") as peer:
        scene.world.settled(scene.send(*recipients))
        senders = [command for command in peer.commands if command.startswith("MAIL ")]
        given = [command for command in peer.commands if command.startswith("RCPT ")]
    assert sorted(given) == [f"RCPT TO:<{recipient}>" for recipient in recipients]
    assert len(set(senders)) == 3
    assert all(f"@{BOUNCE_HOST}>" in sender for sender in senders)


def test_a_verified_domain_has_return_paths_of_its_own(scene: Scene) -> None:
    account = scene.tenant.account_id
    added = scene.relay.json("domain", "add", "own.test", "--account", account)
    for record in added["records"]:
        scene.net.publish(record["name"], **{record["type"]: [quoted(record["type"], record["value"])]})
    assert scene.relay.json("domain", "check", "own.test")["verified_at"]
    with scene.net.peer("away.test") as peer:
        content = b"From: shop@own.test\r\n\r\nhello\r\n"
        until(
            lambda: try_send(scene, content, "you@away.test"),
            what="the relay has seen that own.test is verified",
        )
        until(lambda: peer.messages)
    (sender,) = (command for command in peer.commands if command.startswith("MAIL "))
    assert "@mta.own.test>" in sender


def quoted(kind: str, value: str) -> str:
    """A record's value as in a zone file."""
    if kind != "TXT":
        return f"{value}."
    return " ".join(f'"{value[at : at + 250]}"' for at in range(0, len(value), 250))


def try_send(scene: Scene, content: bytes, recipient: str) -> bool:
    with scene.relay.smtp(*scene.tenant.login) as client:
        client.ehlo()
        client.mail("shop@own.test")
        client.rcpt(recipient)
        return client.data(content)[0] == 250


# -- what becomes of it --------------------------------------------------------------------------------------


REPLIES: dict[str, tuple[dict[str, Step], str, list[str]]] = {
    "fine": ({}, "delivered", ["queued", "sent", "delivered"]),
    "greylisted": ({"RCPT": "450 4.7.1 later"}, "delivered", ["queued", "sent", "deferred", "delivered"]),
    "later": ({"DOT": "451 4.3.0 later"}, "delivered", ["queued", "sent", "deferred", "delivered"]),
    "closing": ({"MAIL": "421 4.3.2 closing"}, "delivered", ["queued", "deferred", "sent", "delivered"]),
    "unknown": ({"RCPT": "550 5.1.1 no such user"}, "bounced", ["queued", "sent", "hard_bounced"]),
    "blocked": ({"RCPT": "550 5.7.1 blocked"}, "bounced", ["queued", "sent", "soft_bounced"]),
    "unwanted": ({"DOT": "554 5.6.0 not wanted"}, "bounced", ["queued", "sent", "soft_bounced"]),
    "lost": ({"DOT": Drop()}, "uncertain", ["queued", "sent", "possible_duplicate"]),
    "helo": ({"EHLO": "502 unknown", "DOT": "250"}, "delivered", ["queued", "sent", "delivered"]),
    "octets": ({"RCPT": b"250 \xff\xfe octets\r\n"}, "delivered", ["queued", "sent", "delivered"]),
    "lines": ({"RCPT": "250 one\n250 two\n250 three"}, "delivered", ["queued", "sent", "delivered"]),
    "nonsense": ({"RCPT": b"what?\r\n"}, "delivered", ["queued", "sent", "deferred", "delivered"]),
}
"""What a server says the first time, where the email stands after it (and a second try), and its events."""


@pytest.mark.parametrize("name", REPLIES)
def test_the_reply_decides(scene: Scene, name: str) -> None:
    script, status, events = REPLIES[name]
    domain = f"{name}.reply.test"
    with scene.net.peer(domain, [script, {}]):
        message_id = scene.send(f"you@{domain}")
        (email,) = scene.world.settled(message_id, status)
    assert scene.events(message_id) == {f"you@{domain}": events}
    assert len(email.attempts) == email.email.attempts == (2 if "deferred" in events else 1)
    assert email.email.possible_duplicate == (status == "uncertain")


def test_every_attempt_keeps_its_transcript(scene: Scene) -> None:
    with scene.net.peer("transcript.test", {"RCPT": ["450 4.7.1 greylisted"]}):
        message_id = scene.send("you@transcript.test")
        scene.world.settled(message_id)
    shown = scene.relay.json("message", "show", message_id)
    (email,) = shown["emails"]
    assert email["status"] == email["internal_status"] == "delivered"
    first, second = email["attempts"]
    assert (first["result"], first["code"], second["result"]) == ("deferred", 450, "delivered")
    said = [f"{line['who']}: {line['text']}" for line in first["transcript"]]
    assert "C: RCPT TO:<you@transcript.test>" in said
    assert "S: 450 4.7.1 greylisted" in said
    assert any(line.startswith("*: connecting to mx1.transcript.test [127.0.7.") for line in said)


def test_one_recipients_failure_changes_nothing_for_the_others(scene: Scene) -> None:
    bad: Script = {"RCPT": "550 5.1.1 no such user"}
    full: Script = {"RCPT": ["452 4.2.2 full"] * 99}
    peer = scene.net.peer
    with peer("good.test"), peer("bad.test", bad), peer("full.test", full):
        message_id = scene.send("a@good.test", "b@bad.test", "c@full.test", "d@nowhere.test")
        emails = scene.world.settled(message_id, "delivered", "bounced", "deferred")
    assert [email.email.status for email in emails] == ["delivered", "bounced", "deferred", "bounced"]


def test_the_next_server_takes_what_the_first_cannot(scene: Scene) -> None:
    dead, closing, alive = (scene.net.address() for _ in range(3))
    scene.net.domain("second.test", dead, closing, alive)
    busy = Peer({"CONNECT": ["421 4.3.2 busy"] * 9}, host=closing, port=scene.net.mx_port)
    with busy, Peer(host=alive, port=scene.net.mx_port) as peer:
        message_id = scene.send("you@second.test")
        (email,) = scene.world.settled(message_id)
    assert len(peer.messages) == 1
    assert [attempt.host for attempt in email.attempts] == ["mx3.second.test"]


def test_sent_is_said_once_when_the_first_server_reached_is_reached(scene: Scene) -> None:
    address = scene.net.address()
    scene.net.domain("late.test", address)
    message_id = scene.send("you@late.test")
    scene.world.settled(message_id, "deferred")
    with Peer(host=address, port=scene.net.mx_port):
        scene.world.settled(message_id)
    events = scene.events(message_id)["you@late.test"]
    assert events[0] == "queued"
    assert events[-2:] == ["sent", "delivered"]
    assert set(events[1:-2]) == {"deferred"}


@pytest.mark.parametrize(
    ("zone", "status", "last"),
    [
        ({"MX": ["0 ."]}, "bounced", "hard_bounced"),
        ("NXDOMAIN", "bounced", "hard_bounced"),
        ("SERVFAIL", "deferred", "deferred"),
    ],
    ids=["null-mx", "no-such-domain", "dns-fails"],
)
def test_what_the_dns_says(
    scene: Scene, zone: dict[str, list[str]] | str, status: str, last: str, request: pytest.FixtureRequest
) -> None:
    domain = f"{request.node.callspec.id}.test"
    scene.net.dns.zones[domain] = zone
    message_id = scene.send(f"you@{domain}")
    scene.world.settled(message_id, status)
    assert set(scene.events(message_id)[f"you@{domain}"]) == {"queued", last}


def test_a_suppressed_recipient_is_accepted_and_never_tried(scene: Scene) -> None:
    account = scene.tenant.account_id
    scene.world.run(
        lambda database: suppressions.add(database, account, "gone@good2.test", on="blocklist", by=SYSTEM)
    )
    with scene.net.peer("good2.test") as peer:
        message_id = scene.send("gone@good2.test", "here@good2.test")
        emails = scene.world.settled(message_id, "suppressed", "delivered")
    assert [email.email.status for email in emails] == ["suppressed", "delivered"]
    assert scene.events(message_id)["gone@good2.test"] == ["suppressed"]
    assert len(peer.messages) == 1


def test_nothing_of_a_sandbox_domain_leaves(scene: Scene) -> None:
    tenant = scene.world.tenant("play.test")
    with scene.net.peer("outside.test") as peer:
        with scene.relay.smtp(*tenant.login) as client:
            client.ehlo()
            client.mail("a@play.test")
            client.rcpt("you@outside.test")
            _, reply = client.data(SUBMITTED.replace(b"live.test", b"play.test"))
        message_id = reply.decode().rpartition(" ")[2]
        scene.world.settled(message_id)
        assert peer.connections == []
    assert ("outside.test", "MX") not in scene.net.dns.asked
    assert [recipient for recipient, _ in scene.world.inbox(message_id)] == ["you@outside.test"]


def test_sending_is_paused_and_resumed_by_another_process(scene: Scene) -> None:
    """SMTP accepts as ever; nothing leaves until it is resumed, and nothing is there twice."""
    scene.relay.json("domain", "pause", "live.test")
    with scene.net.peer("paused.test") as peer:
        ids = [scene.send("you@paused.test") for _ in range(3)]
        until(
            lambda: (
                [
                    row["hold"]
                    for row in scene.relay.json("queue", "list")
                    if row["recipient"] == "you@paused.test"
                ]
                == ["paused"] * 3
            ),
            what="all of it is held",
        )
        assert peer.messages == []
        scene.relay.json("domain", "resume", "live.test")
        for message_id in ids:
            scene.world.settled(message_id)
        assert len(peer.messages) == 3
    events = scene.events(ids[-1])["you@paused.test"]
    events = [kind for kind in events if kind in ("held", "released", "delivered")]
    assert events == ["held", "released", "delivered"]  # not once more by a relay that hears of the end late


# -- other settings ------------------------------------------------------------------------------------------


def test_what_cannot_be_delivered_in_its_lifetime_expires(tmp_path: Path) -> None:
    with small_internet() as net, net.peer("never.test", {"RCPT": ["450 4.2.0 not now"] * 99}):
        settings = net.settings | RETRY | {"POSTROOM_DELIVERY__LIFETIME": "1s"}
        with starting(tmp_path / "data", "--first-run", settings=settings) as relay:
            world = World.of(relay.data)
            scene = Scene(net, relay, world, world.tenant("live.test", mode="live"))
            message_id = scene.send("you@never.test")
            (email,) = world.settled(message_id, "expired")
    types = [event.type for event in email.events]
    assert types[:2] == ["queued", "sent"]
    assert types[-1] == "soft_bounced"
    assert '"reason": "expired"' in email.events[-1].detail
    assert set(types[2:-1]) == {"deferred"}
    assert "450" in email.email.reply


@pytest.fixture(scope="module")
def smarthosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, Peer, Peer]]:
    """A relay that brings all mail to a smarthost, by TLS and with a login; but that of one domain to another one."""
    data = tmp_path_factory.mktemp("smarthost") / "data"
    tls = local_tls()
    with small_internet() as net, Peer(tls=tls.server, offers=AUTH) as trusted, Peer(offers=AUTH) as plain:
        net.publish("localhost", A=["127.0.0.1"])
        routes = [route("plain.test", plain.port), route("*", trusted.port)]
        settings = {
            **net.settings,
            "POSTROOM_DELIVERY__RETRY": '["200ms"]',
            "POSTROOM_DELIVERY__ROUTES": f"[{', '.join(routes)}]",
            "SSL_CERT_FILE": str(tls.authority),
        }
        with starting(data, "--first-run", settings=settings) as relay:
            world = World.of(data)
            scene = Scene(net, relay, world, world.tenant("live.test", mode="live"))
            yield scene, trusted, plain


AUTH: Sequence[str] = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN")


def route(domain: str, port: int) -> str:
    return (
        f'{{"domain": "{domain}", "host": "localhost", "port": {port}, "tls": "required",'
        ' "username": "relay", "password": "secret"}'
    )


def test_a_smarthost_gets_everything_by_tls_and_with_a_login(smarthosts: tuple[Scene, Peer, Peer]) -> None:
    scene, trusted, _ = smarthosts
    (email,) = scene.world.settled(scene.send("you@any.test"))
    (conversation,) = trusted.connections
    assert conversation.tls
    assert conversation.verbs[:3] == ["EHLO", "STARTTLS", "EHLO"]
    assert conversation.verbs[3] == "AUTH"
    assert "(verified)" in email.attempts[0].tls
    assert "secret" not in repr(email.attempts[0].transcript)
    assert ("any.test", "MX") not in scene.net.dns.asked


def test_a_smarthost_without_tls_gets_nothing(smarthosts: tuple[Scene, Peer, Peer]) -> None:
    scene, _, plain = smarthosts
    message_id = scene.send("you@plain.test")
    scene.world.settled(message_id, "deferred")
    assert plain.messages == []
    assert not {"AUTH", "MAIL"} & {verb for conversation in plain.connections for verb in conversation.verbs}
