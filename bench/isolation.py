"""A private corner of the machine for one run.

As root the benchmark runs in namespaces of its own (util-linux's `unshare`): a network with only `lo`, so that no packet
and no DNS query can leave; processes of its own, so that nothing is left running however it ends; and a private layer
over /etc, because Exim reads its settings and its user from there. Without root it runs on the plain loopback.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import groups

MARK = "POSTROOM_BENCH_SCRATCH"
"""Set inside: the run's temporary directory."""
PRIVATE = "POSTROOM_BENCH_PRIVATE"
"""Set in namespaces of our own."""

ENTER = """\
ip link set lo up || exit 1
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc-upper,workdir=$1/etc-work" /etc || exit 1
shift
export POSTROOM_BENCH_PRIVATE=yes
"$@"
"""
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def scratch() -> Path | None:
    """The run's temporary directory; None outside."""
    return Path(os.environ[MARK]) if MARK in os.environ else None


def run_inside(arguments: list[str], parent: Path | None) -> int:
    """This program once more, inside; its exit status. The temporary directory, in `parent`, is removed in the end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="postroom-bench-", dir=parent) as name:
        directory = Path(name)
        directory.chmod(0o755)  # Postfix and PostgreSQL run as users of their own
        namespaces = _namespaces(directory)
        process = subprocess.Popen([*namespaces, sys.executable, *arguments], env=os.environ | {MARK: name})
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait()  # Ctrl-C has reached it, too, and it ends what it has started
        except SystemExit:
            process.kill() if namespaces else process.terminate()  # all that is in the namespaces goes with them
            process.wait()
            raise
        finally:
            groups.remove_all(directory)


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
    """Whether network and /etc are the run's own."""
    return PRIVATE in os.environ
