"""Messages sent one by one to a relay that is traced, and their answers among its system calls.

The answers travel inside TLS, so they are known by their place: each reply is one write to the client's socket, and
that to an end of data is the fourth of each message.
"""

from __future__ import annotations

import smtplib
from collections.abc import Sequence

from support.process import Relay
from support.strace import Call
from support.world import Tenant

SENDS = ("write", "writev", "sendto", "sendmsg")
SYNCS = ("fsync", "fdatasync")
REPLIES = 4  # to MAIL, RCPT, DATA and the end of data
BODY = "hello " * 10 + "\r\n"


def connected(relay: Relay, tenant: Tenant) -> smtplib.SMTP:
    client = relay.smtp(*tenant.login)
    client.ehlo()
    messages(client, tenant, 1)  # caches are warm, and connections to the database are made
    return client


def messages(client: smtplib.SMTP, tenant: Tenant, number: int, body: str = BODY) -> list[str]:
    """Send them one by one; their ids."""
    ids = []
    for _ in range(number):
        assert client.mail(f"app@{tenant.domain}")[0] == 250
        assert client.rcpt(f"you@{tenant.domain}")[0] == 250
        code, reply = client.data(f"From: app@{tenant.domain}\r\n\r\n{body}".encode())
        assert code == 250
        ids.append(reply.decode().rpartition(" ")[2])
    return ids


def answers(trace: Sequence[Call], client: smtplib.SMTP) -> list[Call]:
    """The writes that carried the answers to the ends of data."""
    assert client.sock is not None
    socket = f"->127.0.0.1:{client.sock.getsockname()[1]}]"
    sends = [call for call in trace if call.name in SENDS and socket in call.file]
    assert len(sends) % REPLIES == 0, [call.result for call in sends]
    return sends[REPLIES - 1 :: REPLIES]
