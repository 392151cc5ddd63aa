"""Print docs/clients.md from what the clients showed in the tests (tests/e2e/clients.json)."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src")]

from support.clients import page, record  # noqa: E402 - the tests are no installed package

page.PAGE.write_text(page.render(record.load()), "utf-8")
