"""Personalised content: each recipient has a message of its own, with the attachments as they were stored."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postroom.compose import Composer, KeyMaterial, Keys, Stored, Uncomposed, read_source
from postroom.runtime.blobs import MemoryBlobs
from postroom.runtime.clock import Clock, FakeClock
from postroom.types.addresses import parse_mailbox
from postroom.types.composed import Composed
from postroom.types.draft import Content
from postroom.types.parts import Mailbox, Parts, Personalization
from postroom.wire.dkim_keys import private_bytes
from postroom.wire.mime.build import build
from support.dkim import private_key, signing_key, verifies
from support.parts import PNG, attached, parsed, parts, personalised, shown

NAME = Personalization({"name": "Anna"}).encode()
TEMPLATES = parts(
    subject="Hello {{ name }}",
    text="Dear {{ name }},\nyours\n",
    html="<p>Dear {{ name }}<img src='cid:logo'></p>\n",
    attachments=(attached(data=b"%PDF-1.4" * 1000), shown()),
)


def stored(content: Content, **changes: Any) -> Stored:
    return replace(
        Stored(
            id="0198c2f1a2b3c4d5e6f70811",
            account_id="abcdefgh23456789",
            domain_id="domain0000000000",
            signing_domain="example.com",
            content=content,
            message_id="<1@example.com>",
            received_at=1_751_367_157_000,
            protocol="HTTP",
            hostname="mail.example.org",
        ),
        **changes,
    )


def large(content: Content, blobs: MemoryBlobs) -> Content:
    """The same with its tail in the blob store."""
    head, tail = content.header, content.data[content.header_size :]
    return replace(content, data=head, blob=blobs.store(tail))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(Clock().now_ms() - 86_400_000)  # dkimpy looks at when signatures begin and end


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
async def composer(blobs: MemoryBlobs, clock: FakeClock):
    async def load(domain: str) -> KeyMaterial | None:
        return KeyMaterial("s1", private_bytes(private_key())) if domain == "example.com" else None

    composer = Composer(Keys(load), blobs.open, clock, lifetime=3 * 86400)
    yield composer
    await composer.close()


async def sent(composer: Composer, content: Content, personalization: bytes, blobs: MemoryBlobs) -> bytes:
    """The whole message as the recipient's server gets it; its signature is good."""
    result = await composer.compose_for(stored(content), personalization)
    assert isinstance(result, Composed), result
    body = result.body
    if result.blob is not None:
        assert body == b""
        with blobs.open(result.blob, result.offset) as file:
            body = file.read()
    message = result.head + body
    assert result.size == len(message)
    assert verifies(message, signing_key())
    return message


def filled(whole: Parts, name: str) -> Parts:
    """What the templates come to."""
    texts = {
        field: getattr(whole, field).replace("{{ name }}", name) for field in ("subject", "text", "html")
    }
    return replace(whole, **texts)


@pytest.mark.parametrize("where", ["beside the row", "in the blob store"])
async def test_every_recipient_gets_what_the_parts_would_have_made(
    composer: Composer, blobs: MemoryBlobs, where: str
) -> None:
    content = personalised(TEMPLATES)
    if where == "in the blob store":
        content = large(content, blobs)
    for name in ("Anna", "Bob", "Jörg 東京"):
        data = Personalization({"name": name}).encode()
        message = await sent(composer, content, data, blobs)
        signature, received, rest = message.partition(b"Received: ")
        assert signature.startswith(b"DKIM-Signature: ")
        assert received
        rest = rest[rest.index(b"From: ") :]
        assert rest == build(filled(TEMPLATES, name))
        assert read_source(stored(content), data, blobs.open) == rest


