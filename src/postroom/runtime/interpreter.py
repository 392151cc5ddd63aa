"""How the interpreter is set for a process whose event loop is always busy."""

from __future__ import annotations

import gc
import sys

# The database and signing threads take turns with the event loop for the interpreter lock. At the default of 5 ms a
# commit of twenty statements could wait 100 ms for it under load.
SWITCH_SECONDS = 0.0001

# Nothing on the hot path makes cycles: reference counts free it. At the default of 700 the collector ran every ten messages.
YOUNG, MIDDLE, OLD = 20_000, 20, 20


def take_turns_often() -> None:
    sys.setswitchinterval(SWITCH_SECONDS)


def collect_rarely() -> None:
    """To be called when everything is built: what is there now stays, and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
