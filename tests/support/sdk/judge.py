"""What arrived, compared with what was asked for: nothing missing, nothing added, nothing shown to the wrong people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import default as policy
from typing import cast

import dkim

from support.peer import Peer
from support.sdk import Contact, File, Mail
from support.sdk.cases import Wording
from support.waiting import until


def letters(peer: Peer, mail: Mail) -> dict[str, bytes]:
    """Content by recipient, once everybody has his copy. Fails if somebody else has one, too."""
    wanted = len(mail.recipients)
    until(lambda: len(peer.messages) >= wanted, what=f"{wanted} copies have arrived")
    found: dict[str, bytes] = {}
    for conversation in peer.connections:
        told = [_address(command) for command in conversation.commands if command.startswith("RCPT ")]
        found |= zip(told, conversation.messages, strict=False)
    assert len(peer.messages) == wanted
    assert set(found) == set(mail.recipients)
    return found


def check(
    mail: Mail, arrived: Mapping[str, bytes], wording: Mapping[str, Wording], keys: Mapping[str, str]
) -> None:
    """`wording` is what a recipient should read where it is not what the mail says; `keys` are DKIM records by name."""
    identities = set()
    for recipient, content in arrived.items():
        message = cast(EmailMessage, message_from_bytes(content, policy=policy))
        check_header(mail, message)
        check_content(message, wording.get(recipient, Wording(mail.subject, mail.text, mail.html)))
        check_files(mail.files, message)
        assert verifies(content, keys), f"no good signature:\n{content.decode('utf-8', 'replace')}"
        identities.add(message["Message-ID"])
    assert len(identities) == 1


def check_header(mail: Mail, message: EmailMessage) -> None:
    assert mail.sender is not None
    assert contacts(message, "From") == [mail.sender]
    assert contacts(message, "To") == list(mail.to)
    assert contacts(message, "Cc") == list(mail.cc)
    assert contacts(message, "Reply-To") == ([mail.reply_to] if mail.reply_to is not None else [])
    assert message["Bcc"] is None
    for contact in (*mail.bcc, *mail.rcpt_to):
        assert contact.email not in str(message), "somebody can see who got it, too"
    for name, value in mail.headers.items():
        assert message.get_all(name) == [value]
    assert message["In-Reply-To"] == (f"<{mail.in_reply_to}>" if mail.in_reply_to else None)
    assert (message["References"] or "").split() == [f"<{reference}>" for reference in mail.references]
    assert message["Precedence"] == ("bulk" if mail.bulk else None)
    assert message["List-Unsubscribe"] == (mail.list_unsubscribe or None)
    assert message["Date"] is not None
    assert message["X-MailerSend-Tags"] is None


def check_content(message: EmailMessage, expected: Wording) -> None:
    assert message["Subject"] == expected.subject
    assert body(message, "plain") == expected.text
    assert body(message, "html") == expected.html


def check_files(files: Sequence[File], message: EmailMessage) -> None:
    """Attachments and inline files, whole and under their names. The HTML has to find what is inline."""
    found = [part for part in message.walk() if part.get_filename() is not None]
    shown = {
        File(
            str(part.get_filename()),
            cast(bytes, part.get_payload(decode=True)),
            part.get_content_type(),
            str(part["Content-ID"] or "").strip("<>"),
        )
        for part in found
    }
    assert shown == set(files)
    assert len(found) == len(files)
    for part in found:
        assert part.get_content_disposition() == ("inline" if part["Content-ID"] else "attachment")


def contacts(message: EmailMessage, name: str) -> list[Contact]:
    """Those in a field of addresses."""
    field = cast(AddressHeader | None, message[name])
    return (
        [] if field is None else [Contact(found.addr_spec, found.display_name) for found in field.addresses]
    )


def body(message: EmailMessage, kind: str) -> str:
    """Its text in one of the two forms, with lines that end in LF; "" if there is none."""
    part = cast(EmailMessage | None, message.get_body((kind,)))
    return "" if part is None else part.get_content().replace("\r\n", "\n").rstrip("\n")


def verifies(content: bytes, keys: Mapping[str, str]) -> bool:
    """Whether there is a good DKIM signature."""

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        return keys.get(name.decode().rstrip("."), "").encode() or None

    return bool(dkim.verify(content, dnsfunc=look_up))


def _address(command: str) -> str:
    """`RCPT TO:<anna@example.net> NOTIFY=NEVER`"""
    return command.partition("<")[2].partition(">")[0]
