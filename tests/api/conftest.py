"""The real API on a fresh SQLite database, called in process. `api` has everything a test of an endpoint needs.

async def test_something(api: ApiWorld) -> None:
    answer = await api.get("/api-quota")           # with a token for everything
    other = await api.tenant()                     # another account, for H01
    answer = await other.get("/api-quota")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest

from postroom.store.database import Database
from postroom.wire import dkim_keys
from support.api import ApiWorld

_one_key = cache(dkim_keys.generate_rsa)


@pytest.fixture(autouse=True, scope="module")
def one_key() -> Iterator[None]:
    """Making a DKIM key takes a tenth of a second, each time; here all domains share one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dkim_keys, "generate_rsa", _one_key)
        yield


@pytest.fixture
async def api(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[ApiWorld]:
    """As in a node with default settings, but without limits per minute."""
    world = await ApiWorld.start(sqlite_database, tmp_path)
    yield world
    await world.stop()
