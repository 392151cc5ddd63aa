"""The log of a process that says all it can: no secret and nobody's words (X02), and a message's id in its lines."""

from __future__ import annotations

import json
import re
import smtplib
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database
from postroom.tenancy import keys
from support.http_sink import HttpSink, http_sink
from support.net import Net, small_internet
from support.peer import Peer
from support.process import Relay, starting
from support.tls import local_tls
from support.waiting import until
from support.world import Tenant, World

DOMAIN, PERSON = "words.test", "anna@example.com"
MAIN, WRONG, NEW, SMART, TYPED = (
    f"{name}Canary4f1c9e77d2" for name in ("main", "wrong", "new", "smart", "typed")
)
WORDS = {
    name: f"{name}Canary83b05ac1"
    for name in ("subject", "body", "variable", "attached", "recipient", "query")
}


@dataclass
class Scene:
    """A relay at `log.level=debug`. `secrets`: what no log may hold, by a name; `said`: what its commands have logged."""

    net: Net
    hook: HttpSink
    relay: Relay
    world: World
    tenant: Tenant
    secrets: dict[str, bytes] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.relay.addresses['http']['tls'][0]['port']}"

    def command(self, *arguments: str, input: str = "") -> dict[str, Any]:
        """The answer of a command with `-v`; what it logs is kept."""
        done = self.relay.command(*arguments, "-v", "--json", input=input)
        assert done.returncode == 0, done.stderr
        self.said.append(done.stderr)
        shown: dict[str, Any] = json.loads(done.stdout)
        return shown

    def keep(self, **secrets: str | bytes) -> None:
        self.secrets |= {
            name: secret.encode() if isinstance(secret, str) else secret for name, secret in secrets.items()
        }

    def lines(self) -> list[dict[str, Any]]:
        written, _, _ = self.relay.log.rpartition("\n")
        return [json.loads(line) for line in written.splitlines()]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    tls = local_tls()
    offers = ("PIPELINING", "8BITMIME", "AUTH PLAIN LOGIN")
    with ExitStack() as stack:
        net, hook = stack.enter_context(small_internet()), stack.enter_context(http_sink())
        smarthost = stack.enter_context(Peer(tls=tls.server, offers=offers))
        net.publish("localhost", A=["127.0.0.1"])
        route = {"domain": "smart.test", "host": "localhost", "port": smarthost.port, "tls": "required"}
        login = {"username": "relay", "password": SMART}
        settings = net.settings | {
            "POSTROOM_LOG__LEVEL": "debug",
            "POSTROOM_DELIVERY__RETRY": '["200ms"]',
            "POSTROOM_DELIVERY__ROUTES": json.dumps([route | login]),
            "POSTROOM_HTTP__TLS_LISTEN": "127.0.0.1:0",
            "POSTROOM_OUTGOING__ALLOW": "127.0.0.1",
            "POSTROOM_OUTGOING__ALLOW_HTTP": "true",
            "POSTROOM_OUTGOING__PORTS": "[]",
            "SSL_CERT_FILE": str(tls.authority),
        }
        data = tmp_path_factory.mktemp("logs") / "data"
        relay = stack.enter_context(starting(data, settings=settings))
        world = World.of(data)
        yield Scene(net, hook, relay, world, world.tenant(DOMAIN, mode="live"))


# -- a message's id -------------------------------------------------------------------------------------------


def test_every_line_about_a_message_has_its_id(scene: Scene) -> None:
    """From the acceptance over the deferral to the delivery; told apart from those of another message."""
    with (
        scene.net.peer("slow.test", {"RCPT": ["450 4.7.1 greylisted"]}),
        scene.relay.smtp(*scene.tenant.login) as client,
    ):
        first, second = (send(client, "you@slow.test") for _ in range(2))
        emails = {message: scene.world.settled(message)[0].email.id for message in (first, second)}
    for message, email in emails.items():
        about = [line for line in scene.lines() if message in line.values() or email in line.values()]
        assert {line["message_id"] for line in about} == {message}
        assert [line["event"] for line in about][:2] == ["accepted", "attempt"]
        assert [line["status"] for line in about if line["event"] == "attempt"][-1] == "delivered"
        assert {line["email_id"] for line in about[1:]} == {email}
    assert "deferred" in [line.get("status") for line in scene.lines()]


def send(client: smtplib.SMTP, recipient: str) -> str:
    """The id of the message."""
    client.mail(f"shop@{DOMAIN}")
    client.rcpt(recipient)
    code, reply = client.data(f"From: shop@{DOMAIN}\r\n\r\nhello\r\n".encode())
    assert code == 250, reply
    return reply.decode().rpartition(" ")[2]


