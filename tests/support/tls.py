"""A local authority, a server's context and a client's that trusts it; made once per test run."""

import atexit
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from postroom.runtime.clock import Clock
from postroom.runtime.local_ca import ensure_certificate
from postroom.runtime.tls import server_context


@dataclass(frozen=True)
class TestTls:
    __test__ = False
    server: ssl.SSLContext
    client: ssl.SSLContext
    authority: Path


@cache
def local_tls() -> TestTls:
    """Certificates for localhost and the loopback addresses."""
    directory = Path(tempfile.mkdtemp(prefix="postroom-test-tls-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    ensure_certificate(directory, [], Clock())
    return TestTls(
        server_context(directory / "server.crt", directory / "server.key"),
        ssl.create_default_context(cafile=directory / "ca.crt"),
        directory / "ca.crt",
    )
