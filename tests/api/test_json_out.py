"""What goes out: JSON as the contract's server writes it (contract section 1.3)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.web.api.json_out import dumps, empty, timestamp
from support.api import ApiWorld

GOOD = {"title": "é/漢", "owner": {"email": "a@x.test"}}


async def test_slashes_and_everything_beyond_ascii_are_escaped(api: ApiWorld) -> None:
    answer = await api.post("/notes", json=GOOD)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.text.startswith(
        '{"data":{"title":"\\u00e9\\/\\u6f22","owner":{"email":"a@x.test","name":null},'
    )


@given(
    st.recursive(
        st.text() | st.integers() | st.none() | st.booleans(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_escaping_changes_nothing(value: object) -> None:
    for pretty in (True, False):
        text = dumps(value, pretty=pretty)
        assert json.loads(text) == value
        assert b"/" not in text.replace(b"\\/", b"")
        assert text.isascii()


def test_what_is_no_json_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps([float("nan")])


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_753_791_390_000, "2025-07-29T12:16:30.000000Z"),
        (1_753_791_390_007, "2025-07-29T12:16:30.007000Z"),
    ],
)
def test_timestamps_have_six_decimals(milliseconds: int, text: str) -> None:
    assert timestamp(milliseconds) == text


@pytest.mark.parametrize("status", [200, 202, 204])
def test_an_empty_answer_is_not_json(status: int) -> None:
    answer = empty(status, {"x-message-id": "a" * 24})
    assert (answer.status_code, answer.body) == (status, b"")
    assert answer.headers["content-type"] == "text/html; charset=UTF-8"
    assert answer.headers["x-message-id"] == "a" * 24
