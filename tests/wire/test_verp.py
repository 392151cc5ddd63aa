"""Return-path tokens: ours are read, nobody else's, and nothing can be read from them."""

from __future__ import annotations

import json
from base64 import b32decode, b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.types.addresses import parse_mailbox
from postroom.wire import verp

KEY = b"k" * 32
ACCOUNT, EMAIL = "abcdefgh23456789", "0198c2f1a2b3c4d5e6f70811"

account_ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=16, max_size=16)
email_ids = st.binary(min_size=12, max_size=12).map(bytes.hex)


@given(account_ids, email_ids)
def test_a_token_is_read_back(account_id: str, email_id: str) -> None:
    assert verp.parse(KEY, verp.token(KEY, account_id, email_id)) == (account_id, email_id)


@pytest.mark.parametrize(("account_id", "email_id"), [("0" * 16, "0" * 24), ("z" * 16, "f" * 24)])
def test_the_ends_of_the_range(account_id: str, email_id: str) -> None:
    assert verp.parse(KEY, verp.token(KEY, account_id, email_id)) == (account_id, email_id)


def test_it_fits_a_local_part_in_lower_case() -> None:
    local = verp.PREFIX + verp.token(KEY, ACCOUNT, EMAIL)
    assert len(local) <= 64
    assert local == local.lower()
    assert parse_mailbox(f"{local}@bounce.example.com").local == local


def test_letter_case_does_not_matter() -> None:
    assert verp.parse(KEY, verp.token(KEY, ACCOUNT, EMAIL).upper()) == (ACCOUNT, EMAIL)


def test_s34_every_changed_character_fails() -> None:
    token = verp.token(KEY, ACCOUNT, EMAIL)
    for at in range(len(token)):
        for char in "abcdefghijklmnopqrstuvwxyz0123456789-_=":
            if char != token[at]:
                assert verp.parse(KEY, token[:at] + char + token[at + 1 :]) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a" * 56,
        "a" * 55,
        "a" * 57,
        "a" * 63,
        "\u212a" * 56,
        "ö" * 56,
        "1" * 56,
        " " * 56,
        "a" * 55 + "\n",
    ],
)
def test_s34_what_is_no_token_is_not_read(token: str) -> None:
    assert verp.parse(KEY, token) is None


def test_s34_another_key_reads_nothing() -> None:
    assert verp.parse(b"x" * 32, verp.token(KEY, ACCOUNT, EMAIL)) is None


def test_t02_nothing_can_be_read_from_a_thousand_tokens() -> None:
    emails = [f"{0x0198C2F1A2B3:012x}{number:012x}" for number in range(1000)]
    tokens = [verp.token(KEY, ACCOUNT, email) for email in emails]
    for at in range(len(tokens[0]) - 8):
        assert len({token[at : at + 8] for token in tokens}) == 1000  # nothing in common anywhere
    for token, email in zip(tokens, emails, strict=True):
        secrets = (ACCOUNT.encode(), email.encode(), bytes.fromhex(email)[:6], int(ACCOUNT, 36).to_bytes(11))
        seen = (token.encode(), b32decode(token.upper()), b64decode(token))
        assert not any(secret in octets for secret in secrets for octets in seen)
        with pytest.raises(ValueError):
            json.loads(b32decode(token.upper()))


@pytest.mark.parametrize(
    ("account_id", "email_id"),
    [
        ("short", EMAIL),
        (ACCOUNT.upper(), EMAIL),
        (ACCOUNT, EMAIL.upper()),
        (ACCOUNT, EMAIL[:-1]),
        (ACCOUNT + "\n", EMAIL),
    ],
)
def test_ids_of_another_form_are_a_mistake(account_id: str, email_id: str) -> None:
    with pytest.raises(ValueError):
        verp.token(KEY, account_id, email_id)
