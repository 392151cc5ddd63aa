"""Structured logs: one line per event, every line through one redactor (X02), control characters escaped (X03).

Log with `structlog.get_logger()`; facts are keyword arguments, never part of the sentence. A line about one message has
its `message_id`, and its `email_id` if it is about one recipient. Warnings of libraries (the `logging` module) take the
same way. A log that cannot be written (disk full, pipe closed) never fails what was being logged.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from postroom.config import Log
from postroom.runtime.redact import redact

_LEVELS = logging.getLevelNamesMapping()


def configure(config: Log, stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (standard error), as text or JSON. May be called again."""
    stream = stream or sys.stderr
    as_text = config.format == "text" or (config.format == "auto" and stream.isatty())
    render = _render_text if as_text else _render_json
    chain: list[Processor] = [
        structlog.processors.add_log_level,
        _stamp,
        structlog.processors.format_exc_info,
        redact,
    ]
    sink = _Sink(stream)
    level = _LEVELS[config.level.upper()]
    structlog.configure(
        processors=[*chain, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sink),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(sink, chain, render, level)


def shown(level: str) -> bool:
    """Whether lines of this level are written. Asked once, by who would have a line for every message."""
    enabled: bool = structlog.get_logger().bind().is_enabled_for(_LEVELS[level.upper()])
    return enabled


def _route_standard_logging(sink: _Sink, chain: list[Processor], render: Processor, level: int) -> None:
    handler = logging.StreamHandler(sink)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *chain, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Below that libraries tell their daily life, and what passes through them: aiosqlite each statement with its values,
    # httpcore each header. No redactor knows a password's hash or somebody's words when it sees them (X02). The root's
    # level is for all loggers that have none of their own, and saves them the line; the handler's is for the rest.
    least = max(level, logging.WARNING)
    root.setLevel(least)
    handler.setLevel(least)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


class _Sink:
    """A stream whose faults are nobody's."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def _stamp(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The moment in UTC, to the microsecond."""
    second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    event["timestamp"] = f"{_second(second)}.{nanoseconds // 1000:06}Z"
    return event


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    """Most lines share theirs with the one before."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


_json = json.JSONEncoder(ensure_ascii=True, default=repr)
"""Made once: that takes as long as a line."""


def _render_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _json.encode(event)


def _render_text(_: WrappedLogger, __: str, event: EventDict) -> str:
    """`2026-11-23T01:02:03.456Z info     what happened key=value`; a traceback follows on indented lines."""
    moment = event.pop("timestamp", "")[:23] + "Z"
    level = event.pop("level", "")
    traceback = event.pop("exception", "")
    said = _escape(str(event.pop("event", "")))
    facts = "".join(f" {_escape(key)}={_quoted(value)}" for key, value in event.items())
    lines = "".join(f"\n    {_escape(line)}" for line in str(traceback).splitlines())
    return f"{moment} {level:<8} {said}{facts}{lines}"


def _quoted(value: Any) -> str:
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
        return _escape(value)
    plain = value.isprintable() and value and not any(char in value for char in " \"='")
    return value if plain else f'"{_escape(value)}"'


def _escape(text: str) -> str:
    """Nothing a stranger sent may start a line, move the cursor or hide another line."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )
