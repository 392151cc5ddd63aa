"""Print docs/metrics.md: the metrics as the registry has them, and what to look at."""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from prometheus_client.metrics_core import Metric  # noqa: E402

from postroom.runtime.metrics import REGISTRY  # noqa: E402

PAGE = """# Metrics

`GET /metrics` on `http.listen` answers in Prometheus' format. The counts are those of one process since its start, and
each node answers for itself: add them up. `postroom_queue_emails` and `postroom_queue_site_emails` are counted in the
database, so every node says the same: take the largest.

| metric | type | labels | meaning |
|---|---|---|---|
{rows}

Of a histogram there are `_bucket` (with the label `le`, in its unit), `_sum` and `_count`.
Beside these come the usual `process_*` of the Prometheus client: CPU, memory, descriptors, start time.

## What to look at

| question | expression |
|---|---|
| how much is taken in | `sum(rate(postroom_messages_accepted_total[5m]))` |
| how long clients wait for their 250 | `histogram_quantile(0.99, sum by (le) (rate(postroom_accept_seconds_bucket[5m])))` |
| how soon delivery begins | `histogram_quantile(0.99, sum by (le) (rate(postroom_first_byte_seconds_bucket[5m])))` |
| how much comes out, and how it ends | `sum by (result) (rate(postroom_delivery_attempts_total[5m]))` |
| what waits, and for whom | `max(postroom_queue_emails)`, `topk(5, max by (site) (postroom_queue_site_emails))` |
| what is refused, and why | `topk(5, sum by (rule) (rate(postroom_refused_total[5m])))` |
| is the disk or the database slow | `histogram_quantile(0.99, sum by (le) (rate(postroom_commit_seconds_bucket[5m])))` |
| is a process overloaded | `histogram_quantile(0.99, sum by (le) (rate(postroom_loop_lag_seconds_bucket[5m])))` |

Worth an alert: `postroom_queue_emails` that grows for an hour; refusals by `storage-unavailable` or `internal-error`; any
`postroom_job_failures_total` or `postroom_quarantined_total`; a loop lag above a second; `/health` that is not 200.
"""


def rows() -> Iterator[str]:
    for metric in sorted(REGISTRY.collect(), key=lambda metric: metric.name):
        if not metric.name.startswith("process_"):
            name = f"{metric.name}_total" if metric.type == "counter" else metric.name
            yield f"| `{name}` | {metric.type} | {labels(metric)} | {metric.documentation} |"


def labels(metric: Metric) -> str:
    """As declared: samples have none before the first observation."""
    declared = next(collector for collector in COLLECTORS if collector._name == metric.name)
    return ", ".join(f"`{name}`" for name in declared._labelnames) or "-"


COLLECTORS = [collector for collector in REGISTRY._collector_to_names if hasattr(collector, "_labelnames")]

if __name__ == "__main__":
    sys.stdout.write(PAGE.format(rows="\n".join(rows())))
