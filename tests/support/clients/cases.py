"""What is tried with each client: acceptance, and each way to be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.clients import Encryption, Mail, Target

MAX_RECIPIENTS = 5
MAX_SIZE = 64 * 1024
SETTINGS = {
    "POSTROOM_SUBMISSION__MAX_RECIPIENTS": str(MAX_RECIPIENTS),
    "POSTROOM_SUBMISSION__MAX_SIZE": str(MAX_SIZE),
    "POSTROOM_SUBMISSION__FAILED_LOGINS": "1000",
    "POSTROOM_DATABASE__TIMEOUT": "300ms",
    "POSTROOM_PLANS__SLOW__MESSAGES_PER_MINUTE": "1",
}
TEXT = "Grüße aus der Werkstatt.\n.\n..\nA line that begins with a dot is the one above.\n"
"""Dots alone on a line, and octets above 127: what a careless relay would spoil."""


@dataclass(frozen=True, slots=True)
class Case:
    """`rule` is what the relay refuses with; empty when it refuses nothing, or never gets to see the mistake.

    `login` names one of the SMTP users of the test; an `anonymous` client has none. A `patient` case waits for a
    time-out.
    """

    title: str
    rule: str = ""
    login: str = "app"
    anonymous: bool = False
    password: str = ""
    sender_domain: str = ""
    encryption: Encryption = "starttls"
    port: Encryption = "starttls"
    trusted: bool = True
    recipients: int = 1
    reply_to: str = ""
    header: tuple[str, str] | None = None
    text: str = TEXT
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    password: str
    domain: str


CASES = {
    "accepted": Case("Accepted, over STARTTLS"),
    "accepted-implicit": Case("Accepted, over implicit TLS", encryption="implicit", port="implicit"),
    "no-encryption": Case("No encryption is set", "tls-required", encryption="none"),
    "implicit-on-starttls-port": Case(
        "Implicit TLS is set, and the port is the one for STARTTLS", encryption="implicit"
    ),
    "starttls-on-implicit-port": Case(
        "STARTTLS is set, and the port is the one for implicit TLS",
        "plain-on-tls-port",
        port="implicit",
        patient=True,
    ),
    "unknown-authority": Case("The relay's certificate is not trusted", trusted=False),
    "bad-password": Case("The password is wrong", "auth-failed", password="not-the-password"),
    "user-off": Case("The SMTP user is switched off", "smtp-user-disabled", login="off"),
    "no-login": Case("No login is set", "auth-required", anonymous=True),
    "smtp-off": Case("SMTP is switched off for the domain", "domain-smtp-disabled", login="smtp-off"),
    "elsewhere": Case(
        "The login may be used from other addresses only", "address-not-allowed", login="elsewhere"
    ),
    "logins-fail": Case("The relay cannot check logins", "login-unavailable", login="unread"),
    "unapproved": Case("The account is not approved", "account-unapproved", login="unapproved"),
    "suspended": Case("The account is suspended", "account-suspended", login="suspended"),
    "from": Case("The domain in From is not verified", "from-not-verified", sender_domain="stranger.test"),
    "quota": Case("The daily quota is used up", "daily-quota", login="quota"),
    "rate": Case("Messages come faster than the plan allows", "rate-limit", login="slow"),
    "reply-to": Case("Reply-To is broken", "reply-to-invalid", reply_to="support at example"),
    "recipients": Case("Too many recipients", "too-many-recipients", recipients=MAX_RECIPIENTS + 2),
    "size": Case("The message is too big", "message-too-big", text="0123456789abcde\n" * (MAX_SIZE // 15)),
    "bare-cr": Case("A CR without LF in the message", "bare-cr", text="one\rtwo\n"),
    "nul": Case("A NUL in the message", "nul-in-content", text="one\0two\n"),
    "long-line": Case("A line of 1,500 characters", "line-too-long", text="0123456789" * 150 + "\n"),
    "header": Case(
        "A header field with a space in its name",
        "header-invalid",
        header=("X Mailer", "shop"),
        text="hello\n",
    ),
    "storage": Case("The relay cannot store the message", "storage-unavailable"),
}


def build(
    client: str, name: str, logins: Mapping[str, Login], ports: Mapping[str, int], authority: Path
) -> tuple[Target, Mail]:
    """How this client is set up for this case, and what it sends. The subject tells them all apart."""
    case = CASES[name]
    login = logins[case.login]
    target = Target(
        ports[case.port],
        case.encryption,
        authority if case.trusted else None,
        "" if case.anonymous else login.username,
        "" if case.anonymous else case.password or login.password,
    )
    numbers = range(1, case.recipients + 1)
    mail = Mail(
        f"{name}@{case.sender_domain or login.domain}",
        tuple(f"person{number}@{name}.recipient.test" for number in numbers),
        f"{client} {name}",
        case.text,
        case.reply_to,
        case.header,
    )
    return target, mail
