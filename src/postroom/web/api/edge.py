"""Around the whole API: the request's id, who the client is, and the log."""

from __future__ import annotations

import re
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.web.api.call import KEY, Call
from postroom.web.asked import asked
from postroom.web.proxies import Proxies

log = structlog.get_logger()

GONE = 499
"""What the log says of a client that went away before it was answered."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:+/=@-]{0,127}")


class Edge:
    def __init__(self, app: ASGIApp, clock: Clock, proxies: Proxies, *, access_log: bool) -> None:
        self._app = app
        self._clock = clock
        self._proxies = proxies
        # Bound now, for a logger that is not costs as much as its line.
        self._requests = structlog.get_logger().bind() if access_log else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise TypeError(f"the API does not speak {scope['type']}")
        began = self._clock.monotonic()
        call = scope[KEY] = Call(self._id(scope), *self._proxies.client(scope))
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    *call.headers,
                    (b"cache-control", b"no-cache, private"),
                    (b"x-request-id", call.id.encode()),
                ]
            await send(message)

        try:
            await self._app(asked(scope), receive, answer)
        except ClientDisconnect:
            status = GONE
        except Exception:
            log.exception("a request failed", request=call.id, route=call.route)
        finally:
            if self._requests is not None:
                self._log(self._requests, scope, call, status, began)

    def _id(self, scope: Scope) -> str:
        """The client's own, if it is fit to be repeated; else a new one."""
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                return str(value, "ascii")
        return ids.mail_id(self._clock.now_ms())

    def _log(self, requests: Any, scope: Scope, call: Call, status: int, began: float) -> None:
        requests.info(
            "request",
            method=scope["method"],
            route=call.route or "-",
            status=status,
            ms=round((self._clock.monotonic() - began) * 1000, 1),
            request=call.id,
            account=call.caller.account_id if call.caller is not None else "-",
            client=call.client,
        )
