from __future__ import annotations

import json

from postroom.wire import webhooks


def test_the_ping_is_the_contracts() -> None:
    body = webhooks.ping(1_754_429_034_567)
    assert json.loads(body) == {
        "type": "webhook.test",
        "message": "This is a ping test message",
        "created_at": "2025-08-05T21:23:54.567000Z",
    }
    assert b" : " not in body


def test_slashes_and_letters_are_escaped_as_in_answers_of_the_api() -> None:
    assert webhooks.encode({"url": "https://a/é"}) == b'{"url":"https:\\/\\/a\\/\\u00e9"}'


def test_the_signature_is_that_of_any_other_tool() -> None:
    """RFC 4231, test case 2; and what `openssl dgst -sha256 -hmac` says of a body with the public secret."""
    assert webhooks.signature(b"what do ya want for nothing?", "Jefe") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert webhooks.headers(b"{}", webhooks.TEST_SECRET) == {
        "Content-Type": "application/json",
        "Signature": "72e565e313b2c581641aa17f00efda4f8c9e8390902136a582391cdef9f2f2da",
    }
