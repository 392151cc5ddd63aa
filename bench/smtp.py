"""Both ends of a load by SMTP, in C so that they cost little: the generator `smtpload` and the receiver `smtpsink`.

`build` compiles them and `httpload`, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from systems import System

HERE = Path(__file__).parent
BIN = HERE / "bin"
SINK_HOST = "127.0.0.2"  # to Postfix 127.0.0.1 is itself
LIBRARIES = {"smtpload": ["-lssl", "-lcrypto"], "smtpsink": [], "httpload": []}


def build() -> None:
    """Compile what is older than its source. Raises CalledProcessError; needs cc and OpenSSL's headers."""
    BIN.mkdir(exist_ok=True)
    for name, libraries in LIBRARIES.items():
        source, program = HERE / f"{name}.c", BIN / name
        newest = max(path.stat().st_mtime for path in (source, *HERE.glob("*.h")))
        if not program.exists() or program.stat().st_mtime < newest:
            compiler = os.environ.get("CC", "cc")
            subprocess.run([compiler, "-O2", "-Wall", "-o", program, source, *libraries], check=True)


@dataclass(frozen=True)
class Traffic:
    """What the generator sends. `size` in octets. By SMTP: `text` is words instead of mostly random base64."""

    messages: int
    connections: int = 20
    per_connection: int = 0
    interval: float = 0.0
    size: int = 10240
    text: bool = False
    give_up: float = 300.0


def generate(system: System, traffic: Traffic, log: Path | None = None) -> dict[str, Any]:
    """Send it all, by STARTTLS and AUTH PLAIN; what the generator reports (see smtpload.c)."""
    command = [BIN / "smtpload", "-v", "-t", "starttls", "-p", system.port, "-a", ":".join(system.login)]
    command += ["-n", traffic.messages, "-c", traffic.connections, "-m", traffic.per_connection]
    command += ["-s", traffic.size, "-w", traffic.give_up, "-i", round(traffic.interval * 1000)]
    command += ["-x"] if traffic.text else []
    command += ["-l", log] if log is not None else []
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"smtpload failed: {done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout)
    if report["errors"]:
        report["first_errors"] = done.stderr.strip()
    return report


class Sink:
    """A running receiver on `host` and `port`. A report is as smtpsink.c says."""

    host = SINK_HOST

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [BIN / "smtpsink", "-h", self.host],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(json.loads(self._lines.get(timeout=10))["port"])

    def expect(self, messages: int) -> None:
        """Forget what has come, and wait for so many."""
        while not self._lines.empty():
            self._lines.get()
        self._order(f"expect {messages}")

    def wait(self, seconds: float) -> dict[str, Any]:
        """The report once all expected messages are there, or at the end of patience."""
        try:
            return self._report(seconds)
        except Empty:
            self._order("report")
            return self._report(10)

    def dump(self, path: Path) -> dict[str, Any]:
        """Write what has come since `expect` to a file."""
        self._order(f"dump {path}")
        return self._report(30)

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._reader.join(5)
        self._process.stdout.close()

    def _order(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _report(self, seconds: float) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self._lines.get(timeout=seconds))
        return report

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
