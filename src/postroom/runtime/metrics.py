"""The named metrics, as Prometheus reads them at `/metrics`; `docs/metrics.md` is printed from here.

Labels have few values: no address, no account. Only the sites with the longest queues are named, and not many.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LONG = (0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600)
_BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

ACCEPTED = Counter(
    "postroom_messages_accepted",
    "Messages answered with 250 or 2xx: they are kept. By edge: smtp, api.",
    ["edge"],
    registry=REGISTRY,
)
REFUSED = Counter(
    "postroom_refused", "Refused attempts, by the rule of the catalogue.", ["rule"], registry=REGISTRY
)
ACK_SECONDS = Histogram(
    "postroom_accept_seconds",
    "From the end of a message's data to its 250; accepted messages only.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
COMMIT_SIZE = Histogram(
    "postroom_commit_messages", "Messages in one group commit.", buckets=_BATCH, registry=REGISTRY
)
COMMIT_SECONDS = Histogram(
    "postroom_commit_seconds",
    "Time of one group commit, its fsync included.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
CONNECTIONS = Gauge(
    "postroom_connections",
    "Open connections, by side: submission, delivery, http.",
    ["side"],
    registry=REGISTRY,
)
QUEUE_SIZE = Gauge(
    "postroom_queue_emails", "Emails that are not final, in the whole installation.", registry=REGISTRY
)
QUEUE_SITES = Gauge(
    "postroom_queue_site_emails",
    "Emails that are not final, by recipient domain: the 20 longest queues, and `other`. Counted less often the longer "
    "that takes.",
    ["site"],
    registry=REGISTRY,
)
QUEUE_IN_MEMORY = Gauge(
    "postroom_queue_in_memory", "Queue rows this node holds in memory.", registry=REGISTRY
)
ATTEMPTS = Counter(
    "postroom_delivery_attempts",
    "Delivery attempts by what they came to: delivered, deferred, bounced and so on.",
    ["result"],
    registry=REGISTRY,
)
FIRST_BYTE_SECONDS = Histogram(
    "postroom_first_byte_seconds",
    "From the end of a message's data to the first byte of its content on the way to the recipient's server; first "
    "attempts only.",
    buckets=_LONG,
    registry=REGISTRY,
)
QUEUE_SECONDS = Histogram(
    "postroom_queue_seconds",
    "From acceptance to the final state, by that state; tried emails only.",
    ["status"],
    buckets=_LONG,
    registry=REGISTRY,
)
QUARANTINED = Counter(
    "postroom_quarantined",
    "Emails held because three attempts in a row never ended. Somebody has to look at them.",
    registry=REGISTRY,
)
BULK_FAILED = Counter(
    "postroom_bulk_emails_failed",
    "Bulk emails that ended because their body is lost from the storage. Their senders were told 202: tell them.",
    registry=REGISTRY,
)
DELIVERY_BATCH_SIZE = Histogram(
    "postroom_delivery_batch_rows",
    "Outcomes and attempt marks in one delivery transaction.",
    buckets=_BATCH,
    registry=REGISTRY,
)
DELIVERY_BATCH_SECONDS = Histogram(
    "postroom_delivery_batch_seconds",
    "Time of one delivery transaction.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
TASKS = Gauge("postroom_tasks", "Tasks of the event loop that have not ended.", registry=REGISTRY)
LOOP_LAG_SECONDS = Histogram(
    "postroom_loop_lag_seconds",
    "How much later than asked the event loop came back to a timer.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
JOB_FAILURES = Counter(
    "postroom_job_failures", "Periodic jobs that ended in an error, by name.", ["job"], registry=REGISTRY
)
