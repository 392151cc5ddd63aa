#!/usr/bin/env python3
"""Opens every page of the dashboard on a month of mail, and says how long each takes; the exit status is 1 if one takes
a second or more.

    bench/dashboard.py                             SQLite, 100,000 emails, five rounds (about 15 minutes)
    bench/dashboard.py --systems postroom-postgres
    bench/dashboard.py --only activity --rounds 1  the pages whose path or name has that in it

Method and results are in docs/performance.md.
"""

from __future__ import annotations

import argparse
import re
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import browsing
import isolation
import machine
import smtp
from browsing import Opened, Visitor
from month import CHANGES, LETTERS, LISTS, RARE, SUPPRESSED
from playwright.sync_api import APIRequestContext, Browser
from smtp import Sink, Traffic
from systems import DELIVER, DOMAIN, Site, run
from systems.postroom import Postroom, PostroomPostgres

HERE = Path(__file__).parent
LISTED = HERE.parent / "ui" / "src" / "pages.tsx"
OUT = HERE / "out"
EMAIL, PASSWORD = "anna@example.test", "correct horse battery"
LIMIT = 1000.0
"""Milliseconds in which a page has to be there."""
SYSTEMS = {system.name: system for system in (Postroom, PostroomPostgres)}
LIVE_SECONDS, LIVE_RATE = 20, 50
DAY = 86_400
PER_PAGE = 25
PARTS = {
    "a domain: SMTP": "/domains/{domain}?tab=smtp",
    "a domain: API tokens": "/domains/{domain}?tab=tokens",
    "a domain: statistics": "/domains/{domain}?tab=statistics",
    "inbox: a letter": "/inbox?email={letter}",
    "inbox: last page": f"/inbox?page={LETTERS // PER_PAGE}",
    "inbox: search": "/inbox?search=number+77",
    "suppressions: last page": f"/suppressions?page={SUPPRESSED // len(LISTS) // PER_PAGE}",
    "suppressions: search": "/suppressions?search=gone77",
    "audit log: last page": f"/audit-log?page={CHANGES // PER_PAGE}",
    "refused: last page": "/refused?page={refused}",
    "refused: search": "/refused?search=app77",
    "activity: recipient": "/activity?recipient={recipient}",
    "activity: recipient, nobody": "/activity?recipient=nobody-at-all",
    "activity: subject, often": "/activity?subject=order",
    "activity: subject, rare": "/activity?subject={rare}",
    "activity: subject, none": "/activity?subject=xyzzy",
    "activity: tag, rare": "/activity?tag={rare}",
    "activity: bounced": "/activity?state=bounced",
    "activity: deferred now": "/activity?state=deferred",
    "activity: held, none": "/activity?state=held",
    "activity: was deferred": "/activity?event=deferred",
    "activity: was held, none": "/activity?event=held",
    "activity: a domain": "/activity?domain={domain}",
    "activity: one day": "/activity?from={day}&to={day}",
    "activity: a message": "/activity?message={message}",
    "activity: four filters": "/activity?domain={domain}&state=bounced&subject=invoice&tag=invoice",
}
"""What else there is on the pages, by its name."""


@dataclass
class Timing:
    """Milliseconds of each round."""

    name: str
    cold: list[float]
    again: list[float]
    click: list[float]
    octets: int
    slowest: tuple[str, float]

    @property
    def medians(self) -> list[float]:
        return [statistics.median(values) for values in (self.cold, self.again, self.click) if values]

    @property
    def in_time(self) -> bool:
        return max(self.medians) < LIMIT


def main() -> int:
    options = _options()
    missing = browsing.missing()
    if missing:
        print(missing, file=sys.stderr)
        return 2
    scratch = isolation.scratch()
    if scratch is None:
        smtp.build()
        return isolation.run_inside(sys.argv, options.scratch)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sink, in_time = Sink(), True
    try:
        for name in options.systems:
            in_time &= _measure(SYSTEMS[name](Site(scratch, sink.host, sink.port), DELIVER), options)
    except KeyboardInterrupt:
        return 130
    finally:
        sink.stop()
    return 0 if in_time else 1


