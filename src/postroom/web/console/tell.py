"""Mail to a person about something that has happened: it has, whether the mail can be kept now or not."""

from __future__ import annotations

import structlog

from postroom.errors import PostroomError
from postroom.types.notices import Notice, Sent
from postroom.web.api.api import Api

log = structlog.get_logger()


async def tell(api: Api, notice: Notice) -> Sent | None:
    """None: it could not be kept."""
    try:
        return await api.mail.send(notice)
    except PostroomError as error:
        log.warning("a notice was not sent", notice=type(notice).__name__, reason=str(error))
        return None
