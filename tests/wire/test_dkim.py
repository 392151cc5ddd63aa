"""The signer, judged by dkimpy, OpenDKIM and the vectors of the RFCs."""

from __future__ import annotations

import itertools
import random
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from postroom.wire.dkim import (
    OVERSIGNED,
    SIGNED,
    BodyHash,
    SigningKey,
    body_hash,
    relaxed_field,
    sign,
    signed_names,
    signing_input,
)
from postroom.wire.dkim_verify import problem, tags
from postroom.wire.mime.header import Field, Header, make_field, read_header
from support import opendkim
from support.dkim import SAMPLES, ed25519_key, record, signing_key, verifies

NOW = int(time.time())


def split(message: bytes) -> tuple[bytes, bytes]:
    """The header block, and what is behind the empty line."""
    block, _, body = message.partition(b"\r\n\r\n")
    return block.removesuffix(b"\r\n") + b"\r\n", body


def read(message: bytes) -> tuple[Header, bytes]:
    block, body = split(message)
    header = read_header(block)
    assert isinstance(header, Header)
    return header, body


def signed(message: bytes) -> bytes:
    """As it arrives: SMTP ends the last line, too."""
    header, body = read(message)
    signature = sign(header.fields, body_hash((body,)), signing_key(), at=NOW - 5, expires=NOW + 604800)
    return (
        signature
        + bytes(header)
        + b"\r\n"
        + body
        + (b"" if body.endswith(b"\r\n") else b"\r\n" if body else b"")
    )


# -- bodies ------------------------------------------------------------------------------------------------------

bodies = st.lists(
    st.sampled_from(
        [b"\r\n", b" ", b"\t", b"  ", b"x", b"line", b".", b"\x0b", b"\xff", b"\r\n\r\n", b" \r\n"]
    )
).map(b"".join)


@given(bodies)
def test_k06_body_as_dkimpy_canonicalises_it(body: bytes) -> None:
    assert body_hash((body,)) == sha256(_dkimpy_body(body)).digest()


def _dkimpy_body(body: bytes) -> bytes:
    """dkimpy keeps white space behind the last line end and adds a line end to nothing; the RFC does neither."""
    content = Relaxed.canonicalize_body(body + b"\r\n")
    return content if content.strip(b"\r\n") else b""


