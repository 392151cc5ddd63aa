"""What was decoded is written again, and means the same."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from postroom.wire.json import LongText, decode
from postroom.wire.json.encode import pieces

CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=("Cs",))
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(-1e9, 1e9) | st.text(CHARACTERS)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(CHARACTERS), inner), max_leaves=20
)


@given(VALUES)
def test_a_round_trip(value):
    assert decode("".join(pieces([value])).encode()) == [value]


@given(st.text(CHARACTERS))
def test_a_long_text_is_written_as_it_was(text):
    raw = json.dumps(text).encode()
    written = "".join(pieces({"a": LongText(raw, 1, len(raw) - 1)}))
    assert json.loads(written) == {"a": text}
