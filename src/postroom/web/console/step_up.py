"""The present password once more, for what changes how somebody signs in: an open browser is not enough (U05)."""

from __future__ import annotations

from math import ceil

from postroom.tenancy import profile
from postroom.tenancy.persons import Person
from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.errors import refused
from postroom.web.api.rates import Windows

TRIES, SECONDS = 10, 600.0
"""Tries of one person within this time, right ones, too: what a session that somebody has stolen may guess."""


class StepUp:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._tries = Windows(SECONDS)

    def take(self, person: Person) -> None:
        """Count a try. Raises ApiError (429)."""
        taken = self._tries.take(person.user_id, TRIES, self._api.clock.monotonic())
        if not taken.allowed:
            facts = {"minutes": str(ceil(taken.seconds / 60))}
            raise refused(Refused(refusals.PASSWORD_TRIES, facts), retry_after=taken.seconds)

    async def check(self, person: Person, password: str | None, field: str = "password") -> None:
        """Raises ApiError: 422 that names the field, 429. Who has no password yet needs none."""
        self.take(person)
        if not await profile.is_right(self._api.database, person.user_id, password):
            raise refused(Refused(refusals.PASSWORD_WRONG), field)