def _measure(system: Postroom, options: argparse.Namespace) -> bool:
    """Whether all pages were in time."""
    try:
        _fill(system, options.emails)
        system.serve()
        with browsing.chromium() as browser:
            report, in_time = _visit(browser, system, options)
    finally:
        system.stop()
        system.clear()
    facts = machine.describe(system.site.scratch) | {"system under test": system.version()}
    head = [f"# The dashboard on {options.emails:,} emails, {system.name}", ""]
    head += [f"- {name}: {value}" for name, value in facts.items()]
    text = "\n".join([*head, "", *report, ""])
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"dashboard-{system.name}-{time.strftime('%Y-%m-%d-%H%M%S')}.md"
    file.write_text(text)
    print(f"\n{text}\nwritten: {file}", flush=True)
    return in_time


def _fill(system: Postroom, emails: int) -> None:
    system.prepare()
    account = system.command("account", "list")[0]["id"]
    person = ("user", "add", EMAIL, "--account", account, "--role", "Admin", "--operator", "--password-stdin")
    run(sys.executable, "-m", "postroom", *person, env=system.environment(), input=f"{PASSWORD}\n")
    run(sys.executable, HERE / "month.py", DOMAIN, emails, env=system.environment())


def _visit(browser: Browser, system: Postroom, options: argparse.Namespace) -> tuple[list[str], bool]:
    url = f"http://localhost:{system.http_port}"
    stranger = Visitor(browser, url)
    ask = stranger.context.request
    answer = ask.post(
        "/console/session", data={"email": EMAIL, "password": PASSWORD}, headers={"origin": url}
    )
    if answer.status != 201:
        raise RuntimeError(f"nobody can sign in: {answer.status} {answer.text()}")
    state = stranger.context.storage_state()
    wanted = {name: path for name, path in places(ask, options.emails).items() if options.only in name + path}
    timings = [_page(browser, url, state, name, path, options.rounds) for name, path in wanted.items()]
    if options.only in "sign-in":
        timings.insert(0, _page(browser, url, None, "/sign-in", "/sign-in", options.rounds))
    report = table(timings)
    if options.only in "calls":
        report += ["", *_calls(stranger, ask, options)]
    if options.only in "live":
        report += ["", *_live(browser, url, state, system)]
    return report, all(timing.in_time for timing in timings)


def places(ask: APIRequestContext, emails: int) -> dict[str, str]:
    """Every page by its name: those of the navigation, and what else one can come to on them."""
    email = _first(ask, "/v1/emails/search")
    known = {
        "domain": _first(ask, "/v1/domains?limit=10&page=2")["id"],
        "email": email["id"],
        "account": _first(ask, "/console/operator/accounts")["id"],
        "letter": _first(ask, "/v1/inbox")["id"],
        "recipient": email["to"],
        "message": email["message_id"],
        "refused": emails // 20 // PER_PAGE,
        "day": time.strftime("%Y-%m-%d", time.gmtime(time.time() - 20 * DAY)),
        "rare": RARE,
    }
    listed = re.findall(r'path: "([^"]+)"', LISTED.read_text("utf-8"))
    own = {path: re.sub(r":(\w+)Id", lambda found: str(known[found[1]]), path) for path in listed}
    return own | {name: path.format_map(known) for name, path in PARTS.items()}


def _first(ask: APIRequestContext, path: str) -> Any:
    return ask.get(path).json()["data"][0]


def _page(browser: Browser, url: str, state: Any, name: str, path: str, rounds: int) -> Timing:
    opened: dict[str, list[Opened]] = {"cold": [], "again": [], "click": []}
    for _ in range(rounds):
        visitor = Visitor(browser, url, state)
        opened["cold"].append(visitor.load(path))
        opened["again"].append(visitor.load(path))
        if state is not None:
            opened["click"].append(visitor.click(path))
        visitor.close()
    times = {how: [one.shown for one in seen] for how, seen in opened.items()}
    calls = [call for seen in opened.values() for one in seen for call in one.calls]
    slowest = max(calls, key=lambda call: call[1], default=("", 0.0))
    timing = Timing(name, **times, octets=opened["cold"][0].octets, slowest=slowest)
    print(f"{name:<34} {' '.join(f'{ms:6.0f}' for ms in timing.medians)}", flush=True)
    return timing


