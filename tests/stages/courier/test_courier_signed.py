"""What we sign is still good on the other side of a real SMTP conversation: two judges, the whole corpus (K06)."""

from __future__ import annotations

from postroom.compose import Composer, KeyMaterial, Keys, Stored
from postroom.runtime.blobs import MemoryBlobs
from postroom.runtime.clock import Clock
from postroom.types.composed import Composed
from postroom.types.draft import Content
from postroom.types.outcome import Result
from postroom.wire.dkim_keys import private_bytes
from support import opendkim
from support.courier import ENVELOPE, courier, to, yes
from support.dkim import SAMPLES, private_key, record, signing_key, verifies
from support.peer import Peer

KEY = signing_key()
RECORDS = {f"{KEY.selector}._domainkey.{KEY.domain}": record(KEY)}


def stored(number: int, message: bytes) -> Stored:
    end = message.find(b"\r\n\r\n")
    header_size = end + 2 if end >= 0 else len(message)
    content = Content(message, len(message), header_size, eight_bit=not message.isascii())
    return Stored(
        id=f"{number:024}",
        account_id="a" * 16,
        domain_id="d" * 16,
        signing_domain=KEY.domain,
        content=content,
        message_id="<1@example.com>",
        received_at=1_751_367_157_000,
        protocol="ESMTPSA",
        hostname="relay.test",
    )


def body_of(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]


async def key_of(_: str) -> KeyMaterial:
    return KeyMaterial(KEY.selector, private_bytes(private_key()))


async def test_k06_the_corpus_verifies_after_a_hop() -> None:
    composer = Composer(Keys(key_of), MemoryBlobs().open, Clock(), lifetime=3600)
    with Peer() as peer:
        one = courier(to(peer))
        for number, message in enumerate(SAMPLES.values()):
            composed = await composer.compose(stored(number, message))
            assert isinstance(composed, Composed)
            assert (await one.deliver(ENVELOPE, composed, yes)).result is Result.DELIVERED
        await one.close()
    await composer.close()
    arrived = dict(zip(SAMPLES, peer.messages, strict=True))
    assert all(body_of(message) in body_of(arrived[name]) for name, message in SAMPLES.items())
    assert {name: verifies(message, KEY) for name, message in arrived.items()} == dict.fromkeys(SAMPLES, True)
    found = opendkim.verdicts(arrived, RECORDS)
    # OpenDKIM takes VT and FF in header fields for white space; RFC 5234 knows only space and tab.
    assert found == dict.fromkeys(SAMPLES, True) | {"control-characters": False}
