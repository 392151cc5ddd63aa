"""What the fault tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.warm import Warm


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Relays that start quickly."""
    with Warm() as started:
        yield started
