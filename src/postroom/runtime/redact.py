"""The redactor: no password, key, token or AUTH line reaches a log, whatever was passed to it (X02)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from structlog.typing import EventDict, WrappedLogger

HIDDEN = "[redacted]"
LONGEST = 8192

_SECRET_KEY = re.compile(
    r"(?i)(?:^|[_-])(?:password|passwd|secret|token|authorization|cookie|credentials?|api[_-]?key|private[_-]?key)s?(?:$|[_-])"
)
# Most events hold nothing of interest, which a search for these in all their values together decides. No value that
# one of the patterns below would change lacks them all.
_SUSPECT = ("auth", "bearer", "basic", "cookie", "passw", "secret", "token", "key", "://")
_HARMLESS = (int, float, bool, type(None))
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        HIDDEN,
    ),
    (re.compile(r"(?i)\b(AUTH\s+[A-Z][A-Z0-9_-]*\s+)[^\s\"',]+"), rf"\1{HIDDEN}"),
    (
        re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)([\"']?\s*[:=]\s*)[^\r\n]+"),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:password|passwd|secret|token|api[_-]?key|private[_-]?key)[\"']?\s*[:=]\s*)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&}\"']+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(://[^\s:/@]{0,200}:)[^\s@/]{1,500}@"), rf"\1{HIDDEN}@"),
)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A structlog processor: hides values by the name of their key and by what they look like."""
    if _innocent(event):
        return event
    return {key: HIDDEN if _secret(key) else redacted(value) for key, value in event.items()}


def _innocent(event: EventDict) -> bool:
    """A quick look that settles nearly every event."""
    texts: list[str] = []
    for value in event.values():
        if type(value) is str:
            texts.append(value)
        elif type(value) not in _HARMLESS:
            return False
    if _any_secret(tuple(event)):
        return False
    text = " ".join(texts)
    return len(text) <= LONGEST and not _suspect(text)


def _suspect(text: str) -> bool:
    folded = text.casefold()
    return any(word in folded for word in _SUSPECT)


@lru_cache(maxsize=512)
def _any_secret(keys: tuple[str, ...]) -> bool:
    return any(map(_secret, keys))


@lru_cache(maxsize=512)
def _secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


def redacted(value: Any) -> Any:
    """`value` with what looks secret hidden; anything but text, numbers, lists and tables becomes its repr."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {str(key): HIDDEN if _secret(str(key)) else redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(inner) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return _text(bytes(value[:LONGEST]).decode("utf-8", "backslashreplace"))
    return _text(str(value) if isinstance(value, BaseException) else repr(value))


def _text(text: str) -> str:
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}... ({len(text)} characters)"
    if _suspect(text):
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
    return text