async def test_k07_the_same_bytes_again_but_for_the_signature(
    composer: Composer, blobs: MemoryBlobs, clock: FakeClock
) -> None:
    whole = replace(TEMPLATES, text="{{ 'now'|date('Y-m-d H:i:s') }} {{ name }}")
    content = personalised(whole)
    first = await sent(composer, content, NAME, blobs)
    clock.advance(3600)
    second = await sent(composer, content, NAME, blobs)
    assert first != second
    assert first.partition(b"Received: ")[2] == second.partition(b"Received: ")[2]
    assert b"2025-07-01 10:52:37 Anna" in first


async def test_attachments_are_not_encoded_again(composer: Composer, blobs: MemoryBlobs) -> None:
    """What lies in the blob store goes out as it is, whatever it holds."""
    content = large(personalised(parts(attachments=(attached(),))), blobs)
    assert content.blob is not None
    tail = blobs.content[content.blob][0].replace(b"JVBERi0", b"UNTOUCH")
    blobs.content[content.blob] = (tail, 0)
    message = await sent(composer, content, b"", blobs)
    assert message.endswith(tail)


async def test_recipients_share_nothing(composer: Composer, blobs: MemoryBlobs) -> None:
    content = personalised(TEMPLATES)
    names = [f"Recipient {number}" for number in range(30)]
    messages = await asyncio.gather(
        *[sent(composer, content, Personalization({"name": name}).encode(), blobs) for name in names]
    )
    for name, message in zip(names, messages, strict=True):
        found = parsed(message.partition(b"Received: ")[2].partition(b"\r\n\t")[2].partition(b"\r\n")[2])
        assert found["Subject"] == f"Hello {name}"
        bodies = [part.get_content() for part in found.walk() if part.get_content_maintype() == "text"]
        assert all(f"Dear {name}" in body for body in bodies)
        assert [part.get_content() for part in found.walk() if part.get_content_type() == "image/png"] == [
            PNG
        ]


async def test_who_has_no_data_gets_the_templates_without_any(composer: Composer, blobs: MemoryBlobs) -> None:
    message = await sent(composer, personalised(TEMPLATES), b"", blobs)
    assert b"\r\nSubject: Hello\r\n" in message
    assert b"\r\nDear ,\r\n" in message


@pytest.mark.parametrize(
    ("twig", "simple", "line"),
    [(True, False, b"Anna {$name}"), (False, True, b"{{ name }} Bob"), (True, True, b"Anna Bob")],
)
async def test_both_syntaxes(
    composer: Composer, blobs: MemoryBlobs, twig: bool, simple: bool, line: bytes
) -> None:
    content = personalised(parts(text="{{ name }} {$name}"), twig=twig, simple=simple)
    data = Personalization({"name": "Anna"}, {"name": "Bob"}).encode()
    assert (await sent(composer, content, data, blobs)).endswith(b"\r\n\r\n" + line + b"\r\n")


async def test_values_are_escaped_in_html_only(composer: Composer, blobs: MemoryBlobs) -> None:
    content = personalised(parts(text="{{ name }}", html="<p>{{ name }}</p>", subject="{{ name }}"))
    data = Personalization({"name": "<script>a & b"}).encode()
    message = await sent(composer, content, data, blobs)
    assert b"\r\nSubject: <script>a & b\r\n" in message
    assert b"\r\n<script>a & b\r\n" in message
    assert b"<p><script>" not in message


CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)]


async def test_s12_no_value_makes_a_header(composer: Composer, blobs: MemoryBlobs) -> None:
    content = personalised(parts(subject="Hello {{ name }}"))
    plain = await sent(composer, content, NAME, blobs)
    fields = plain.partition(b"\r\n\r\n")[0].count(b"\r\n")
    value = "".join(f"a{char}Bcc: evil@example.net" for char in CONTROLS[:20])
    for char in (*CONTROLS, "\r\n"):
        data = Personalization({"name": f"a{char}Bcc: evil@example.net"}).encode()
        message = await sent(composer, content, data, blobs)
        header = message.partition(b"\r\n\r\n")[0]
        assert header.count(b"\r\n") == header.count(b"\n") == header.count(b"\r") == fields
        assert b"\nbcc:" not in header.lower()
    message = await sent(composer, content, Personalization({"name": value}).encode(), blobs)
    assert b"\nbcc:" not in message.lower()


