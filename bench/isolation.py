"""A private corner of the machine for one run.

As root the benchmark runs in namespaces of its own (util-linux's `unshare`): a network with only `lo`, so that no packet
and no DNS query can leave; processes of its own, so that nothing is left running however it ends; and a private layer
over /etc, because Exim reads its settings and its user from there. Without root it runs on the plain loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import groups

MARK = "POSTROOM_BENCH_SCRATCH"
"""Set inside: the run's temporary directory."""

ENTER = """\
ip link set lo up || exit 1
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc-upper,workdir=$1/etc-work" /etc || exit 1
shift
"$@"
"""
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def scratch() -> Path | None:
    """The run's temporary directory; None outside."""
    return Path(os.environ[MARK]) if MARK in os.environ else None


def run_inside(arguments: list[str], parent: Path | None) -> int:
    """This program once more, inside; its exit status. The temporary directory, in `parent`, is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="postroom-bench-", dir=parent) as name:
        directory = Path(name)
        directory.chmod(0o755)  # Postfix and PostgreSQL run as users of their own
        command = [*_namespaces(directory), sys.executable, *arguments]
        process = subprocess.Popen(command, env=os.environ | {MARK: name})
        while True:
            # Ctrl-C reaches the process itself, too: it ends what it has started, and then we go on here.
            with suppress(KeyboardInterrupt):
                status = process.wait()
                break
        groups.remove_all(directory)
        return status


def _namespaces(directory: Path) -> list[str]:
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        return []
    for name in ("etc-upper", "etc-work"):
        (directory / name).mkdir()
    enter = [*NAMESPACES, "sh", "-c", ENTER, "sh", str(directory)]
    possible = subprocess.run([*enter, "true"], capture_output=True, text=True, check=False)
    if possible.returncode != 0:
        print(f"no private namespaces, using the plain loopback: {possible.stderr.strip()}", file=sys.stderr)
        return []
    return enter


def is_private() -> bool:
    """Whether there is no other network interface than `lo`."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    return [line.partition(":")[0].strip() for line in lines] == ["lo"]
