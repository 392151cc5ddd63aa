"""Codes by time, against the vectors of the RFCs."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.wire import totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    assert totp.code(SECRET, totp.step_at(seconds * 1000), digits=8) == code


RFC_4226 = [
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
]


@pytest.mark.parametrize(("counter", "code"), list(enumerate(RFC_4226)))
def test_rfc_4226_appendix_d(counter: int, code: str) -> None:
    assert totp.code(SECRET, counter) == code


@pytest.mark.parametrize(("late", "step"), [(-2, None), (-1, 99), (0, 100), (1, 101), (2, None)])
def test_a_phone_may_be_wrong_by_one_step(late: int, step: int | None) -> None:
    now = 100 * totp.STEP * 1000
    assert totp.matching_step(SECRET, totp.code(SECRET, 100 + late), now) == step


@pytest.mark.parametrize(
    "given_code", ["", "12345", "1234567", "abcdef", "１２３４５６", "75522４", "-55224", "755 24"]
)
def test_what_is_no_code(given_code: str) -> None:
    assert totp.matching_step(SECRET, given_code, 0) is None


@given(st.binary(min_size=1, max_size=64), st.integers(0, 2**48))
def test_every_code_is_found_at_its_own_time(secret: bytes, now: int) -> None:
    step = totp.step_at(now)
    found = totp.matching_step(secret, totp.code(secret, step), now)
    assert found is not None
    assert totp.code(secret, found) == totp.code(secret, step)


def test_what_the_qr_code_says() -> None:
    made = urlsplit(totp.url(SECRET, issuer="Postroom", name="anna+x@example.com"))
    assert (made.scheme, made.netloc) == ("otpauth", "totp")
    assert unquote(made.path) == "/Postroom:anna+x@example.com"
    assert parse_qs(made.query) == {"secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], "issuer": ["Postroom"]}
