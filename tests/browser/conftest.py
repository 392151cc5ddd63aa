"""See `support.dashboard`."""

from __future__ import annotations

from support.dashboard import browser, installation, nowhere, page, postroom, stranger, visit

__all__ = ["browser", "installation", "nowhere", "page", "postroom", "stranger", "visit"]
