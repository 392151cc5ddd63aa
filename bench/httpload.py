"""The generator for the HTTP API, in C so that it costs little: `httpload`."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from smtp import BIN, Traffic
from systems import System


def generate(system: System, traffic: Traffic) -> dict[str, Any]:
    """POST it all to /v1/email on kept connections; what the generator reports (see httpload.c)."""
    command = [BIN / "httpload", "-v", "-p", system.http_port, "-k", system.token]
    command += ["-n", traffic.messages, "-c", traffic.connections, "-s", traffic.size, "-w", traffic.give_up]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"httpload failed: {done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout)
    if report["errors"]:
        report["first_errors"] = done.stderr.strip()
    return report
