"""Fills Postroom's queue as if a bulk sender had just handed everything over.

It runs as a process of its own beside (or before) `postroom serve`, with that one's settings in its environment. Each
line on standard input is a number: so many messages are kept, by the same group commit as in `serve`, and "filled N"
is answered. Messages are `broadcast`, to one recipient each (bulk1@..., bulk2@...), mostly random base64.

    python bench/fill.py bulk.test 2048 <<< 1000000
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import sys
from collections.abc import Iterator
from itertools import count, islice

from postroom import config
from postroom.accept.commit import GroupCommit
from postroom.runtime.clock import Clock
from postroom.runtime.ids import mail_id
from postroom.store.checkpoint import Checkpointer
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import domains
from postroom.types.draft import Content, Draft, Stream
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import Refused

BATCH = 2000
POOL = 256
BULK = "sink.test"
NOBODY = 0
"""Owner of the rows: whoever delivers claims them."""


async def main(domain_name: str, size: int) -> None:
    settings = config.load(None)
    database = await Database.open(settings.database_url, timeout=60.0, pool=2)
    checkpointer = Checkpointer(database) if database.sqlite else None
    if checkpointer is not None:
        checkpointer.start()
    commit = GroupCommit(
        database,
        Clock(),
        lifetime=settings.delivery.lifetime,
        owner_for=lambda _: NOBODY,
        handed=lambda _: None,
        counted=lambda *_: None,
    )
    try:
        drafts = _drafts((await domains.show(database, domain_name)).domain, size)
        while line := await asyncio.to_thread(sys.stdin.readline):
            await _fill(commit, islice(drafts, int(line)))
            print(f"filled {line.strip()}", flush=True)
    finally:
        await commit.stop()
        if checkpointer is not None:
            await checkpointer.stop()
        await database.close()


async def _fill(commit: GroupCommit, drafts: Iterator[Draft]) -> None:
    """Raises RuntimeError when one is refused."""
    while some := list(islice(drafts, BATCH)):
        answers = await asyncio.gather(
            *(commit.submit(draft, quota=None, hold_over_quota=False) for draft in some)
        )
        refused = next((answer for answer in answers if isinstance(answer, Refused)), None)
        if refused is not None:
            raise RuntimeError(f"not kept: {refused}")


def _drafts(domain: Domain, size: int) -> Iterator[Draft]:
    """Without end, each to a recipient of its own."""
    sender = Address("news", domain.name)
    pool = [_content(sender, size) for _ in range(POOL)]
    clock = Clock()
    for number in count(1):
        now = clock.now_ms()
        message_id = mail_id(now)
        yield Draft(
            id=message_id,
            account_id=domain.account_id,
            domain_id=domain.id,
            credential_id="",
            envelope=Envelope(sender, [Recipient(Address(f"bulk{number}", BULK))]),
            content=random.choice(pool),
            signing_domain=domain.name,
            header_from=str(sender),
            subject="News",
            message_id=f"<{message_id}@{domain.name}>",
            received_at=now,
            stream=Stream.BROADCAST,
        )


def _content(sender: Address, size: int) -> Content:
    """`size` octets with the header."""
    header = (
        f"From: News <{sender}>\r\nTo: <reader@{BULK}>\r\nSubject: News\r\n"
        "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
    ).encode()
    lines = max(1, (size - len(header)) // 78)
    body = b"".join(base64.b64encode(os.urandom(57)) + b"\r\n" for _ in range(lines))
    data = header + b"\r\n" + body
    return Content(data, len(data), len(header))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
