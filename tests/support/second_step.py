"""An authenticator app for tests, and somebody who uses one."""

from __future__ import annotations

from base64 import b32decode
from typing import Any

from postroom.runtime.clock import FakeClock
from postroom.wire import totp
from support import people
from support.api import ApiWorld
from support.people import SignedIn, secret_in


class App:
    """`code()` is the current one, `code(1)` the next. `person` is signed in."""

    def __init__(self, person: SignedIn, shown: dict[str, Any], world: ApiWorld) -> None:
        self.person = person
        self.secret = b32decode(shown["secret"])
        self.recovery_codes: list[str] = []
        self._world = world

    @property
    def email(self) -> str:
        return self.person.user.email

    def code(self, later: int = 0) -> str:
        return totp.code(self.secret, totp.step_at(self._world.clock.now_ms()) + later)


async def enrolled(api: ApiWorld, *, wait: bool = True) -> App:
    """Somebody with a second step; after `wait` its code is one that was not used yet."""
    person = await api.person()
    begun = await person.post("/console/second-factor", json={"password": people.PASSWORD})
    app = App(person, begun.json()["data"], api)
    answer = await person.post("/console/second-factor/confirm", json={"code": app.code()})
    assert answer.status_code == 200, answer.text
    app.recovery_codes = answer.json()["data"]["recovery_codes"]
    app.person = SignedIn(api.http, person.user, secret_in(answer))
    if wait:
        assert isinstance(api.clock, FakeClock), "only a clock of ours can be moved"
        api.clock.advance(2 * totp.STEP)
    return app