@given(bodies, st.lists(st.integers(0, 60)))
def test_k06_chunks_may_end_anywhere(body: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    chunks = [body[start:end] for start, end in itertools.pairwise(edges)]
    assert body_hash(chunks) == body_hash((body,))


@pytest.mark.parametrize("split_size", [1, 2, 3, 7])
def test_k06_every_sample_in_small_chunks(split_size: int) -> None:
    for message in SAMPLES.values():
        body = split(message)[1]
        chunks = (body[at : at + split_size] for at in range(0, len(body), split_size))
        assert body_hash(chunks) == body_hash((body,))


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\n\r\n\r\n", b" \r\n", b"\t \r\n \r\n", b"  "])
def test_k06_a_body_without_text_is_empty(body: bytes) -> None:
    assert b64encode(body_hash((body,))) == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="  # RFC 6376 3.4.4


def test_k06_white_space_waits_without_being_kept() -> None:
    whole = BodyHash()
    whole.update(b"start")
    for _ in range(100):
        whole.update(b"\r\n" * 5000)
        whole.update(b" \t" * 5000)
    whole.update(b"end")
    assert whole.digest() == sha256(b"start" + b"\r\n" * 500_000 + b" end\r\n").digest()


# -- headers -----------------------------------------------------------------------------------------------------

values = st.lists(
    st.sampled_from([b" ", b"\t", b"\r\n ", b"\r\n\t", b"a", b"word", b"\xc3\xa4", b":", b"<x@y>"])
).map(b"".join)


@given(values)
def test_k06_header_field_as_dkimpy_canonicalises_it(value: bytes) -> None:
    [(name, canonical)] = Relaxed.canonicalize_headers([(b"Subject", value + b"\r\n")])
    assert relaxed_field(Field(b"subject", b"Subject:" + value + b"\r\n")) == name + b":" + canonical


def test_of_fields_with_one_name_the_last_is_signed_first() -> None:
    fields = [make_field(b"To: 1\r\n"), make_field(b"X: 2\r\n"), make_field(b"To: 3\r\n")]
    unsigned = make_field(b"DKIM-Signature: b=\r\n")
    data = signing_input(fields, [b"to", b"to", b"to", b"cc"], unsigned)
    assert data == b"to:3\r\nto:1\r\ndkim-signature:b="


def test_ed25519_vector_of_rfc_8463() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="))
    header = read_header(
        b"From: Joe SixPack <joe@football.example.com>\r\n"
        b"To: Suzie Q <suzie@shopping.example.net>\r\n"
        b"Subject: Is dinner ready?\r\n"
        b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    )
    assert isinstance(header, Header)
    unsigned = make_field(
        b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
        b" d=football.example.com; i=@football.example.com;\r\n"
        b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
        b" subject : date : message-id : from : subject : date;\r\n"
        b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        b" b=\r\n"
    )
    names = [b"from", b"to", b"subject", b"date", b"message-id", b"from", b"subject", b"date"]
    body = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
    assert b64encode(body_hash((body,))) == b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
    signature = SigningKey("football.example.com", "brisbane", key).signature(
        signing_input(header.fields, names, unsigned)
    )
    assert b64encode(signature) == (
        b"/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
    )


# -- signatures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_k06_dkimpy_verifies_every_sample(name: str) -> None:
    assert verifies(signed(SAMPLES[name]), signing_key())


def test_two_signatures_over_one_body_hash() -> None:
    """dkimpy reads Ed25519 only with a library of its own; the key itself judges the second one."""
    rsa, ed25519 = signing_key(), signing_key(selector="ed", private=ed25519_key())
    header, body = read(SAMPLES["list"])
    digest = body_hash((body,))
    first, second = (sign(header.fields, digest, key, at=NOW, expires=NOW + 9) for key in (rsa, ed25519))
    assert verifies(first + second + SAMPLES["list"], rsa)
    unsigned, signature = re.fullmatch(rb"(.*\sb=)(.*)\r\n", second, re.DOTALL).groups()
    data = signing_input(header.fields, signed_names(header.fields), make_field(unsigned + b"\r\n"))
    ed25519_key().public_key().verify(b64decode(signature), sha256(data).digest())


def opendkim_says(messages: Mapping[str, bytes]) -> dict[str, bool]:
    key = signing_key()
    return opendkim.verdicts(messages, {f"{key.selector}._domainkey.{key.domain}": record(key)})


def test_k06_opendkim_verifies_every_sample() -> None:
    messages = {name: signed(message) for name, message in SAMPLES.items()}
    found = opendkim_says(messages | {"tampered": messages["list"] + b"more\r\n"})
    # OpenDKIM takes VT and FF in header fields for white space; RFC 5234 knows only space and tab.
    assert found == dict.fromkeys(SAMPLES, True) | {"control-characters": False, "tampered": False}


def test_k01_there_is_no_l_tag_and_appended_text_fails() -> None:
    for message in SAMPLES.values():
        done = signed(message)
        signature = read(done)[0].first(b"DKIM-Signature")
        assert signature is not None
        assert b"l" not in [tag.partition(b"=")[0].strip() for tag in signature.unfolded.split(b";")]
        assert not verifies(done + b"more\r\n", signing_key())


def test_k01_nor_in_a_thousand_messages_of_any_shape() -> None:
    """Our own check reads them all; dkimpy, which takes its time, is asked about some."""
    chance = random.Random(1)
    for number in range(1000):
        done = signed(generated(chance))
        header, body = read(done)
        assert b"l" not in tags(header.fields[0].value)
        assert problem(header.fields, [body], record(signing_key())) == ""
        assert "hash of the body" in problem(header.fields, [body, b"more\r\n"], record(signing_key()))
        if number % 50 == 0:
            assert verifies(done, signing_key())
            assert not verifies(done + b"more\r\n", signing_key())


def generated(chance: random.Random) -> bytes:
    """A message with some fields in any order, folded and repeated, and a body with white space wherever it may be."""
    names = chance.sample([*OVERSIGNED, *SIGNED, b"x-l", b"received"], chance.randrange(1, 12))
    pieces = [b"word", b"l=1;", b" ", b"\t", b"\r\n x", b"\xc3\xa4", b"a@example.com", b"=?utf-8?q?l=3D1?="]
    fields = [
        b"%s:%s\r\n" % (name.title(), b"".join(chance.choices(pieces, k=chance.randrange(8))))
        for name in (b"from", *names, *chance.sample(names, chance.randrange(len(names))))
    ]
    chance.shuffle(fields)
    lines = [b"", b" ", b"\t x ", b"text", b"l=1", b".", b"\xff" * 5, b"x" * 200]
    return b"".join(fields) + b"\r\n" + b"\r\n".join(chance.choices(lines, k=chance.randrange(12)))


def with_a_copy(name: bytes) -> dict[str, bytes]:
    """Signed messages with a copy of this field, whether they have it already (`list`) or not (`plain`): on top, below."""
    added = name.title() + b": added@example.org\r\n"
    result = {}
    for sample in ("list", "plain"):
        block, body = split(signed(SAMPLES[sample]))
        result[f"{sample}-top"] = added + block + b"\r\n" + body
        result[f"{sample}-below"] = block + added + b"\r\n" + body
    return result


@pytest.mark.parametrize("name", OVERSIGNED, ids=bytes.decode)
def test_k02_nobody_can_add_an_oversigned_field(name: bytes) -> None:
    for message in with_a_copy(name).values():
        assert not verifies(message, signing_key())


def test_k02_opendkim_is_of_the_same_opinion() -> None:
    messages = {
        f"{name.decode()}-{key}": message for name in OVERSIGNED for key, message in with_a_copy(name).items()
    }
    found = opendkim_says(messages | {"untouched": signed(SAMPLES["list"])})
    assert found == dict.fromkeys(messages, False) | {"untouched": True}


@pytest.mark.parametrize("name", SIGNED, ids=bytes.decode)
def test_k02_who_resends_may_add_the_others(name: bytes) -> None:
    block, body = split(signed(SAMPLES["plain"]))
    added = name.title() + b": added@example.org\r\n"
    assert verifies(added + block + b"\r\n" + body, signing_key())


def test_k02_fields_are_listed_as_often_as_they_are_signed() -> None:
    header = read(SAMPLES["list"])[0]
    names = signed_names(header.fields)
    assert names.count(b"from") == 2
    assert names.count(b"cc") == 1
    assert names.count(b"sender") == 1
    assert names.count(b"resent-sender") == 0


def test_k03_the_signature_says_when_and_how_long() -> None:
    header = read(SAMPLES["list"])[0]
    signature = sign(header.fields, b"x" * 32, signing_key(), at=1700000000, expires=1700604800)
    assert b"t=1700000000; x=1700604800;" in signature


def test_the_field_is_folded() -> None:
    lines = signed(SAMPLES["list"]).partition(b"\r\nResent-From")[0].split(b"\r\n")
    assert lines[0].startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;")
    assert all(len(line.expandtabs(8)) <= 76 for line in lines)
    assert all(line.startswith(b"\t") and line.strip() for line in lines[1:])
