"""OpenDKIM as an independent judge: of messages in files, and as a verifying milter of what arrives at a mail server."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.tools import need
from support.waiting import accepts, free_port, until

JUDGE = "judge.test"
"""Its name in Authentication-Results."""

SETTINGS = """\
Mode v
Syslog no
UserID {user}
Socket inet:{port}@127.0.0.1
AuthservID {judge}
AlwaysAddARHeader yes
RemoveARAll yes
On-BadSignature accept
On-KeyNotFound accept
TestDNSData file:{directory}/records
"""


def verdicts(messages: Mapping[str, bytes], records: Mapping[str, str]) -> dict[str, bool]:
    """Whether each of these messages verifies, all in one run. `records` as for `verifying`."""
    with tempfile.TemporaryDirectory(prefix="postroom-opendkim-") as name:
        directory = Path(name)
        (directory / "keys").write_text("".join(f"{key} {value}\n" for key, value in records.items()))
        (directory / "conf").write_text(f"Mode v\nTestPublicKeys {directory / 'keys'}\n")
        for key, message in messages.items():
            (directory / f"{key}.eml").write_bytes(message)
        files = ",".join(str(directory / f"{key}.eml") for key in messages)
        done = subprocess.run(
            [need("opendkim"), "-x", str(directory / "conf"), "-t", files],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,  # its exit status is that of the last one
        )
    said = re.findall(r"/([\w-]+)\.eml: verification \(.*\) (succeeded|failed)", done.stdout + done.stderr)
    return {key: word == "succeeded" for key, word in said}


@contextmanager
def verifying(records: Mapping[str, str]) -> Iterator[str]:
    """A milter's address for Postfix. `records` are the TXT records it finds in the DNS, by name."""
    with tempfile.TemporaryDirectory(prefix="postroom-opendkim-") as name:
        directory, port = Path(name), free_port()
        (directory / "records").write_text("".join(f"{key} {value}\n" for key, value in records.items()))
        settings = SETTINGS.format(user=os.geteuid(), port=port, judge=JUDGE, directory=directory)
        (directory / "conf").write_text(settings)
        command = [need("opendkim"), "-f", "-x", str(directory / "conf")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            until(lambda: accepts("127.0.0.1", port) or process.poll() is not None, what="OpenDKIM listens")
            if process.poll() is not None:
                raise RuntimeError(f"OpenDKIM did not start: {process.communicate()[1]}")
            yield f"inet:127.0.0.1:{port}"
        finally:
            process.kill()
            process.communicate()
