"""`make fuzz`: the targets for as long as you like. With atheris where it is installed, else with hypothesis.

    TARGET=name     only this one
    EXAMPLES=n      of each target, with hypothesis (default 20000)
    SECONDS=n       for each target, with atheris (default 60)

What breaks a target is kept below `found/`, where the suite runs it from then on.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from fuzz.targets import TARGETS
from fuzz.test_fuzz import check

FOUND = Path(__file__).parent / "found"
CHILD = "POSTROOM_TEST_FUZZ_TARGET"


def with_hypothesis(name: str, examples: int) -> bool:
    """Whether the target held."""
    last = b""
    real = TARGETS[name].run

    def remember(data: bytes) -> None:
        nonlocal last
        last = data
        real(data)

    object.__setattr__(TARGETS[name], "run", remember)
    try:
        check(name, examples)
    except Exception as error:
        path = FOUND / name / hashlib.sha256(last).hexdigest()[:16]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(last)
        print(f"{name}: {type(error).__name__}: {error}\n    {last!r}\n    kept as {path}")
        return False
    finally:
        object.__setattr__(TARGETS[name], "run", real)
    print(f"{name}: held for {examples} examples", flush=True)
    return True


def with_atheris(name: str, seconds: int) -> bool:
    """In a process of its own, since a fuzzer never returns."""
    (FOUND / name).mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={FOUND / name}/", "-max_len=4096"]
    ended = subprocess.run([sys.executable, __file__, *options], env=os.environ | {CHILD: name}, check=False)
    return ended.returncode == 0


def fuzz_in_this_process(name: str) -> None:
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, TARGETS[name].run)
    atheris.Fuzz()


def main() -> int:
    names = [os.environ["TARGET"]] if os.environ.get("TARGET") else list(TARGETS)
    if importlib.util.find_spec("atheris") is not None:
        held = [with_atheris(name, int(os.environ.get("SECONDS", "60"))) for name in names]
    else:
        held = [with_hypothesis(name, int(os.environ.get("EXAMPLES", "20000"))) for name in names]
    return 0 if all(held) else 1


if __name__ == "__main__":
    if os.environ.get(CHILD):
        fuzz_in_this_process(os.environ[CHILD])
    else:
        sys.exit(main())
