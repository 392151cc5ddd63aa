"""Named places where fault tests end, stop or disturb the process (Q01).

The product calls `reach("accept.before_commit")` where a crash would be interesting. That costs one look at a global,
unless the environment says otherwise:

    POSTROOM_KILLPOINT=name[:nth][:mode]   what to do when this place is reached the nth time (the first)
    POSTROOM_KILLPOINT_LOG=file            add a line with each name, the first time it is reached

Modes: `kill` ends the process as a power cut would (SIGKILL), `stop` lets it stand still until somebody sends SIGCONT,
`raise` raises an OSError, as a broken disk would, `raise=ValueError` any other exception that Python knows.
"""

from __future__ import annotations

import builtins
import errno
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from postroom.errors import ConfigError

SWITCH, LOG = "POSTROOM_KILLPOINT", "POSTROOM_KILLPOINT_LOG"

NAMES = (
    # how a message gets in
    "submission.end_of_data",
    "submission.large_content_stored",
    "submission.before_answer",
    "accept.batch_taken",
    "accept.planned",
    "accept.before_commit",
    "accept.after_commit",
    "accept.before_answers",
    "accept.before_hand_over",
    # a bulk email and its groups
    "bulk.before_commit",
    "bulk.accepted",
    "bulk.claimed",
    "bulk.group_kept",
    "bulk.before_advance",
    "bulk.advanced",
    # large content and whole files
    "blobs.written",
    "blobs.before_rename",
    "blobs.after_rename",
    "blobs.stored",
    "files.before_rename",
    "files.after_rename",
    # from the table to the other side
    "claim.before_commit",
    "claim.after_commit",
    "deliver.before_mark",
    "deliver.composed",
    "deliver.marked",
    "deliver.before_content",
    "deliver.before_final_dot",
    "deliver.after_final_dot",
    "deliver.reply_received",
    "deliver.before_outcome",
    "tick.taken",
    "tick.outcomes_written",
    "tick.before_commit",
    "tick.after_commit",
    # ownership
    "lease.before_start",
    "lease.started",
    "lease.before_renewal",
    "lease.renewed",
    "lease.lost",
    # the database itself
    "migrate.before_commit",
    "migrate.after_commit",
    "checkpoint.before",
    "checkpoint.after",
    "retention.before_commit",
    "retention.before_blobs",
    "retention.blob_deleted",
    # the first run
    "first_run.account_made",
    "first_run.domain_made",
    "first_run.operator_made",
    "first_run.smtp_user_made",
    "first_run.card_written",
    "first_run.before_finish",
    # the end
    "drain.begin",
    "drain.submission_ended",
    "drain.deliveries_ended",
    "drain.outcomes_written",
    "drain.before_release",
    "drain.end",
)


@dataclass(slots=True)
class _Plan:
    """What the environment asks for. Places are reached in several threads."""

    name: str = ""
    nth: int = 1
    mode: str = "kill"
    log: str = ""
    seen: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


def plan(environ: Mapping[str, str]) -> _Plan | None:
    """What the environment asks for. Raises ConfigError for a name or a mode that does not exist."""
    wanted, log = environ.get(SWITCH, ""), environ.get(LOG, "")
    if not wanted and not log:
        return None
    name, *options = wanted.split(":")
    made = _Plan(name, log=log)
    for option in options:
        if option.isdigit():
            made.nth = int(option)
        else:
            made.mode = option
    mode, _, error = made.mode.partition("=")
    known = (mode in ("kill", "stop") and not error) or (
        mode == "raise" and (not error or hasattr(builtins, error))
    )
    if (name and name not in NAMES) or not known:
        raise ConfigError(f"{SWITCH}: {wanted}: there is no such place or mode")
    return made


def reach(name: str) -> None:
    """The process is at this place."""
    if _plan is not None:
        _reached(_plan, name)


def _reached(plan: _Plan, name: str) -> None:
    with plan.lock:
        assert name in NAMES, name
        if plan.log and name not in plan.seen:
            plan.seen.add(name)
            _note(plan.log, name)
        if name != plan.name or not plan.nth:
            return
        plan.nth -= 1
        if plan.nth:
            return
    _act(plan.mode, name)


def _note(log: str, name: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, f"{name}\n".encode())
    finally:
        os.close(descriptor)


def _act(mode: str, name: str) -> None:
    if mode == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif mode == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif mode == "raise":
        raise OSError(errno.EIO, os.strerror(errno.EIO), name)
    else:
        error: type[Exception] = getattr(builtins, mode.removeprefix("raise="))
        raise error(f"raised on purpose at {name}")


_plan = plan(os.environ)
