"""What is fuzzed: functions from bytes to nothing, which raise when a property of `wire` does not hold.

The first octet of an input says where the rest is cut in pieces: nothing may depend on how bytes arrive. Each target
comes with the words of its language, so that a fuzzer gets behind the first check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.envelope import Address
from postroom.types.reply import Reply
from postroom.wire import dkim, verp
from postroom.wire.mime.addresses import Mailbox, read_addresses
from postroom.wire.mime.encoded_words import display
from postroom.wire.mime.header import Header, read_header
from postroom.wire.mime.message_id import valid_message_id
from postroom.wire.smtp.address import parse_path
from postroom.wire.smtp.client import ClientSession, SendContent, StartTls
from postroom.wire.smtp.client_commands import Needs, OneRecipient
from postroom.wire.smtp.data import DataScanner
from postroom.wire.smtp.dot_stuffing import UnsafeContentError, stuffed
from postroom.wire.smtp.reply_reader import ReplyReader
from postroom.wire.smtp.settings import ServerSettings
from support.smtp_owner import new_owner, owner_in_data

LIMITS = ServerSettings("relay.example.com", max_size=5000, max_header_size=1024)
KEY = b"k" * 32
ENVELOPE = OneRecipient("sender@a.test", Address("you", "b.test"))


def pieces(data: bytes) -> list[bytes]:
    """Cut by the first octet: its value is the length of each piece; 0 is one piece."""
    size, rest = (data[0], data[1:]) if data else (0, b"")
    return [rest[at : at + size] for at in range(0, len(rest), size)] if size else [rest]


def server_session(data: bytes) -> None:
    """Whatever comes, the server answers in proper lines, keeps clean content only, and lets nobody in unasked."""
    owner = new_owner(tls=bool(data[:1] and data[0] & 1))
    said = b"".join(owner.feed(piece) for piece in pieces(data) if not owner.closed)
    assert said.count(b"\r") == said.count(b"\n") == said.count(b"\r\n"), said
    for line in said.split(b"\r\n")[:-1]:
        assert len(line) <= 512, line
        assert line[:3].isdigit(), line
        assert line[3:4] in (b" ", b"-", b""), line
    assert not owner.envelopes or owner.logins
    for content in owner.kept:
        assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
        assert b"\0" not in content


def server_data(data: bytes) -> None:
    """How the stream is cut makes no difference, and a message ends where an independent look finds the end."""
    rest = b"".join(pieces(data))
    whole, cut = DataScanner(LIMITS), DataScanner(LIMITS)
    one = whole.feed(rest) if rest else b""
    many = bytearray()
    left = pieces(data)
    while left and not cut.finished:
        if piece := left.pop(0):
            many += cut.feed(piece)
    end = (b"\r\n" + rest).find(b"\r\n.\r\n")
    assert whole.finished == cut.finished == (end >= 0)
    assert (whole.refused is None) == (cut.refused is None)
    if whole.finished:
        assert whole.rest == cut.rest + b"".join(left) == rest[end + 3 :]
    if whole.finished and whole.refused is None:
        assert one == many
        assert (whole.size, whole.header_size, whole.eight_bit) == (cut.size, cut.header_size, cut.eight_bit)
        assert whole.size == len(one)
        assert one.count(b"\n") == one.count(b"\r\n") == one.count(b"\r")
        assert b"\0" not in one


def server_smuggling(data: bytes) -> None:
    """S01: inside data nothing becomes a command before the one true end."""
    owner = owner_in_data()
    rest = b"".join(pieces(data))
    if b"\r\n.\r\n" in b"\r\n" + rest:
        return
    for piece in pieces(data):
        assert not owner.feed(piece)
    assert not owner.kept


def client_replies(data: bytes) -> None:
    whole = ReplyReader().feed(b"".join(pieces(data)))
    reader = ReplyReader()
    many = [reply for piece in pieces(data) for reply in reader.feed(piece)]
    # Of nonsense only that it is some: what is shown of it is what had come.
    assert [reply if isinstance(reply, Reply) else "bad" for reply in whole] == [
        reply if isinstance(reply, Reply) else "bad" for reply in many
    ]


def client_session(data: bytes) -> None:
    """Whatever a server says, what we say is proper, and content goes out only after a 354 to our DATA."""
    session = ClientSession("me.test", tls="opportunistic", login=None)
    begun = False
    for piece in pieces(data):
        if session.closed:
            break
        event = session.receive(piece)
        if isinstance(event, StartTls):
            session.tls_started()
        elif isinstance(event, SendContent):
            assert b"354" in data
            session.content_sent(10)
        elif event is not None and not begun and not session.closed and session.awaiting is None:
            begun = True
            session.begin(ENVELOPE, Needs(10, False, False))
        said = session.take_output()
        assert said.count(b"\r") == said.count(b"\n") == said.count(b"\r\n"), said
    session.take_trace()


def mime_header(data: bytes) -> None:
    """S12: what is understood is what was there, octet for octet."""
    header = read_header(data)
    if isinstance(header, Header):
        assert bytes(header) == data
        for field in header:
            assert b":" not in field.name
            assert field.name == field.name.lower()
            assert b"\n" not in field.unfolded
            assert b"\r" not in field.unfolded


def mime_addresses(data: bytes) -> None:
    found = read_addresses(data)
    if isinstance(found, str):
        assert found
        return
    for mailbox in found:
        assert isinstance(mailbox, Mailbox)
        again = read_addresses(str(mailbox.address).encode())
        assert isinstance(again, list)
        assert [one.address for one in again] == [mailbox.address]


def mime_display(data: bytes) -> None:
    shown = display(data, 80)
    assert len(shown) <= 80
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)


def mime_message_id(data: bytes) -> None:
    if valid_message_id(data):
        assert data.startswith(b"<")
        assert data.endswith(b">")
        assert b"\n" not in data


def smtp_address(data: bytes) -> None:
    """What is taken for an address is one again when it is written."""
    text = data.decode("utf-8", "replace")
    try:
        address = parse_mailbox(text)
    except AddressError:
        address = None
    assert address is None or parse_mailbox(str(address)) == address
    try:
        path, rest = parse_path(text)
    except AddressError:
        return
    assert text.endswith(rest)
    assert path is None or not any(char in str(path) for char in "\r\n\0")


def dot_stuffing(data: bytes) -> None:
    """S02: what goes out ends where it ends, and holds what was given."""
    content = b"".join(pieces(data))
    try:
        wire = stuffed(*pieces(data))
    except UnsafeContentError:
        without = content.replace(b"\r\n", b"")
        assert without.translate(None, b"\r\n\0") != without, "it was safe"
        return
    assert wire == stuffed(content)
    assert (b"\r\n" + wire).find(b"\r\n.\r\n") == len(wire) - 3
    scanner = DataScanner(ServerSettings("relay.example.com", max_hops=10_000))
    received = scanner.feed(wire)
    assert scanner.finished
    assert not scanner.rest
    if scanner.refused is None:
        assert received == content + (b"" if content.endswith(b"\r\n") or not content else b"\r\n")


def dkim_body(data: bytes) -> None:
    body = b"".join(pieces(data)).replace(b"\r", b"").replace(b"\n", b"\r\n")
    size = data[0] + 1 if data else 1
    cut = [body[at : at + size] for at in range(0, len(body), size)]
    assert dkim.body_hash(cut) == dkim.body_hash([body])


def verp_token(data: bytes) -> None:
    text = data.decode("latin-1")
    found = verp.parse(KEY, text)
    assert found is None or verp.token(KEY, *found) == text.lower()


@dataclass(frozen=True)
class Target:
    run: Callable[[bytes], None]
    words: tuple[bytes, ...]


_LINES = (
    b"\r",
    b"\n",
    b"\r\n",
    b".",
    b"..",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r\n.",
    b"\0",
    b" ",
    b"\t",
    b"\x85",
    b"\xc3\xa9",
)
_COMMANDS = (
    b"EHLO a.test\r\n", b"HELO a\r\n", b"STARTTLS\r\n", b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", b"AUTH LOGIN\r\n", b"dXNlcg==\r\n",
    b"MAIL FROM:<a@b.test>", b"RCPT TO:<c@d.test>", b" SIZE=10", b" BODY=8BITMIME", b" SMTPUTF8", b" RET=HDRS", b" ENVID=x",
    b" NOTIFY=NEVER", b" ORCPT=rfc822;c@d.test", b"DATA\r\n", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"BDAT 3 LAST\r\n", b"*\r\n",
    b"From: a@b.test\r\n\r\n",
)  # fmt: skip
_REPLIES = (
    b"220 hi\r\n", b"250-a.test\r\n", b"250 ok\r\n", b"250 SIZE 100\r\n", b"250-STARTTLS\r\n", b"250-PIPELINING\r\n",
    b"250 SMTPUTF8\r\n", b"354 go\r\n", b"421 bye\r\n", b"450 4.7.1 later\r\n", b"550 5.1.1 no\r\n", b"250", b"-", b" ",
)  # fmt: skip
_ADDRESSES = (
    b"a", b"@", b"b.test", b"<", b">", b",", b";", b":", b'"', b"\\", b"(", b")", b"[", b"]", b"[IPv6:::1]", b"xn--",
    b"\xc3\xa9", b"\xef\xbc\x8e", b".", b"..", b"@a,@b:",
)  # fmt: skip
_HEADERS = (
    b"From",
    b"Subject",
    b": ",
    b":",
    b"=?utf-8?q?=C3=A9?=",
    b"=?utf-8?b?w6k=?=",
    b"=?",
    b"?=",
    b"<1@a.test>",
    b"\x0b",
)

TARGETS: dict[str, Target] = {
    "server_session": Target(server_session, _COMMANDS + _LINES),
    "server_data": Target(server_data, (*_LINES, b"Received: x", b"a" * 1200, b"From: a@b.test")),
    "server_smuggling": Target(server_smuggling, _LINES + _COMMANDS),
    "client_replies": Target(client_replies, _REPLIES + _LINES),
    "client_session": Target(client_session, _REPLIES + _LINES),
    "mime_header": Target(mime_header, _HEADERS + _LINES),
    "mime_addresses": Target(mime_addresses, _ADDRESSES + _LINES + _HEADERS),
    "mime_display": Target(mime_display, _HEADERS + _LINES),
    "mime_message_id": Target(mime_message_id, _ADDRESSES + _LINES),
    "smtp_address": Target(smtp_address, _ADDRESSES + _LINES),
    "dot_stuffing": Target(dot_stuffing, _LINES),
    "dkim_body": Target(dkim_body, _LINES),
    "verp_token": Target(verp_token, (verp.token(KEY, "a" * 16, "0" * 24).encode(), *_LINES)),
}
