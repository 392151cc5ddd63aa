"""See `support.dashboard`."""

from __future__ import annotations

from support.dashboard import browser, page, postroom, stranger, visit

__all__ = ["browser", "page", "postroom", "stranger", "visit"]
