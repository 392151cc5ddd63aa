"""swaks and msmtp: programs that send one message and end."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from support.clients import ClientResult, Mail, Target
from support.tools import need

TIMEOUT = 60
_QUEUED_AS = re.compile(r"queued as (\w+)")
# swaks marks what it minds: "<** 550 ..." and, inside TLS, "<~* 550 ..." a reply; "*** ..." its own words.
_SWAKS_MINDS = re.compile(r"^(?:<[*~]\*|\*\*\*) +(.*)$", re.MULTILINE)


def swaks_send(target: Target, mail: Mail) -> ClientResult:
    encryption = {"starttls": ["--tls"], "implicit": ["--tls-on-connect"], "none": []}[target.encryption]
    authority = ["--tls-ca-path", str(target.authority)] if target.authority else []
    login = ["--auth", "PLAIN", "--auth-user", target.username, "--auth-password", target.password]
    with tempfile.NamedTemporaryFile() as file:
        file.write(mail.raw())
        file.flush()
        done = _run(
            ["swaks", "--server", target.host, "--port", str(target.port)],
            [*encryption, *(["--tls-verify", *authority] if encryption else [])],
            login if target.username else [],
            ["--from", mail.sender, "--to", ",".join(mail.recipients), "--data", f"@{file.name}"],
        )
    minded = " / ".join(_SWAKS_MINDS.findall(done.stdout + done.stderr))
    queue_id = _QUEUED_AS.search(done.stdout)
    if done.returncode == 0 and queue_id:
        outcome = "in part" if minded else "accepted"
        return ClientResult(
            outcome, minded or queue_id.string[queue_id.start() :].split("\n")[0], queue_id[1]
        )
    return ClientResult("refused", f"{minded} (exit status {done.returncode})")


def msmtp_send(target: Target, mail: Mail) -> ClientResult:
    encryption = {
        "starttls": ["--tls=on", "--tls-starttls=on"],
        "implicit": ["--tls=on", "--tls-starttls=off"],
        "none": ["--tls=off"],
    }[target.encryption]
    if target.authority and target.encryption != "none":
        encryption.append(f"--tls-trust-file={target.authority}")
    with tempfile.TemporaryDirectory() as directory:
        password, log = Path(directory) / "password", Path(directory) / "log"
        password.write_text(target.password)
        done = _run(
            ["msmtp", "--file=/dev/null", f"--host={target.host}", f"--port={target.port}", *encryption],
            ["--auth=plain", f"--user={target.username}", f"--passwordeval=cat {password}"]
            if target.username
            else ["--auth=off"],
            [f"--logfile={log}", f"--from={mail.sender}", "--", *mail.recipients],
            message=mail.raw(),
        )
        queue_id = _QUEUED_AS.search(log.read_text() if log.exists() else "")
    if done.returncode == 0:
        return ClientResult("accepted", "(nothing)", queue_id[1] if queue_id else "")
    words = " / ".join(line.removeprefix("msmtp: ") for line in done.stderr.strip().splitlines())
    return ClientResult("refused", f"{words} (exit status {done.returncode})")


def _run(*parts: list[str], message: bytes = b"") -> subprocess.CompletedProcess[str]:
    command = [argument for part in parts for argument in part]
    done = subprocess.run(
        [need(command[0]), *command[1:]], input=message, capture_output=True, timeout=TIMEOUT, check=False
    )
    return subprocess.CompletedProcess(
        command,
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )
