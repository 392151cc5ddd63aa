"""Fills Postroom's queue as if a bulk sender had just handed everything over.

It runs as a process of its own beside (or before) `postroom serve`, with that one's settings in its environment. Each
line on standard input is a number: so many messages are kept, through the functions that accept uses, and "filled N"
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
from itertools import count

from postroom import config
from postroom.accept.commit import Member, decide
from postroom.runtime.clock import Clock
from postroom.runtime.ids import mail_id
from postroom.store import batches
from postroom.store.batches.rows import Inserts
from postroom.store.checkpoint import Checkpointer
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import domains
from postroom.tenancy.quotas import day_number
from postroom.types.draft import Content, Draft, Stream
from postroom.types.envelope import Address, Envelope, Recipient

BATCH = 1000
POOL = 256
BULK = "sink.test"
NOBODY = 0


async def main(domain_name: str, size: int) -> None:
    settings = config.load(None)
    database = await Database.open(settings.database_url, timeout=60.0, pool=2)
    checkpointer = Checkpointer(database) if database.sqlite else None
    if checkpointer is not None:
        checkpointer.start()
    try:
        domain = (await domains.show(database, domain_name)).domain
        drafts = _drafts(domain, size)
        lifetime = round(settings.delivery.lifetime * 1000)
        while line := await asyncio.to_thread(sys.stdin.readline):
            wanted = int(line)
            for done in range(0, wanted, BATCH):
                await _keep(database, [next(drafts) for _ in range(min(BATCH, wanted - done))], lifetime)
            print(f"filled {wanted}", flush=True)
    finally:
        if checkpointer is not None:
            await checkpointer.stop()
        await database.close()


async def _keep(database: Database, drafts: list[Draft], lifetime: int) -> None:
    """One transaction of accept. The rows belong to nobody: whoever delivers claims them."""
    loop = asyncio.get_running_loop()
    batch = [Member(draft, None, False, NOBODY, lifetime, loop.create_future()) for draft in drafts]
    now = Clock().now_ms()

    def plan(used: dict[str, int], suppressed: set[tuple[str, str]]) -> Inserts:
        return decide(batch, used, suppressed, now)

    addresses = [
        (draft.account_id, str(recipient.address))
        for draft in drafts
        for recipient in draft.envelope.recipients
    ]
    accounts = [draft.account_id for draft in drafts]
    await batches.accept(database, day_number(now), accounts, addresses, plan)


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
