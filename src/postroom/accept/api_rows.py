"""The rows that only messages of the API add: what is shown of them later, and their idempotency keys."""

from __future__ import annotations

import json
from typing import Any

from postroom.accept.accepted import Accepted
from postroom.store.batches.rows import ApiMessageRow, IdempotencyRow, MetadataRow
from postroom.types.draft import Draft


def message_row(draft: Draft) -> ApiMessageRow | None:
    """None when there is nothing to remember, which is nearly always."""
    details = draft.details
    if details is None and draft.send_at is None:
        return None
    headers = [{"name": name, "value": value} for name, value in details.headers] if details else []
    return ApiMessageRow(
        draft.account_id,
        draft.id,
        details.template_id or None if details else None,
        details.template_version or None if details else None,
        _json(headers),
        _json(dict(details.metadata)) if details else None,
        draft.send_at,
        _json(dict(details.settings)) if details else None,
    )


def metadata_rows(draft: Draft) -> list[MetadataRow]:
    metadata = draft.details.metadata if draft.details is not None else {}
    return [MetadataRow(draft.account_id, name, value, draft.id) for name, value in metadata.items()]


def idempotency_row(draft: Draft, now: int) -> IdempotencyRow | None:
    if draft.idempotency is None:
        return None
    key, fingerprint = draft.idempotency.key, draft.idempotency.fingerprint
    answer, expires_at = Accepted.of(draft).encode(), now + draft.idempotency.kept_ms
    return IdempotencyRow(draft.account_id, key, fingerprint, answer, expires_at)


def _json(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None
