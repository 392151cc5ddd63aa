"""Real SMTP clients behind one interface, so that every refusal can be tried with each of them.

A client is a function `send(target, mail) -> ClientResult`: it builds the message as a user of that library or program
would, sends it, and says what its user gets to see. What is done about the answer (wait, bounce, give up) is part of it.

python.py     smtplib, aiosmtplib
programs.py   swaks, msmtp
php.py        PHPMailer, Symfony Mailer (phpmailer.php, symfony.php)
relay.py      Postfix as the application's own relay
cases.py      what is tried: acceptance, and each way to be refused
record.py     what the clients showed, and versions.py which clients they were
page.py       docs/clients.md, made of the record and of setup/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import make_msgid
from pathlib import Path
from typing import Literal

Encryption = Literal["starttls", "implicit", "none"]

OUTCOMES = {
    "accepted": "accepted",
    "in part": "accepted for some recipients",
    "refused": "refused; the client gives up",
    "deferred": "the client keeps it and tries again",
    "bounced": "the client returns it to the sender",
    "not sent": "the client does not send it at all",
}


@dataclass(frozen=True, slots=True)
class Target:
    """How a client is set up. Without `authority` it trusts whom the system trusts, without `username` it does not log
    in."""

    port: int
    encryption: Encryption
    authority: Path | None
    username: str
    password: str
    host: str = "localhost"


@dataclass(frozen=True, slots=True)
class Mail:
    """`text` may hold anything; lines end in LF. `sender` is in the envelope and in From. `header` is a field of the
    application's own, its name and its value."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    reply_to: str = ""
    header: tuple[str, str] | None = None
    message_id: str = field(default_factory=lambda: make_msgid(domain="client.test"))

    def raw(self) -> bytes:
        """For clients that take a whole message."""
        fields = {
            "From": self.sender,
            "To": ", ".join(self.recipients),
            "Subject": self.subject,
            "Message-ID": self.message_id,
            "Date": "Mon, 01 Jun 2026 12:00:00 +0000",
            "Reply-To": self.reply_to,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": "8bit",
            **dict([self.header] if self.header else []),
        }
        header = "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
        return f"{header}\n{self.text}".encode()


@dataclass(frozen=True, slots=True)
class ClientResult:
    """`outcome` is one of OUTCOMES, `shown` the words the user gets to see, `queue_id` as the client read it."""

    outcome: str
    shown: str
    queue_id: str = ""
