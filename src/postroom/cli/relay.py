"""Talking to a relay as any other client does: over verified TLS, with a login."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

from postroom.cli import running
from postroom.config import Config
from postroom.errors import PostroomError
from postroom.runtime import tls

TIMEOUT = 30.0
_QUEUED_AS = re.compile(r"queued as ([0-9a-f]{24})")


@dataclass(frozen=True, slots=True)
class Relay:
    """Where to connect, and whose certificate is believed. `implicit`: TLS from the first byte."""

    host: str
    port: int
    implicit: bool
    context: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class Accepted:
    """`id` is the message id of the 250; `refused` has the reply for each recipient that was not taken."""

    id: str
    refused: dict[str, str] = field(default_factory=dict)


def find(config: Config) -> Relay:
    """The relay that runs on this data directory."""
    if running.find(config) is None:
        raise PostroomError(
            f"no relay runs on {config.data}: start `postroom serve`, or name one with --server"
        )
    for listener in running.listeners(config):
        host = running.reachable(listener["host"])
        return Relay(host, listener["port"], listener["tls"] == "implicit", _own(config))
    raise PostroomError(
        "the relay that runs on this data directory takes no mail: its roles leave submission out"
    )


def at(config: Config, server: str) -> Relay:
    """A relay by "host:port" (port 465 is implicit TLS); its certificate has to name the host."""
    host, colon, port = server.rpartition(":")
    if not colon or not port.isdigit():
        raise PostroomError(
            f'--server must be "host:port", for example "smtp.example.com:587", not "{server}"'
        )
    context = ssl.create_default_context()
    authority = tls.authority_file(config.data)
    if authority.exists():
        context.load_verify_locations(authority)
    return Relay(host.strip("[]"), int(port), _is_implicit(config, int(port)), context)


def submit(
    relay: Relay, username: str, password: str, message: EmailMessage, sender: str, recipients: list[str]
) -> Accepted:
    """Hand the message over; blocks. Raises PostroomError with the relay's own words when it is not accepted."""
    utf8 = not all(address.isascii() for address in (sender, *recipients))
    content = message.as_bytes(policy=SMTPUTF8 if utf8 else SMTP)
    try:
        with _connect(relay) as client:
            client.login(username, password)
            return _transfer(client, content, sender, recipients, utf8=utf8)
    except ssl.SSLCertVerificationError as error:
        raise PostroomError(
            f"the certificate of {relay.host}:{relay.port} is not valid: {error.verify_message}"
        ) from None
    except smtplib.SMTPResponseException as error:
        raise PostroomError(f"the relay refused: {_reply(error.smtp_code, error.smtp_error)}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise PostroomError(f"the relay at {relay.host}:{relay.port}: {error}") from None


def _connect(relay: Relay) -> smtplib.SMTP:
    if relay.implicit:
        return smtplib.SMTP_SSL(relay.host, relay.port, timeout=TIMEOUT, context=relay.context)
    client = smtplib.SMTP(relay.host, relay.port, timeout=TIMEOUT)
    try:
        client.starttls(context=relay.context)
    except BaseException:
        client.close()
        raise
    return client


def _transfer(
    client: smtplib.SMTP, content: bytes, sender: str, recipients: list[str], *, utf8: bool
) -> Accepted:
    client.ehlo_or_helo_if_needed()
    if utf8:
        client.command_encoding = "utf-8"
    _expect(250, *client.mail(sender, ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []))
    refused = {}
    for recipient in recipients:
        code, text = client.rcpt(recipient)
        if code // 100 != 2:
            refused[recipient] = _reply(code, text)
    if len(refused) == len(recipients):
        raise PostroomError("the relay refused every recipient: " + "; ".join(sorted(set(refused.values()))))
    code, text = client.data(content)
    _expect(250, code, text)
    queued = _QUEUED_AS.search(text.decode("utf-8", "replace"))
    return Accepted(queued[1] if queued else "", refused)


def _expect(wanted: int, code: int, text: bytes) -> None:
    if code != wanted:
        raise smtplib.SMTPResponseException(code, text)


def _reply(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


def _own(config: Config) -> ssl.SSLContext:
    """Believe nobody but our own relay: its address came from our file, so its certificate and not its name counts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if config.tls.certificate is None:
        context.load_verify_locations(tls.authority_file(config.data))
    else:
        chain = config.tls.certificate.read_text("ascii", "replace")
        # Only the first certificate is ours; whoever issued it has issued others, too.
        context.load_verify_locations(cadata=chain[: chain.index("-----END CERTIFICATE-----") + 25])
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


def _is_implicit(config: Config, port: int) -> bool:
    return port == 465 or any(
        listener["port"] == port and listener["tls"] == "implicit" for listener in running.listeners(config)
    )
