"""Header text for people: decoded, harmless, cut."""

from __future__ import annotations

import codecs
import unicodedata
from base64 import b64encode
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.wire.mime import encoded_words
from postroom.wire.mime.encoded_words import display


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b" Hello there ", "Hello there"),
        (b"Hello\r\n there", "Hello there"),
        ("Grüße".encode(), "Grüße"),
        (b"Gr\xfc\xdfe", "Grüße"),
        (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?UTF-8?Q?Gr=c3=bc_=C3=9F?=", "Grü ß"),
        (b"=?utf-8*en?B?R3LDvMOfZQ==?=", "Grüße"),
        (b"=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
        (b"a =?utf-8?q?b?= c =?utf-8?q?d?=", "a b c d"),
        (b"=?utf-8?q?a?= \r\n =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?= =?iso-8859-1?q?=FC?=", "aü"),
        (b"(=?utf-8?q?a?=)x", "(a)x"),
        (b"=?iso-8859-2?q?=B1?=", "ą"),
        (b"=?windows-1252?q?=80?=", "€"),
        (b"=?koi8-r?b?8NLJ18XU?=", "Привет"),
        (b"=?iso-2022-jp?B?GyRCRWw1fhsoQg==?=", "東京"),
        (b"=?gb2312?B?sbG+qQ==?=", "北京"),
        (b"=?ks_c_5601-1987?B?vK2/7w==?=", "서울"),
    ],
)
def test_m06_decoded(value: bytes, shown: str) -> None:
    assert display(value, 100) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "ö"),  # a character cut in two
        (b"=?utf-8?b?w7Y=?= =?utf-8?q?=C3?= =?utf-8?b?tg==?=", "öö"),
        (b"=?utf-8?q?a?b?=", "=?utf-8?q?a?b?="),
        (b"=?utf-8?b?A?=", "=?utf-8?b?A?="),  # no base64
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?q?a", "=?utf-8?q?a"),
        (b"=?utf-8?q??= x", "x"),
        (b"=?utf-8?q?a=0D=0ABcc:_evil?=", "a Bcc: evil"),
        (b"=?utf-8?q?a=00=07=1B[31mb?=", "a[31mb"),
        (b"=?utf-8?q?=E2=80=AEgpj.exe?=", "gpj.exe"),  # right-to-left override
        (b"=?utf-8?q?a=E2=80=A8b?=", "a b"),
        (b"=?utf-8?q?=FF?=", "\ufffd"),
        (b"a\x0bb\x1cc\xc2\x85d", "a bc d"),
    ],
)
def test_m06_odd_words(value: bytes, shown: str) -> None:
    assert display(value, 100) == shown


def test_m06_ten_thousand_words_and_unclosed_ones() -> None:
    assert display(b"=?utf-8?q?ab?= " * 10_000, 50) == "ab" * 24 + "a…"
    assert display(b"=?" * 100_000, 50).startswith("=?=?")
    assert display(b"=?utf-8?q?" * 20_000, 5) == "=?ut…"


CODECS = "utf-7 idna punycode unicode_escape raw_unicode_escape rot13 zip zlib bz2 hex base64 uu quopri undefined mbcs oem"


@pytest.mark.parametrize("label", [*CODECS.split(), "no-such-charset", "x" * 40, "utf-16", "..", "utf_8_sig"])
def test_m05_other_charsets_are_read_as_windows_1252(label: str) -> None:
    word = b"=?" + label.encode() + b"?q?uryyb+AGE-\\x41=80?="
    assert display(word, 100) == "uryyb+AGE-\\x41€"


def test_m05_a_label_of_ten_kilobytes_or_none_is_no_word() -> None:
    assert display(b"=?" + b"x" * 10_000 + b"?q?a?=", 10) == "=?xxxxxxx…"
    assert display(b"=???q?a?=", 100) == "=???q?a?="


def test_m05_python_never_looks_up_a_label(monkeypatch) -> None:
    """Every name and alias Python knows, and what it decodes to, comes from our list or is windows-1252."""
    looked_up: set[str] = set()
    monkeypatch.setattr(encoded_words, "decode", _spy(looked_up, encoded_words.decode))
    for label in {*aliases, *aliases.values()}:
        display(b"=?" + label.encode() + b"?b?" + b64encode(b"x") + b"?=", 10)
    codecs_used = {encoded_words._CODECS.get(label, "cp1252") for label in looked_up}
    assert codecs_used <= {*encoded_words._CODECS.values(), "cp1252"}
    for codec in codecs_used:
        assert codecs.lookup(codec).name not in {
            "utf-7",
            "idna",
            "punycode",
            "unicode-escape",
            "raw-unicode-escape",
        }
        b"".decode(codec)  # raises LookupError for codecs that are no text encodings


def _spy(seen, function):
    def spied(octets, charset):
        seen.add(charset)
        return function(octets, charset)

    return spied


@given(st.binary(max_size=300), st.integers(1, 50))
def test_whatever_comes_is_one_clean_line_of_limited_length(value: bytes, limit: int) -> None:
    shown = display(value, limit)
    assert len(shown) <= limit
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in shown)
    shown.encode("utf-8")


def test_a_cut_between_octets_of_a_character_does_not_spoil_the_rest() -> None:
    assert display("ö".encode() * 10_000, 10) == "ö" * 9 + "…"
