"""Requests to webhooks as they travel: JSON, and its signature (mailersend-api, section 15)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

SIGNATURE = "Signature"
TEST_SECRET = "test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G"  # noqa: S105 - public, and the same everywhere
"""Signs the ping of a webhook whose own secret nobody knows yet."""


def ping(at: int) -> bytes:
    """The body that asks whether somebody is there, made at `at` (milliseconds)."""
    created_at = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return encode(
        {"type": "webhook.test", "message": "This is a ping test message", "created_at": created_at}
    )


def encode(body: Mapping[str, object]) -> bytes:
    """ASCII with escaped slashes, as in the API's answers."""
    return json.dumps(body, separators=(",", ":"), allow_nan=False).replace("/", "\\/").encode("ascii")


def headers(body: bytes, secret: str) -> dict[str, str]:
    return {"Content-Type": "application/json", SIGNATURE: signature(body, secret)}


def signature(body: bytes, secret: str) -> str:
    """Lower-case hex of the HMAC-SHA256 over the body as it travels."""
    return hmac.new(secret.encode(), body, sha256).hexdigest()
