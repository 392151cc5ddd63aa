"""What a request passes before an endpoint of the console: HTTPS, session, origin and CSRF token, then who may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from postroom.accept.submission.limits import client_network
from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.access import ID, Access
from postroom.web.api.api import Api
from postroom.web.api.body import SMALL_BODY, Memory
from postroom.web.api.call import Call
from postroom.web.api.errors import not_found
from postroom.web.api.persons import PersonGate, secret_of
from postroom.web.api.rates import Windows
from postroom.web.api.route import Admitted
from postroom.web.console.access import OpenTo, Who

STRANGERS = 60
"""Requests a minute of one client address without a session."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody without an account: their bodies are counted by who they are, or by where they come from."""

    account_id: str


class ConsoleGate:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._persons = PersonGate(api)
        self._rates = Windows()
        self.bodies = Memory(api.config.api.body_memory)

    def largest_body(self, access: Access) -> int:
        """In octets."""
        del access
        return SMALL_BODY

    async def admit(
        self, call: Call, headers: Sequence[tuple[bytes, bytes]], path: dict[str, str], access: Access
    ) -> Admitted:
        """Who calls. Raises ApiError."""
        if not call.secure:
            raise self._persons.refuse(call, Refused(refusals.HTTPS_REQUIRED))
        if not isinstance(access, OpenTo):
            return await self._persons.admit(call, headers, path, access)
        if access.who is Who.ANYBODY or (access.who is Who.EITHER and secret_of(call, headers) is None):
            return self._stranger(call, headers, access)
        person = await self._persons.person(call, headers, access)
        if access.who is Who.OPERATOR and not person.operator:
            raise self._persons.refuse(call, Refused(refusals.OPERATORS_ONLY))
        if not all(ID.fullmatch(value) for name, value in path.items() if name.endswith("_id")):
            raise not_found()
        return Visitor(person.user_id)

    def _stranger(self, call: Call, headers: Sequence[tuple[bytes, bytes]], access: Access) -> Visitor:
        if access.changes:
            self._persons.check_origin(call, headers)
        network = client_network(call.client)
        taken = self._rates.take(network, STRANGERS, self._api.clock.monotonic())
        if not taken.allowed:
            facts = {"limit": str(STRANGERS), "seconds": str(taken.seconds)}
            why = Refused(refusals.SESSION_RATE, facts)
            raise self._persons.refuse(call, why, retry_after=taken.seconds)
        return Visitor(network)
