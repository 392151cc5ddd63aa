"""Exim, accepting only: it queues every message, synced to disk, and never runs the queue.

It delivers with a process for each message (about 100 a second here), which says little beside queue managers, so it
takes no part in those loads. On Debian it cannot be installed beside Postfix: `bench/packages.sh` unpacks it into
bench/bin/exim. Its settings and its user are looked for in /etc, which is private to the run (`isolation`).
"""

from __future__ import annotations

import pwd
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import isolation

from systems import ACCEPT, HOSTNAME, System, free_port, needs_root, run

UNPACKED = Path(__file__).parents[1] / "bin/exim/usr/sbin/exim4"
USER = "Debian-exim"

SETTINGS = """\
exim_path = {program}
spool_directory = {directory}/spool
log_file_path = {directory}/log/%slog
pid_file_path = {directory}/exim.pid
primary_hostname = {hostname}
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
disable_ipv6 = true
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 200
smtp_accept_max_per_connection = 1000000
smtp_accept_queue_per_connection = 0
queue_only = true
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
auth_advertise_hosts = *
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
keep_environment =
begin acl
acl_rcpt:
  require authenticated = *
  accept control = dkim_disable_verify
acl_data:
  accept
begin routers
everything:
  driver = manualroute
  domains = *
  route_list = * {sink_host} byname
  transport = remote
begin transports
remote:
  driver = smtp
  port = {sink_port}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and {{{{eq{{$auth2}}{{{username}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
"""


class Exim(System):
    name: ClassVar[str] = "exim"
    roles: ClassVar[frozenset[str]] = frozenset({ACCEPT})

    @classmethod
    def missing(cls) -> str:
        if needs_root():
            return needs_root()
        if _program() is None:
            return "exim4 is not installed (bench/packages.sh unpacks it)"
        if not isolation.is_private():
            return "would need the machine's own /etc/exim4, for there are no private namespaces"
        return ""

    @classmethod
    def version(cls) -> str:
        _make_user()
        found = re.search(r"Exim version (\S+)", run(_program(), "-bV", "-C", "/dev/null"))
        return f"Exim {found[1] if found else '?'}"

    def start(self) -> None:
        _make_user()
        for name in ("spool", "log"):
            (self.directory / name).mkdir(parents=True)
            shutil.chown(self.directory / name, USER, USER)
        self.port = free_port()
        certificate, key = self.site.certificate
        settings = SETTINGS.format(
            program=_program(),
            directory=self.directory,
            hostname=HOSTNAME,
            port=self.port,
            certificate=certificate,
            key=key,
            sink_host=self.site.sink_host,
            sink_port=self.site.sink_port,
            username=self.login[0],
            password=self.login[1],
        )
        Path("/etc/exim4").mkdir(exist_ok=True)
        Path("/etc/exim4/exim4.conf").write_text(settings)
        with (self.directory / "start.log").open("w") as log:
            self.group.spawn([_program(), "-bdf"], stdout=log, stderr=log)
        self.wait_until_it_greets()


def _program() -> Path | None:
    installed = shutil.which("exim4")
    return Path(installed) if installed else UNPACKED if UNPACKED.exists() else None


def _make_user() -> None:
    """In the run's private /etc."""
    with suppress(KeyError):
        pwd.getpwnam(USER)
        return
    with Path("/etc/passwd").open("a") as file:
        file.write(f"{USER}:x:64990:64990::/nonexistent:/usr/sbin/nologin\n")
    with Path("/etc/group").open("a") as file:
        file.write(f"{USER}:x:64990:\n")
