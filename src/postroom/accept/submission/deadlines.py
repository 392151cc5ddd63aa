"""How long a client may take (S17). Looked at once a tick, so keeping them costs an assignment."""

from __future__ import annotations

from postroom.config import Submission
from postroom.types.refusals import IDLE_TIMEOUT, TOO_SLOW, Refused

RATE_AFTER = 20.0  # seconds of data before its rate counts


class Deadlines:
    """All times are monotonic seconds.

    A command's time runs from the last reply to the next one: single octets do not prolong it. Within data each octet
    ends the silence, and the rate since DATA is watched.
    """

    __slots__ = ("_command_by", "_data_since", "_heard", "_limits", "_login_by", "_octets")

    def __init__(self, limits: Submission, now: float) -> None:
        self._limits = limits
        self._login_by: float | None = now + limits.login_timeout
        self._command_by = now + limits.command_timeout
        self._data_since: float | None = None
        self._heard = now
        self._octets = 0

    def logged_in(self) -> None:
        self._login_by = None

    def replied(self, now: float) -> None:
        self._command_by = now + self._limits.command_timeout

    def data_started(self, now: float) -> None:
        self._data_since = self._heard = now
        self._octets = 0

    def received(self, now: float, octets: int) -> None:
        self._heard = now
        self._octets += octets

    def data_ended(self) -> None:
        self._data_since = None

    def stood_still(self, now: float, seconds: float) -> None:
        """It was we who did not read."""
        self._heard = now
        self._command_by += seconds
        if self._data_since is not None:
            self._data_since += seconds

    def overdue(self, now: float) -> Refused | None:
        limits = self._limits
        if self._data_since is not None:
            if now - self._heard > limits.data_timeout:
                return _timeout(limits.data_timeout)
            elapsed = now - self._data_since
            if elapsed > RATE_AFTER and self._octets < limits.min_data_rate * elapsed:
                return Refused(TOO_SLOW, {"rate": str(limits.min_data_rate)})
            return None
        if self._login_by is not None and now > self._login_by:
            return _timeout(limits.login_timeout)
        if now > self._command_by:
            return _timeout(limits.command_timeout)
        return None


def _timeout(seconds: float) -> Refused:
    return Refused(IDLE_TIMEOUT, {"seconds": f"{seconds:g}"})