# -- X02 ------------------------------------------------------------------------------------------------------


def test_x02_no_canary_is_in_a_log_that_says_all_it_can(scene: Scene) -> None:
    scene.keep(**WORDS, main=MAIN, wrong=WRONG, new=NEW, smarthost=SMART, typed=TYPED, hash=b"$argon2")
    by_commands(scene)
    by_smtp(scene)
    by_the_api(scene)
    by_a_browser(scene)
    by_faults(scene)
    events = {line["event"] for line in scene.lines()}
    assert {"accepted", "attempt", "request", "messages not stored; answering 451"} <= events
    found = [(name, where) for name, secret in scene.secrets.items() for where in leaks(scene, secret)]
    assert found == []


def leaks(scene: Scene, secret: bytes) -> list[str]:
    """The lines that hold it, as it is or encoded."""
    forms = {form.decode("latin-1") for form in encoded(secret)}
    lines = "\n".join([scene.relay.log, *scene.relay.stdout, *scene.said]).splitlines()
    return [line[:300] for line in lines if any(form in line for form in forms)]


def encoded(secret: bytes) -> Iterator[bytes]:
    """Raw, as hex, and what of its base64 does not depend on the octets around it, wherever it begins."""
    assert len(secret) >= 7, "anything might hold it"
    yield secret
    yield secret.hex().encode()
    for before in range(3):
        whole = b64encode(b"\0" * before + secret)
        yield whole[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]


def test_a_secret_is_found_wherever_it_begins_in_base64() -> None:
    for text in (b"%b", b"\0%b\0", b"ab%bcd", b"user\0name\0%b"):
        assert any(form in b64encode(text % MAIN.encode()) for form in encoded(MAIN.encode()))


def by_commands(scene: Scene) -> None:
    """What is shown once on standard output, and what is asked for on standard input."""
    account = ("--account", scene.tenant.account_id)
    scene.command("user", "add", PERSON, *account, "--role", "Admin", "--password-stdin", input=f"{MAIN}\n")
    user = scene.command("smtp-user", "add", DOMAIN, "--name", "Shop")
    scene.keep(made_password=user["password"])
    token = scene.command("token", "add", *account, "--name", "Shop", "--scope", "all")
    scene.keep(made_token=token["token"])
    scene.command("domain", "add", "second.test", *account, "--trusted")
    for name in (DOMAIN, "second.test"):
        for number, line in enumerate(private_key(scene, name)):
            scene.keep(**{f"dkim_{name}_{number}": line})
    scene.keep(secret_key=(scene.relay.data / "secret.key").read_bytes().strip())


def private_key(scene: Scene, domain: str) -> list[bytes]:
    """The lines of its PEM form."""
    box = SecretBox.load(scene.relay.data / "secret.key")

    async def load(database: Database) -> bytes:
        found = await keys.private_key(database, box, domain)
        assert found is not None
        return found[1]

    return [line for line in scene.world.run(load).splitlines() if len(line) == 64]


def by_smtp(scene: Scene) -> None:
    username, password = scene.tenant.login
    scene.keep(smtp_password=password)
    with scene.relay.smtp() as client:
        client.ehlo()
        said = [base64(f"\0{username}\0{WRONG}"), base64(username), base64(WRONG)]
        assert client.docmd("AUTH", f"PLAIN {said[0]}")[0] == 535
        assert [client.docmd(line)[0] for line in ("AUTH LOGIN", *said[1:])] == [334, 334, 535]
        assert client.docmd("AUTH", f"PLAIN {WRONG}")[0] == 501
        assert client.docmd(TYPED, MAIN)[0] == 500
        client.login(username, password)
        header = f"From: shop@{DOMAIN}\r\nSubject: {WORDS['subject']}\r\n"
        assert (
            client.sendmail(
                f"shop@{DOMAIN}",
                [f"{WORDS['recipient']}@smart.test", f"{WORDS['recipient']}@nowhere.test"],
                f"{header}\r\n{WORDS['body']}\r\n",
            )
            == {}
        )
        for wrong in (f"From: {WORDS['subject']}@other.test\r\n\r\n{WORDS['body']}", f"{WORDS['body']}\r\n"):
            with pytest.raises(smtplib.SMTPDataError):
                client.sendmail(f"shop@{DOMAIN}", [f"{WORDS['recipient']}@smart.test"], wrong)


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def by_the_api(scene: Scene) -> None:
    token = scene.world.token(scene.tenant)
    scene.keep(token=token)
    to = {"email": f"{WORDS['recipient']}@smart.test"}
    email = {
        "from": {"email": f"shop@{DOMAIN}"},
        "to": [to],
        "subject": WORDS["subject"],
        "text": WORDS["body"] + " {{ name }}",
        "personalization": [{**to, "data": {"name": WORDS["variable"]}}],
        "attachments": [{"filename": "a.txt", "content": base64(WORDS["attached"])}],
    }
    with httpx.Client(base_url=scene.url, verify=scene.relay.tls()) as client:
        client.headers["authorization"] = f"Bearer {token}"
        accepted = client.post("/v1/email", json=email)
        assert accepted.status_code == 202, accepted.text
        refused = email | {"text": "{% if " + WORDS["variable"], "to": [{"email": WORDS["recipient"]}]}
        assert client.post("/v1/email", json=refused).status_code == 422
        broken, kind = '{"subject": "' + WORDS["subject"], {"content-type": "application/json"}
        assert client.post("/v1/email", content=broken, headers=kind).status_code == 422
        client.get("/v1/emails", params={"token": WORDS["query"]})
        for wrong in (f"Bearer {WRONG}", f"Basic {base64(WRONG)}", WRONG):
            assert client.post("/v1/email", headers={"authorization": wrong}).status_code == 401
    scene.world.settled(accepted.headers["x-message-id"])


