"""One audit entry for each change, written in its transaction: there is no change without one, and none without a change.

A field of a record that is not shown by `repr` is a secret: that it changed is told, its value never is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import audit as store
from postroom.store.audit import Entry
from postroom.types.actor import Actor

Shown = Mapping[str, Any]

SECRET = "(secret)"  # noqa: S105 - what stands in its place
UNTOLD = frozenset({"created_at", "updated_at", "last_used_at", "checked_at", "check_result"})
"""Fields that change by themselves, or only tell when."""


async def record(
    connection: AsyncConnection,
    by: Actor,
    action: str,
    *,
    account_id: str,
    object_id: str = "",
    name: str = "",
    before: object | None = None,
    after: object | None = None,
) -> None:
    """Append an entry. `action` is `object.verb`, the verb in the past: `webhook.created`.

    `before` and `after` are records (dataclasses) or mappings; None: there was or is nothing. Of two, only the fields
    that differ are kept. `account_id` empty: the change concerns the installation.
    """
    now = Clock().now_ms()
    old, new = _shown(before), _shown(after)
    if old is not None and new is not None:
        old, new = _differing(old, new)
    entry = Entry(
        account_id=account_id,
        id=ids.mail_id(now),
        at=now,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name[:320],
        client=by.client,
        action=action,
        object_id=object_id,
        object_name=name[:320],
        before=_text(old),
        after=_text(new),
    )
    await store.add(connection, entry)


def _shown(record: object | None) -> dict[str, Any] | None:
    if record is None:
        return None
    if is_dataclass(record) and not isinstance(record, type):
        return {
            field.name: getattr(record, field.name) if field.repr else _Secret(getattr(record, field.name))
            for field in fields(record)
            if field.name not in UNTOLD
        }
    if isinstance(record, Mapping):
        return {str(name): value for name, value in record.items() if name not in UNTOLD}
    raise TypeError(f"an audit entry shows records and mappings, not {type(record).__name__}")


class _Secret:
    """Can be compared, and that is all."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def _differing(old: Shown, new: Shown) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}


def _text(shown: Shown | None) -> str | None:
    return None if shown is None else json.dumps(shown, default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, _Secret):
        return SECRET
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _shown(value)
    return str(value)
