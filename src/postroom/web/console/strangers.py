"""Mail that somebody who is not signed in asks for: limited by where they are, and done after the answer, so that neither
the answer nor its time tells who is known (U10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

import structlog
from fastapi import BackgroundTasks

from postroom.accept.submission.limits import client_network
from postroom.errors import PostroomError
from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.call import Call
from postroom.web.api.errors import refused
from postroom.web.api.rates import Windows

log = structlog.get_logger()

MAILS, SECONDS = 10, 3600.0
"""Mails that one network may ask for within this time."""


class MailLimit:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._asked = Windows(SECONDS)

    def take(self, call: Call) -> None:
        """Count one. Raises ApiError (429)."""
        taken = self._asked.take(client_network(call.client), MAILS, self._api.clock.monotonic())
        if not taken.allowed:
            why = Refused(refusals.LINK_RATE, {"minutes": str(ceil(taken.seconds / 60))})
            self._api.refusals.add(why, client=call.client)
            raise refused(why, retry_after=taken.seconds)


def afterwards(tasks: BackgroundTasks, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """Run it when the answer is out. What goes wrong is logged: there is nobody left to tell."""

    async def run() -> None:
        try:
            await work(*arguments)
        except PostroomError as error:
            log.warning("what a stranger asked for was not done", work=work.__name__, reason=str(error))

    tasks.add_task(run)
