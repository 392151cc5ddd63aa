"""`serve.json` in the data directory: where the relay that runs on it listens, so that other commands find it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from postroom.config import Config
from postroom.runtime import files

FILE = "serve.json"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def announce(config: Config, addresses: Mapping[str, Any]) -> None:
    """Say where we listen. A node that takes no mail does not take the place of one that does."""
    if "submission" in addresses or find(config) is None:
        files.write_file(config.data / FILE, json.dumps(addresses).encode())


def withdraw(config: Config) -> None:
    """Take back what this process has announced."""
    addresses = find(config)
    if addresses is not None and addresses["pid"] == os.getpid():
        (config.data / FILE).unlink(missing_ok=True)


def find(config: Config) -> dict[str, Any] | None:
    """The addresses of the running relay; None when there is none, also when it died without saying so."""
    try:
        addresses: dict[str, Any] = json.loads((config.data / FILE).read_text("utf-8"))
        os.kill(addresses["pid"], 0)
    except PermissionError as error:
        # It is somebody else's process, so it runs; but somebody else's file cannot be read.
        return None if error.filename else addresses
    except (OSError, ValueError, KeyError):
        return None
    return addresses


def listeners(config: Config) -> list[dict[str, Any]]:
    """Where mail can be handed over: host, port and tls ("starttls" or "implicit"); as set when nothing runs."""
    addresses = find(config)
    if addresses is not None:
        return list(addresses.get("submission", []))
    submission = config.submission
    return [
        {"host": listen.host, "port": listen.port, "tls": tls}
        for tls, group in (("starttls", submission.listen), ("implicit", submission.implicit_tls_listen))
        for listen in group
        if listen.port
    ]


def server_name(config: Config) -> str:
    """The relay host as customers are told it: by setting, or how this machine calls the address it listens on."""
    if config.server.smtp_host or config.server.hostname:
        return config.server.smtp_host or config.server.hostname
    host = next((reachable(listener["host"]) for listener in listeners(config)), "localhost")
    return "localhost" if host in LOOPBACK else host


def base_url(config: Config, addresses: Mapping[str, Any] | None = None) -> str:
    """Where people reach the web pages; without the setting that is on this machine only. `addresses` are those of the
    relay that is just starting, else of the running one."""
    if config.server.http_url:
        return config.server.http_url.rstrip("/")
    http = (addresses or find(config) or {}).get("http") or {}
    return f"http://localhost:{http.get('port') or config.http.listen.port}"


def reachable(host: str) -> str:
    """An address to connect to for an address that is listened on."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not listening
