"""From a stored message to signed bytes: what is cut, what is added, what never changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import zstandard

from postroom.compose import Composer, KeyMaterial, Keys, Stored, Uncomposed, return_path
from postroom.errors import StorageUnavailableError
from postroom.runtime.blobs import MemoryBlobs
from postroom.runtime.clock import Clock
from postroom.runtime.secrets import SecretError
from postroom.store import messages
from postroom.types.composed import Composed
from postroom.types.draft import Content, Draft
from postroom.types.envelope import Address, Envelope
from postroom.types.reply import Reply
from postroom.wire import verp
from postroom.wire.dkim import body_hash, sign
from postroom.wire.dkim_keys import private_bytes
from postroom.wire.mime.header import Header, read_header
from support.dkim import SAMPLES, private_key, signing_key, verifies

ID, ACCOUNT = "0198c2f1a2b3c4d5e6f70811", "abcdefgh23456789"
RECEIVED = (
    b"Received: by mail.example.org (Postroom) with ESMTPSA id 0198c2f1a2b3c4d5e6f70811;\r\n"
    b"\tTue, 01 Jul 2025 10:52:37 +0000\r\n"
)
PLAIN = SAMPLES["plain"]


def content_of(message: bytes) -> Content:
    end = message.find(b"\r\n\r\n")
    header_size = 0 if message.startswith(b"\r\n") else end + 2 if end >= 0 else len(message)
    return Content(message, len(message), header_size, eight_bit=not message.isascii())


def stored(message: bytes = PLAIN, **changes: Any) -> Stored:
    return replace(
        Stored(
            id=ID,
            account_id=ACCOUNT,
            domain_id="domain0000000000",
            signing_domain="example.com",
            content=content_of(message),
            message_id=f"<{ID}@example.com>",
            received_at=1_751_367_157_000,
            protocol="ESMTPSA",
            hostname="mail.example.org",
        ),
        **changes,
    )


async def load(domain: str) -> KeyMaterial | None:
    await asyncio.sleep(0)
    return KeyMaterial("s1", private_bytes(private_key())) if domain == "example.com" else None


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
async def composer(blobs: MemoryBlobs):
    composer = Composer(Keys(load), blobs.open, Clock(), lifetime=3 * 86400)
    yield composer
    await composer.close()


async def composed(composer: Composer, message: Stored) -> Composed:
    result = await composer.compose(message)
    assert isinstance(result, Composed), result
    return result


async def sent(composer: Composer, message: bytes) -> tuple[bytes, bytes]:
    """What stands behind our signature, and the body."""
    result = await composed(composer, stored(message))
    assert result.head.startswith(b"DKIM-Signature: v=1; ")
    signature, received, rest = result.head.partition(RECEIVED)
    assert received
    assert signature.count(b"\r\n") == signature.count(b"\r\n\t") + 1
    return rest, result.body


# -- the header --------------------------------------------------------------------------------------------------


async def test_ours_is_put_in_front_and_the_rest_stays(composer: Composer) -> None:
    head, body = await sent(composer, PLAIN)
    assert head + body == PLAIN


@pytest.mark.parametrize("said", [b"", b"Precedence: list\r\n", b"precedence: bulk\r\n"])
async def test_precedence_is_added_where_the_domain_wants_it_and_nothing_is_said(
    composer: Composer, said: bytes
) -> None:
    result = await composed(composer, stored(said + PLAIN, precedence_bulk=True))
    field = said or b"Precedence: bulk\r\n"
    assert (result.head + result.body).endswith(field + PLAIN)
    assert result.head.lower().count(b"\r\nprecedence:") == 1


async def test_private_fields_are_cut_out(composer: Composer) -> None:
    private = (
        b"Bcc: secret@example.net,\r\n another@example.net\r\n"
        b"RESENT-BCC: secret@example.net\r\n"
        b"Return-Path: <app@host>\r\n"
        b"X-MailerSend-Tags: a, b\r\n"
        b"x-postroom-stream: broadcast\r\n"
        b"X-Postroom-Anything:\r\n"
        b"bcc:\r\n"
    )
    head, body = await sent(composer, b"X-Postroomer: stays\r\n" + private + PLAIN)
    assert head + body == b"X-Postroomer: stays\r\n" + PLAIN


async def test_message_id_and_date_are_added_when_missing(composer: Composer) -> None:
    head, _ = await sent(composer, b"From: a@example.com\r\n\r\nHello.\r\n")
    assert head == (
        b"Message-ID: <0198c2f1a2b3c4d5e6f70811@example.com>\r\n"
        b"Date: Tue, 01 Jul 2025 10:52:37 +0000\r\n"
        b"From: a@example.com\r\n\r\n"
    )


@pytest.mark.parametrize("value", [b" <kept.by..us@host>", b"\r\n <kept@host>"])
async def test_a_valid_message_id_is_kept(composer: Composer, value: bytes) -> None:
    header = b"From: a@example.com\r\nMessage-Id:" + value + b"\r\nDate: whatever it says\r\n\r\n"
    assert (await sent(composer, header + b"Hello.\r\n"))[0] == header


@pytest.mark.parametrize("value", [b"", b" ", b" none", b" <a@b> <c@d>", b" <\xff@b>"])
async def test_an_invalid_message_id_is_replaced(composer: Composer, value: bytes) -> None:
    rest = b"From: a@example.com\r\nDate: whatever it says\r\n"
    head, _ = await sent(composer, b"Message-ID:" + value + b"\r\n" + rest + b"\r\nHello.\r\n")
    assert head == b"Message-ID: <0198c2f1a2b3c4d5e6f70811@example.com>\r\n" + rest + b"\r\n"


CONTROLS = [chr(code) for code in (*range(1, 0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)]


@pytest.mark.parametrize("char", [char for char in CONTROLS if char not in "\r\n"], ids=ascii)
async def test_s12_control_characters_start_no_header_line(composer: Composer, char: str) -> None:
    message = PLAIN.replace(b"Hello\r\n", f"Hello{char}Bcc: evil@example.net\r\n".encode(), 1)
    head, body = await sent(composer, message)
    assert head + body == message


async def test_the_wire_says_what_the_message_needs(composer: Composer) -> None:
    plain = await composed(composer, stored())
    assert (plain.eight_bit, plain.utf8) == (False, False)
    message = stored(SAMPLES["eight-bit-header"], id="1" * 24, utf8=True)
    international = await composed(composer, message)
    assert (international.eight_bit, international.utf8) == (True, True)
    undeclared = await composed(composer, replace(message, id="2" * 24, utf8=False))
    assert (undeclared.eight_bit, undeclared.utf8) == (True, False)
    body_only = await composed(composer, stored(SAMPLES["eight-bit-body"], id="3" * 24, utf8=True))
    assert (body_only.eight_bit, body_only.utf8) == (True, False)


# -- the signature -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "no-final-line-end"])
async def test_k07_what_is_sent_is_what_was_signed(composer: Composer, name: str) -> None:
    result = await composed(
        composer, stored(b"Bcc: x@example.net\r\nX-Postroom-Stream: broadcast\r\n" + SAMPLES[name])
    )
    assert verifies(result.head + result.body, signing_key())
    assert result.size == len(result.head + result.body)
    assert result.body == SAMPLES[name].partition(b"\r\n\r\n")[2]


async def test_k08_a_signature_of_the_client_stays_good(composer: Composer) -> None:
    client = signing_key(selector="client")
    block, _, body = SAMPLES["white-space"].partition(b"\r\n\r\n")
    header = read_header(block + b"\r\n")
    assert isinstance(header, Header)
    theirs = sign(header.fields, body_hash((body,)), client, at=1_751_367_157, expires=4_000_000_000)
    result = await composed(composer, stored(theirs + SAMPLES["white-space"]))
    message = result.head + result.body
    assert theirs in result.head
    assert verifies(message, signing_key(), 0)
    assert verifies(message, client, 1)


async def test_k03_the_signature_outlives_the_queue(blobs: MemoryBlobs) -> None:
    for lifetime, valid in ((3 * 86400, 7 * 86400), (10 * 86400, 12 * 86400)):
        composer = Composer(Keys(load), blobs.open, Clock(), lifetime=lifetime)
        head = (await composed(composer, stored())).head
        await composer.close()
        tags = dict(tag.strip().split(b"=", 1) for tag in head.partition(b"h=")[0].split(b";") if b"=" in tag)
        assert int(tags[b"x"]) - int(tags[b"t"]) == valid


async def test_without_a_key_nothing_is_sent_and_the_reply_says_so(composer: Composer) -> None:
    result = await composer.compose(stored(signing_domain="example.net"))
    assert result == Uncomposed(Reply.of(451, "4.3.5", "no signing key for example.net"))


@pytest.mark.parametrize("error", [SecretError("does not open"), StorageUnavailableError("gone"), None])
async def test_a_key_that_cannot_be_used_is_waited_for(blobs: MemoryBlobs, error: Exception | None) -> None:
    async def broken(_: str) -> KeyMaterial:
        if error is not None:
            raise error
        return KeyMaterial("s1", b"no key")

    composer = Composer(Keys(broken), blobs.open, Clock(), lifetime=1)
    result = await composer.compose(stored())
    await composer.close()
    assert result == Uncomposed(Reply.of(451, "4.3.5", "the signing key of example.com cannot be used"))


# -- large content -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", ["header", "nothing"])
async def test_large_bodies_stay_in_the_blob_store(composer: Composer, blobs: MemoryBlobs, held: str) -> None:
    message = PLAIN + b"a line of text  \r\n" * 20_000 + b"\r\n\r\n"
    content = content_of(message)
    data = content.header if held == "header" else b""
    content = replace(content, data=data, blob=blobs.store(message))
    result = await composed(composer, stored(content=content))
    body = message[result.offset :]
    assert (result.blob, result.body) == (content.blob, b"")
    assert body.startswith(b"Hello Bob.")
    assert result.size == len(result.head) + len(body)
    assert verifies(result.head + body, signing_key())


async def test_lost_content_is_waited_for(composer: Composer) -> None:
    result = await composer.compose(stored(content=replace(content_of(PLAIN), data=b"", blob="lost")))
    assert result == Uncomposed(Reply.of(451, "4.3.0", "the stored content cannot be read now"))


async def test_a_header_that_is_damaged_is_not_sent(composer: Composer) -> None:
    result = await composer.compose(stored(b"From: a@example.com\r\nbroken\r\n\r\n"))
    assert isinstance(result, Uncomposed)
    assert result.reply.text == "the stored header cannot be read: line 2: there is no colon"


# -- once for all recipients -------------------------------------------------------------------------------------


async def test_recipients_and_retries_share_one_signature(composer: Composer) -> None:
    together = await asyncio.gather(*[composer.compose(stored()) for _ in range(50)])
    later = await composer.compose(stored())
    assert all(result is together[0] for result in [*together, later])


async def test_messages_are_told_apart_by_account_and_id(composer: Composer) -> None:
    one = await composed(composer, stored())
    assert await composed(composer, stored(account_id="x" * 16)) is not one
    assert await composed(composer, stored(id="f" * 24)) is not one


async def test_who_stops_waiting_does_not_disturb_the_others(composer: Composer) -> None:
    waiting = [asyncio.create_task(composer.compose(stored())) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting[0].cancel()
    assert isinstance(await waiting[1], Composed)
    assert await waiting[2] is await waiting[1]
    assert waiting[0].cancelled()


async def test_a_failure_is_not_remembered(composer: Composer, blobs: MemoryBlobs) -> None:
    content = replace(content_of(PLAIN), data=b"", blob="later")
    assert isinstance(await composer.compose(stored(content=content)), Uncomposed)
    blobs.content["later"] = (PLAIN, 0)
    assert isinstance(await composer.compose(stored(content=content)), Composed)


async def test_the_cache_is_bounded(blobs: MemoryBlobs) -> None:
    composer = Composer(Keys(load), blobs.open, Clock(), lifetime=1, cache_octets=5000)
    first = await composer.compose(stored())
    for number in range(5):
        await composer.compose(stored(id=f"{number:024x}"))
    assert await composer.compose(stored()) is not first
    await composer.close()


async def test_k04_a_changed_key_signs_from_now_on(blobs: MemoryBlobs) -> None:
    selector = "one"

    async def changing(_: str) -> KeyMaterial:
        return KeyMaterial(selector, private_bytes(private_key()))

    composer = Composer(Keys(changing), blobs.open, Clock(), lifetime=1)
    first = asyncio.create_task(composer.compose(stored()))
    await asyncio.sleep(0)  # it has its key, and is being signed
    selector = "two"
    composer.invalidate("example.com")
    second = asyncio.create_task(composer.compose(stored()))
    assert [_selector(await running) for running in (first, second)] == [b"one", b"two"]
    assert _selector(await composer.compose(stored())) == b"two"
    selector = "three"
    composer.invalidate("example.com")
    assert _selector(await composer.compose(stored())) == b"three"
    await composer.close()


def _selector(result: Composed | Uncomposed) -> bytes:
    assert isinstance(result, Composed)
    return result.head.partition(b" s=")[2].partition(b";")[0]


# -- where the words come from -----------------------------------------------------------------------------------


def test_a_stored_message_is_the_same_from_memory_and_from_the_database() -> None:
    draft = Draft(
        id=ID,
        account_id=ACCOUNT,
        domain_id="domain0000000000",
        credential_id="credential000000",
        envelope=Envelope(Address("app", "host"), utf8=True, ret="HDRS"),
        content=content_of(PLAIN),
        signing_domain="example.com",
        header_from="anna@example.com",
        subject="Hello",
        message_id="<1@example.com>",
        received_at=1_751_367_157_000,
        precedence_bulk=True,
    )
    row = messages.Message(
        account_id=ACCOUNT,
        id=ID,
        domain_id="domain0000000000",
        credential_id="credential000000",
        edge="smtp",
        sender="app@host",
        header_from="anna@example.com",
        subject="Hello",
        message_id="<1@example.com>",
        signing_domain="example.com",
        stream="transactional",
        tags="",
        size=len(PLAIN),
        header_size=draft.content.header_size,
        eight_bit=False,
        utf8=True,
        dsn_ret="HDRS",
        dsn_envid="",
        blob="",
        received_at=1_751_367_157_000,
        content_expires_at=None,
        content_gone=False,
        precedence_bulk=True,
    )
    data = zstandard.ZstdCompressor().compress(PLAIN)
    expected = stored(
        protocol="UTF8SMTPSA",
        sender="app@host",
        utf8=True,
        dsn_ret="HDRS",
        message_id="<1@example.com>",
        precedence_bulk=True,
    )
    assert Stored.from_draft(draft, "mail.example.org") == expected
    assert Stored.from_row(messages.Stored(row, data), "mail.example.org") == expected
    assert Stored.from_row(messages.Stored(row, None), "mail.example.org") is None
    in_blob = Stored.from_row(messages.Stored(replace(row, blob="key"), None), "mail.example.org")
    assert in_blob == replace(expected, content=replace(expected.content, data=b"", blob="key"))


@pytest.mark.parametrize(
    ("domain_host", "bounce_host", "host"),
    [
        ("rp.example.com", "bounce.example.org", "rp.example.com"),
        ("", "bounce.example.org", "bounce.example.org"),
    ],
)
@pytest.mark.parametrize("accepted", ["app@example.com", ""])
def test_the_return_path_is_a_token(domain_host: str, bounce_host: str, host: str, accepted: str) -> None:
    path = return_path(
        b"key",
        account_id=ACCOUNT,
        email_id=ID,
        accepted=accepted,
        domain_host=domain_host,
        bounce_host=bounce_host,
    )
    local, _, domain = path.partition("@")
    assert domain == host
    assert verp.parse(b"key", local.removeprefix(verp.PREFIX)) == (ACCOUNT, ID)


@pytest.mark.parametrize("accepted", ["app@example.com", ""])
def test_the_return_path_is_the_senders_when_nobody_would_read_bounces(accepted: str) -> None:
    path = return_path(
        b"key", account_id=ACCOUNT, email_id=ID, accepted=accepted, domain_host="", bounce_host=""
    )
    assert path == accepted
