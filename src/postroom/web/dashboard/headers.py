"""What browsers are told about the dashboard's pages."""

from __future__ import annotations

from collections.abc import Mapping

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

ALWAYS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
ASSET: Mapping[str, str] = {**ALWAYS, "cache-control": "public, max-age=31536000, immutable"}
"""Its name has a hash of what is in it."""


def page(nonce: str) -> dict[str, str]:
    """Of a page: what it may load and run, who may frame it (nobody, U04), and that it is asked for each time."""
    return {
        **ALWAYS,
        "content-security-policy": _POLICY.format(nonce=nonce),
        "x-frame-options": "DENY",
        "cache-control": "no-store",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }
