"""The named metrics, as Prometheus reads them at `/metrics`. Labels have few values: no address, no domain."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

ACCEPTED = Counter(
    "postroom_messages_accepted", "Messages answered with 250 or 2xx: they are kept.", registry=REGISTRY
)
REFUSED = Counter(
    "postroom_refused", "Refused attempts, by the rule of the catalogue.", ["rule"], registry=REGISTRY
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
    "postroom_connections", "Open SMTP connections: submission, delivery.", ["side"], registry=REGISTRY
)
QUEUE_SIZE = Gauge("postroom_queue_emails", "Emails that wait for a delivery attempt.", registry=REGISTRY)
QUEUE_IN_MEMORY = Gauge(
    "postroom_queue_in_memory", "Queue rows this node holds in memory.", registry=REGISTRY
)
ATTEMPTS = Counter(
    "postroom_delivery_attempts",
    "Delivery attempts by what they came to: delivered, deferred, bounced and so on.",
    ["result"],
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
LOOP_LAG_SECONDS = Histogram(
    "postroom_loop_lag_seconds",
    "How much later than asked the event loop came back to a timer.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
JOB_FAILURES = Counter(
    "postroom_job_failures", "Periodic jobs that ended in an error, by name.", ["job"], registry=REGISTRY
)
