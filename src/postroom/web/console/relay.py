"""`GET /console/relay`: where programs hand over mail by SMTP, and whose certificate they will see there."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from postroom.config import Config
from postroom.runtime import tls
from postroom.types.permissions import Permission
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ListenerOut(BaseModel):
    port: int
    tls: Literal["starttls", "implicit"]


class RelayOut(BaseModel):
    """`authority`: the certificate, as PEM, that clients need to believe the relay's; null when it is another's who is
    known everywhere, or the operator's own matter."""

    server: str
    listeners: list[ListenerOut]
    authority: str | None


def router(api: Api) -> APIRouter:
    resource = routes("Relay")

    @resource.get("/relay", summary="Where to connect by SMTP")
    @access(Permission.VIEW_SMTP_USERS, Permission.MANAGE_SMTP_USERS)
    async def show() -> Data[RelayOut]:
        """The ports are those of the settings, each once, STARTTLS first."""
        authority = await asyncio.to_thread(_authority, api.config)
        return Data(data=RelayOut(server=server(api), listeners=listeners(api.config), authority=authority))

    return resource


def server(api: Api) -> str:
    """The name to connect to; `localhost` as long as the relay listens on this machine only."""
    config = api.config
    listens = [*config.submission.listen, *config.submission.implicit_tls_listen]
    named = config.server.smtp_host or config.tls.certificate is not None
    if not named and all(one.host in _LOOPBACK for one in listens):
        return "localhost"
    return config.server.smtp_host or api.hostname


def listeners(config: Config) -> list[ListenerOut]:
    """A port may be listened on at several addresses."""
    starttls = dict.fromkeys(one.port for one in config.submission.listen)
    implicit = dict.fromkeys(one.port for one in config.submission.implicit_tls_listen)
    return [
        *(ListenerOut(port=port, tls="starttls") for port in starttls),
        *(ListenerOut(port=port, tls="implicit") for port in implicit),
    ]


def _authority(config: Config) -> str | None:
    """Of the first run; a configured certificate is somebody else's."""
    if config.tls.certificate is not None:
        return None
    try:
        return tls.authority_file(config.data).read_text("ascii")
    except OSError:
        return None
