"""Private Postfix instances in temporary directories: a recipient's mail server, and an application's own relay.

Each has its own configuration, queue and log, listens on a loopback address and a port the system chose, and runs
in the foreground as a child of the test. The machine's own Postfix is not touched.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from postroom.runtime import local_ca
from postroom.runtime.clock import Clock
from support.tools import need, unavailable
from support.waiting import accepts, free_port, until

MASTER = """\
{host}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

NOBODY = pwd.getpwnam("nobody")


@dataclass(frozen=True)
class Postfix:
    """A running instance. `directory` holds etc, queue, data, mail and the log."""

    directory: Path
    host: str
    port: int

    @property
    def etc(self) -> Path:
        return self.directory / "etc"

    def log(self) -> str:
        path = self.directory / "maillog"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def received(self) -> list[bytes]:
        """The messages in its mailbox, the oldest first, with LF line ends."""
        files = sorted(
            (self.directory / "mail/inbox/new").glob("*"), key=lambda path: path.stat().st_mtime_ns
        )
        return [path.read_bytes() for path in files]

    def outcomes(self, message_id: str) -> dict[str, str]:
        """For each recipient of a message: the last "status=... (reply)" of the log."""
        log = self.log()
        found = re.search(rf"postfix/cleanup\[\d+\]: (\w+): message-id={re.escape(message_id)}\n", log)
        if found is None:
            return {}
        line = rf"^.*: {found[1]}: to=<([^>]*)>.* status=(.*)$"
        return dict(re.findall(line, log, re.MULTILINE))

    def submit(self, sender: str, recipients: Iterable[str], message: bytes) -> None:
        """Hand a message to its sendmail, as a program on its machine would."""
        command = [need("sendmail"), "-C", str(self.etc), "-i", "-f", sender, "--", *recipients]
        subprocess.run(command, input=message, check=True, capture_output=True)


@contextmanager
def receiver(domain: str, host: str, port: int, milter: str) -> Iterator[Postfix]:
    """The mail server of `domain`: takes every local part into one mailbox, offers STARTTLS, asks the milter."""
    with _directory() as directory:
        main = {
            "myhostname": f"mx.{domain}",
            "virtual_mailbox_domains": domain,
            "smtpd_relay_restrictions": "reject_unauth_destination",
            "smtpd_tls_security_level": "may",
            "smtpd_tls_received_header": "yes",
            "smtpd_milters": milter,
            "milter_default_action": "tempfail",
            **_certificate(directory, f"mx.{domain}"),
        }
        with _running(directory, main, host, port) as postfix:
            yield postfix


@contextmanager
def smarthost_client(
    logins: Mapping[str, tuple[str, str]],
    routes: Mapping[str, str],
    *,
    authority: Path,
    domains: Iterable[str],
    services: str,
) -> Iterator[Postfix]:
    """An application's machine that sends everything through a relay.

    `logins` gives the username and password for each envelope sender, `routes` the "transport:[host]:port" for each
    recipient's domain, `services` the lines of master.cf for these transports. `domains` are its own: bounces to
    them go into its mailbox.
    """
    with _directory() as directory:
        etc = directory / "etc"
        _table(etc / "passwords", {sender: ":".join(login) for sender, login in logins.items()})
        _table(etc / "transport", routes)
        main = {
            "myhostname": "app.postfix.test",
            "transport_maps": f"texthash:{etc}/transport",
            "smtp_sasl_auth_enable": "yes",
            "smtp_sender_dependent_authentication": "yes",
            "smtp_sasl_password_maps": f"texthash:{etc}/passwords",
            "smtp_sasl_security_options": "noanonymous",
            "smtp_tls_security_level": "secure",
            "smtp_tls_CAfile": str(authority),
            "smtp_connection_cache_on_demand": "no",
            "virtual_mailbox_domains": ", ".join(domains),
            # One message that is refused must not hold up the others, which are other cases.
            "default_destination_concurrency_failed_cohort_limit": "0",
        }
        with _running(directory, main, "127.0.0.1", free_port(), services) as postfix:
            yield postfix


@contextmanager
def _running(
    directory: Path, main: Mapping[str, str], host: str, port: int, services: str = ""
) -> Iterator[Postfix]:
    settings = _common(directory) | main
    (directory / "etc/main.cf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    (directory / "etc/master.cf").write_text(MASTER.format(host=host, port=port) + services)
    postfix = Postfix(directory, host, port)
    command = [need("postfix"), "-c", str(postfix.etc), "start-fg"]
    with (directory / "start.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: accepts(host, port) or process.poll() is not None, what="Postfix listens")
        if process.poll() is not None:
            raise RuntimeError(
                f"Postfix did not start:\n{(directory / 'start.log').read_text()}{postfix.log()}"
            )
        yield postfix
    finally:
        _stop(process, directory / "queue/pid/master.pid")


def _stop(process: subprocess.Popen[bytes], pid_file: Path) -> None:
    """Its daemons are in a session of the master's own, and end with it."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
    for end in (signal.SIGTERM, signal.SIGKILL):
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.send_signal(end)


def _common(directory: Path) -> dict[str, str]:
    return {
        "compatibility_level": "3.6",
        "queue_directory": f"{directory}/queue",
        "data_directory": f"{directory}/data",
        "maillog_file": f"{directory}/maillog",
        "maillog_file_prefixes": str(directory),
        "inet_interfaces": "127.0.0.1",  # others of 127/8 are no interface to Postfix; it listens on them all the same
        "inet_protocols": "ipv4",
        "mydestination": "",
        "alias_maps": "",
        "alias_database": "",
        "local_recipient_maps": "",
        "smtp_host_lookup": "native",
        "disable_dns_lookups": "yes",
        "smtpd_peername_lookup": "no",
        "virtual_mailbox_base": f"{directory}/mail",
        "virtual_mailbox_maps": "static:inbox/",
        "virtual_minimum_uid": "1",
        "virtual_uid_maps": f"static:{NOBODY.pw_uid}",
        "virtual_gid_maps": f"static:{NOBODY.pw_gid}",
    }


@contextmanager
def _directory() -> Iterator[Path]:
    """Directories owned and readable as Postfix wants them."""
    need("postfix")
    if os.geteuid() != 0:
        unavailable("Postfix can only be started by root")
    directory = Path(tempfile.mkdtemp(prefix="postroom-postfix-"))
    try:
        directory.chmod(0o755)
        for name in ("etc", "queue", "data", "mail"):
            (directory / name).mkdir()
        shutil.chown(directory / "data", "postfix")
        shutil.chown(directory / "mail", NOBODY.pw_uid, NOBODY.pw_gid)
        yield directory
    finally:
        shutil.rmtree(directory)


def _certificate(directory: Path, name: str) -> dict[str, str]:
    """A certificate that no public authority vouches for, as many mail servers have."""
    local_ca.ensure_certificate(directory / "etc/tls", [name], Clock())
    return {
        "smtpd_tls_cert_file": f"{directory}/etc/tls/server.crt",
        "smtpd_tls_key_file": f"{directory}/etc/tls/server.key",
    }


def _table(path: Path, entries: Mapping[str, str]) -> None:
    path.write_text("".join(f"{key} {value}\n" for key, value in entries.items()))