def table(timings: Sequence[Timing]) -> list[str]:
    """The slowest first."""
    lines = [
        "| page | first visit ms | reload ms | click ms | files KB | slowest call ms | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for timing in sorted(timings, key=lambda one: -max(one.medians)):
        cells = [_cell(values) for values in (timing.cold, timing.again, timing.click)]
        path, took = timing.slowest
        cells += [f"{timing.octets / 1024:.0f}", f"{took:.0f} `{path}`", "" if timing.in_time else "**slow**"]
        lines.append(f"| {' | '.join([timing.name, *cells])} |")
    return lines


def _cell(values: Sequence[float]) -> str:
    """The median, and the worst."""
    return f"{statistics.median(values):.0f} ({max(values):.0f})" if values else ""


def _calls(visitor: Visitor, ask: APIRequestContext, options: argparse.Namespace) -> list[str]:
    """What programs ask for, and the far ends of lists; by themselves."""
    now = int(time.time())
    domain, begin = _first(ask, "/v1/domains?limit=10&page=2")["id"], now - 29 * DAY
    asked = {
        "Activity, the oldest page": f"/v1/emails/search?before={begin * 1000:012x}{0:012x}",
        "emails of a domain, last page": f"/v1/emails?domain_id={domain}&date_from={now - 7 * DAY}&date_to={now}"
        f"&limit=100&page={max(1, options.emails // 19 * 7 // 30 // 100)}",
        "messages, a page far back": f"/v1/messages?limit=100&page={max(1, options.emails // 200)}",
        "recipients, a page far back": f"/v1/recipients?limit=100&page={max(1, options.emails // 200)}",
        "activity of a domain": f"/v1/activity/{domain}?date_from={now - 7 * DAY}&date_to={now}",
        "analytics of a month": f"/v1/analytics/date?event[]=delivered&event[]=hard_bounced"
        f"&date_from={begin}&date_to={now}",
    }
    lines = ["| call | ms |", "| --- | --- |"]
    visitor.page.goto("/sign-in")
    for name, path in asked.items():
        took = []
        for _ in range(options.rounds):
            status, milliseconds = visitor.page.evaluate(FETCH, path)
            if status != 200:
                raise RuntimeError(f"{path}: {status}")
            took.append(milliseconds)
        lines.append(f"| {name} | {_cell(took)} |")
    return lines


FETCH = """async (path) => {
  const began = performance.now();
  const answer = await fetch(path);
  await answer.arrayBuffer();
  return [answer.status, performance.now() - began];
}"""


def _live(browser: Browser, url: str, state: Any, system: Postroom) -> list[str]:
    """What it costs that somebody looks at Activity while mail comes in."""
    alone = _under_load(system, lambda: time.sleep(LIVE_SECONDS))
    visitor = Visitor(browser, url, state)
    visitor.load("/activity")
    watched = _under_load(system, lambda: visitor.page.wait_for_timeout(LIVE_SECONDS * 1000))
    calls = [ms for path, ms in visitor.page.evaluate("window.took()")["calls"] if path.endswith("/search")]
    visitor.close()
    return [
        f"{LIVE_RATE} messages/s for {LIVE_SECONDS} s: {alone:.2f} s of CPU; with Activity open {watched:.2f} s, "
        f"{len(calls)} looks, {_cell(calls)} ms each.",
    ]


def _under_load(system: Postroom, meanwhile: Callable[[], None]) -> float:
    """CPU seconds of the system."""
    traffic = Traffic(LIVE_RATE * LIVE_SECONDS, connections=5, interval=1 / LIVE_RATE, size=2048)
    load = threading.Thread(target=smtp.generate, args=(system, traffic))
    with machine.measuring(system.group) as used:
        load.start()
        meanwhile()
        load.join()
    return used.cpu.total


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--systems", nargs="+", choices=SYSTEMS, default=[Postroom.name], help="(postroom-sqlite)"
    )
    parser.add_argument(
        "--emails", type=int, default=100_000, help="of the account that is looked at (100000)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each page (5)")
    parser.add_argument("--only", default="", help="pages with this in their path or name; calls; live")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="where the temporary directory goes")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="where reports go (bench/out)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
