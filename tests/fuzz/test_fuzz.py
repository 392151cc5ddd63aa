"""The fuzz targets for a moment, and with every input that once broke something (`found/<target>/`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

FOUND = sorted((Path(__file__).parent / "found").glob("*/*"))
EXAMPLES = 150


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Words of the target's language in any order, with some noise between them."""
    words = st.sampled_from(TARGETS[name].words) | st.binary(max_size=6)
    cut = st.integers(0, 40).map(lambda number: bytes([number]))
    return st.tuples(cut, st.lists(words, max_size=25)).map(lambda drawn: drawn[0] + b"".join(drawn[1]))


def check(name: str, examples: int) -> None:
    """Raises what the target raises, for the smallest input that makes it."""

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(inputs(name) | st.binary(max_size=200))
    def run(data: bytes) -> None:
        TARGETS[name].run(data)

    run()


@pytest.mark.parametrize("name", TARGETS)
def test_fuzz(name: str) -> None:
    check(name, EXAMPLES)


def test_what_was_found_stays_mended() -> None:
    for path in FOUND:
        TARGETS[path.parent.name].run(path.read_bytes())