def by_a_browser(scene: Scene) -> None:
    with httpx.Client(base_url=scene.url, verify=scene.relay.tls(), headers={"origin": scene.url}) as browser:
        person = {"email": PERSON, "password": WRONG}
        assert browser.post("/console/session", json=person).status_code == 401
        signed_in = browser.post("/console/session", json=person | {"password": MAIN})
        browser.headers["x-csrf-token"] = csrf = signed_in.json()["data"]["csrf_token"]
        scene.keep(csrf=csrf, cookie=browser.cookies["__Host-postroom"])
        begun = browser.post("/console/second-factor", json={"password": MAIN})
        scene.keep(second_factor=begun.json()["data"]["secret"])
        invite = browser.post("/console/invites", json={"email": "ben@example.com", "role": "Manager"})
        scene.keep(invite=invite.json()["data"]["link"].partition("#")[2])
        domain = next(one for one in browser.get("/v1/domains").json()["data"] if one["name"] == DOMAIN)
        webhook = {
            "url": scene.hook.url,
            "name": "Orders",
            "events": ["activity.sent"],
            "domain_id": domain["id"],
        }
        made = browser.post("/v1/webhooks", json=webhook)
        assert made.status_code == 201, made.text
        scene.keep(webhook=made.json()["data"]["secret"])


def by_faults(scene: Scene) -> None:
    """Writes that the database fails at: what was raised is logged, with all that it was caused by."""
    with httpx.Client(base_url=scene.url, verify=scene.relay.tls(), headers={"origin": scene.url}) as browser:
        assert browser.post("/console/password-resets", json={"email": PERSON}).status_code == 202
        reset = {"token": reset_token(scene), "password": NEW}
        scene.keep(reset=reset["token"])
        with failing(scene, "UPDATE ON users"):
            assert browser.post("/console/password-resets/use", json=reset).status_code == 503
        assert browser.post("/console/password-resets/use", json=reset).status_code == 204
    header = f"From: shop@{DOMAIN}\r\nSubject: {WORDS['subject']}\r\n"
    with failing(scene, "INSERT ON messages"), scene.relay.smtp(*scene.tenant.login) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(
                f"shop@{DOMAIN}", [f"{WORDS['recipient']}@smart.test"], f"{header}\r\n{WORDS['body']}\r\n"
            )
        assert refused.value.smtp_code == 451


@contextmanager
def failing(scene: Scene, write: str) -> Iterator[None]:
    """Such a write fails, as one does on a broken disk."""
    with closing(sqlite3.connect(scene.relay.data / "postroom.db", timeout=30)) as database:
        database.execute(f"CREATE TRIGGER fault BEFORE {write} BEGIN INSERT INTO nowhere VALUES (1); END")
        yield
        database.execute("DROP TRIGGER fault")


def reset_token(scene: Scene) -> str:
    """From the letter, which lies in the sandbox inbox: no mail of Postroom itself can leave yet."""

    def look() -> dict[str, Any] | None:
        letters = scene.relay.json("inbox", "list")
        return next((letter for letter in letters if "/reset#" in text(letter)), None)

    def text(letter: dict[str, Any]) -> str:
        return str(scene.relay.json("inbox", "show", letter["email_id"])["text"])

    letter = until(look)
    assert letter is not None
    return re.findall(r"/reset#([\w-]{43})", text(letter))[0]