async def test_what_cannot_be_rendered_fails_for_good_and_only_there(
    composer: Composer, blobs: MemoryBlobs
) -> None:
    content = personalised(replace(TEMPLATES, html="<p>{{ name|date('Y') }}</p>"))
    bad, good = (Personalization({"name": name}).encode() for name in ("no date \r\n at all", "2025-07-01"))
    failed, fine = await asyncio.gather(
        composer.compose_for(stored(content), bad), composer.compose_for(stored(content), good)
    )
    assert isinstance(failed, Uncomposed)
    assert (failed.reply.code, failed.reply.enhanced) == (550, "5.6.0")
    assert "[render-failed]" in failed.reply.text
    assert "html, line 1" in failed.reply.text
    assert failed.reply.text.isprintable()
    assert isinstance(fine, Composed)
    assert read_source(stored(content), bad, blobs.open) == failed


@pytest.mark.parametrize("source", ["{{ list }}", "{{ text|date }}", "{% for n in 1..999999 %}{% endfor %}"])
async def test_why_it_cannot_be_rendered_fits_into_the_reply(composer: Composer, source: str) -> None:
    data = Personalization({"list": [1], "text": "x" * 300}).encode()
    failed = await composer.compose_for(stored(personalised(replace(TEMPLATES, html=source))), data)
    assert isinstance(failed, Uncomposed)
    assert "..." not in failed.reply.text


async def test_p02_a_template_that_asks_for_too_much_fails_for_good(composer: Composer) -> None:
    loop = "{% for a in list %}{% for b in list %}{% for c in list %}x{% endfor %}{% endfor %}{% endfor %}"
    data = Personalization({"list": list(range(1000))}).encode()
    result = await composer.compose_for(stored(personalised(parts(text=loop))), data)
    assert isinstance(result, Uncomposed)
    assert result.reply.code == 550


async def test_what_was_damaged_is_waited_for(composer: Composer, blobs: MemoryBlobs) -> None:
    content = personalised(TEMPLATES)
    lost = replace(large(content, blobs), blob="lost")
    damaged = replace(content, data=content.data.replace(b"parts 1", b"parts 9"))
    for broken, data in ((lost, NAME), (damaged, NAME), (content, b"{"), (content, b"[]x")):
        result = await composer.compose_for(stored(broken), data)
        assert isinstance(result, Uncomposed), (broken, data)
        assert result.reply.transient


async def test_without_a_key_nothing_is_sent(composer: Composer) -> None:
    result = await composer.compose_for(stored(personalised(TEMPLATES), signing_domain="example.net"), NAME)
    assert isinstance(result, Uncomposed)
    assert result.reply.code == 451


async def test_a_document_is_never_sent_as_a_message(composer: Composer) -> None:
    result = await composer.compose(stored(personalised(TEMPLATES)))
    assert isinstance(result, Uncomposed)


@pytest.mark.parametrize("utf8", [False, True])
async def test_international_addresses_need_smtputf8(composer: Composer, utf8: bool) -> None:
    local = "jörg" if utf8 else "joerg"
    whole = parts(to=(Mailbox("Jörg", parse_mailbox(f"{local}@example.net")),))
    result = await composer.compose_for(stored(personalised(whole), utf8=utf8), NAME)
    assert isinstance(result, Composed)
    assert (result.utf8, result.eight_bit) == (utf8, utf8)


def test_source_of_ordinary_content(blobs: MemoryBlobs, tmp_path: Path) -> None:
    message = build(parts())
    content = Content(message, len(message), message.index(b"\r\n\r\n") + 2)
    assert read_source(stored(content), b"", blobs.open) == message
    in_blob = replace(content, data=b"", blob=blobs.store(message))
    assert read_source(stored(in_blob), b"", blobs.open) == message
