"""Rows as the store holds them, with what a test does not care for filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from postroom.store.domains import Domain

_DOMAIN = Domain(
    id="d" * 16,
    account_id="a" * 16,
    name="example.com",
    mode="live",
    verified_at=1,
    trusted=False,
    return_path_host="",
    return_path_verified_at=None,
    smtp_enabled=True,
    strict_envelope=False,
    keep_content=False,
    check_result="",
    checked_at=None,
    created_at=1,
    updated_at=1,
)


def domain(**changes: Any) -> Domain:
    """Verified, and live."""
    return replace(_DOMAIN, **changes)
