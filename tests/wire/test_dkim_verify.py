"""Our own check of our own signatures."""

from __future__ import annotations

import pytest

from postroom.wire.dkim import body_hash, sign
from postroom.wire.dkim_verify import problem, tags
from postroom.wire.mime.header import Header, make_field, read_header
from support.dkim import SAMPLES, ed25519_key, record, signing_key, verifies

RSA, ED25519 = signing_key(), signing_key(private=ed25519_key())


def signed(message: bytes, key=RSA) -> tuple[Header, bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    header = read_header(head.removesuffix(b"\r\n") + b"\r\n")
    assert isinstance(header, Header)
    field = sign(header.fields, body_hash([body]), key, at=1, expires=2**33)
    return header.prepended([field]), body


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("name", SAMPLES)
def test_what_we_sign_is_good(name, key):
    header, body = signed(SAMPLES[name], key)
    assert problem(header.fields, [body[:7], body[7:]], record(key)) == ""


def test_dkimpy_is_of_the_same_opinion():
    header, body = signed(SAMPLES["multipart"])
    for changed in (body, body + b"more\r\n"):
        ours = problem(header.fields, [changed], record(RSA)) == ""
        assert verifies(bytes(header) + b"\r\n" + changed, RSA) is ours is (changed == body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: ", b"Subject: not "),
        (b"From: ", b"From: Somebody "),
        (b"s=s1;", b"s=s2;"),
    ],
)
def test_a_changed_header_is_found(old, new):
    header, body = signed(SAMPLES["plain"])
    changed = read_header(bytes(header).replace(old, new, 1))
    assert isinstance(changed, Header)
    assert bytes(changed) != bytes(header)
    assert (
        problem(changed.fields, [body], record(RSA))
        == "the signature was not made with the key that is published"
    )


def test_an_added_field_and_a_changed_body_are_found():
    header, body = signed(SAMPLES["plain"])
    added = Header([*header.fields, make_field(b"Subject: another\r\n")])
    assert "signature" in problem(added.fields, [body], record(RSA))
    assert "hash of the body" in problem(header.fields, [body, b"more"], record(RSA))
    assert problem(header.fields[1:], [body], record(RSA)) == "there is no DKIM-Signature"


@pytest.mark.parametrize(
    ("published", "told"),
    [
        pytest.param(record(signing_key(private=ed25519_key())), "cannot be read", id="another-kind"),
        ("v=DKIM1; k=rsa; p=", "cannot be read"),
        ("v=DKIM1; k=rsa; p=!!", "cannot be read"),
        ("nonsense", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_record_that_does_not_fit(published, told):
    header, body = signed(SAMPLES["plain"])
    assert told in problem(header.fields, [body], published)


def test_white_space_in_a_record_does_not_matter():
    header, body = signed(SAMPLES["plain"])
    text = record(RSA)
    assert problem(header.fields, [body], f"{text[:60]} \t{text[60:]}") == ""
    assert tags(b"a=1; b = 2 3;c") == {b"a": b"1", b"b": b"23"}
