"""runtime/metrics.py and the page that documents it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from postroom.runtime.metrics import REGISTRY

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")


def exposed() -> set[str]:
    """Names as Prometheus sees them, without what a histogram adds."""
    return {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in REGISTRY.collect()
        if metric.name.startswith("postroom_")
    }


def test_the_page_is_printed_from_the_registry() -> None:
    printed = subprocess.run(
        [sys.executable, ROOT / "scripts" / "metrics_doc.py"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == PAGE, "run: make docs"
    assert set(re.findall(r"(?m)^\| `(postroom_\w+)`", PAGE)) == exposed()


def test_what_the_page_says_to_look_at_exists() -> None:
    named = {name.removesuffix("_bucket") for name in re.findall(r"postroom_\w+", PAGE)}
    assert named == exposed()


def test_every_metric_says_what_it_is() -> None:
    for metric in REGISTRY.collect():
        assert len(metric.documentation) > 10, metric.name
