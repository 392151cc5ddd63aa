"""Bulk emails: a batch of up to 500 emails is kept as it came, answered, and worked off in the background.

    intake   `keep`: a batch is durable when it returns
    body     its objects: neighbours make a group of about 256 KB, compressed by itself, so that one group is read
             without the others; a large body lies in the blob store
    worker   `BulkWorker`: one group after the other, each time of the next account that has one
    group    what it does with one group
    results  what became of a group, and of the whole batch as the API shows it

The rules. Each object takes the same way as a request to /v1/email: `web.api.sending` reads it as of the time the batch
came, with the version its template had then; `ApiEdge.send` keeps it, the objects of a group side by side, so that they
share their commits. What is wrong with an object is written down and hurts no other object.

A node takes a batch for one group and gives it back, moved on, with what became of the group, in one transaction.
If it dies in between, the batch is free again when its time is over (SQLite: at the start) and the group is done
anew. Each message has an idempotency key of batch and position, written in its own transaction: what was kept before
is found by it and not kept again, whoever else works on it. When something could not be stored the group is tried
again later; accepted means kept. Only a batch whose body has been missing from the blob store for an hour
ends as failed: it says which emails were not sent, and the operator hears of it.
"""

from postroom.web.bulk.intake import keep
from postroom.web.bulk.tools import Tools
from postroom.web.bulk.worker import BulkWorker

__all__ = ["BulkWorker", "Tools", "keep"]
