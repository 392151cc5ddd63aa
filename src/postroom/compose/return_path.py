"""The envelope sender under which one email goes out (design section 5)."""

from __future__ import annotations

from postroom.wire import verp


def return_path(
    key: bytes, *, account_id: str, email_id: str, accepted: str, domain_host: str, bounce_host: str
) -> str:
    """A token under the domain's own return-path host, else under the installation's, else what the client gave.

    `domain_host` is "" until it is verified, `bounce_host` is "" unless set; `accepted` and the result are "" for the
    null reverse-path. A token stands for null, too: nothing here answers what comes back to it, so no loop can arise.
    """
    host = domain_host or bounce_host
    return f"{verp.PREFIX}{verp.token(key, account_id, email_id)}@{host}" if host else accepted
