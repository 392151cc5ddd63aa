"""The courier runs on uvloop in production and on asyncio where there is none: its tests run on both."""

import asyncio
import ssl
from collections.abc import Callable, Mapping

import pytest
import uvloop

from support.tls import local_tls


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture(params=["clear", "tls"])
def tls(request: pytest.FixtureRequest) -> ssl.SSLContext | None:
    """For the peer: with and without STARTTLS."""
    return local_tls().server if request.param == "tls" else None
