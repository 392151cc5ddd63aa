"""Postfix with its defaults, Cyrus SASL and a private queue; `ACCEPT` puts every message on hold, synced to disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

from systems import ACCEPT, DOMAIN, HOSTNAME, System, free_port, needs_root, run

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
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
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN
sasldb_path: {directory}/sasldb2
"""


class Postfix(System):
    name: ClassVar[str] = "postfix"

    @classmethod
    def missing(cls) -> str:
        for program, package in (("postfix", "postfix"), ("saslpasswd2", "sasl2-bin")):
            if not shutil.which(program):
                return f"{program} is not installed (Debian: {package})"
        if not list(Path("/usr/lib").glob("*/sasl2/libsasldb.so*")):
            return "Cyrus SASL's sasldb is not installed (Debian: libsasl2-modules-db)"
        return needs_root()

    @classmethod
    def version(cls) -> str:
        return f"Postfix {run('postconf', '-d', '-h', 'mail_version').strip()}"

    def start(self) -> None:
        for name in ("etc/sasl", "queue", "data"):
            (self.directory / name).mkdir(parents=True)
        shutil.chown(self.directory / "data", "postfix")
        self._add_user()
        self.port = free_port()
        settings = "".join(f"{key} = {value}\n" for key, value in self.settings().items())
        (self.directory / "etc/main.cf").write_text(settings)
        (self.directory / "etc/master.cf").write_text(MASTER.format(port=self.port))
        with (self.directory / "start.log").open("w") as log:
            command = ["postfix", "-c", self.directory / "etc", "start-fg"]
            self.group.spawn(command, stdout=log, stderr=log)
        self.wait_until_it_greets()

    def settings(self) -> dict[str, object]:
        certificate, key = self.site.certificate
        settings: dict[str, object] = {
            "compatibility_level": "3.6",
            "queue_directory": self.directory / "queue",
            "data_directory": self.directory / "data",
            "maillog_file": self.directory / "mail.log",
            "maillog_file_prefixes": self.directory,
            "myhostname": HOSTNAME,
            "mydestination": "",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "disable_dns_lookups": "yes",
            "smtpd_peername_lookup": "no",
            "smtpd_tls_security_level": "may",
            "smtpd_tls_cert_file": certificate,
            "smtpd_tls_key_file": key,
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "cyrus",
            "smtpd_sasl_path": "smtpd",
            "cyrus_sasl_config_path": self.directory / "etc/sasl",  # where Debian's looks in any case
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
            "relayhost": f"[{self.site.sink_host}]:{self.site.sink_port}",
        }
        if self.role == ACCEPT:
            settings["smtpd_sender_restrictions"] = "check_sender_access static:HOLD"
        return settings

    def _add_user(self) -> None:
        local, password = self.login[0].partition("@")[0], self.login[1]
        database = self.directory / "sasldb2"
        run("saslpasswd2", "-p", "-c", "-f", database, "-u", DOMAIN, local, input=password)
        database.chmod(0o644)
        (self.directory / "etc/sasl/smtpd.conf").write_text(SASL.format(directory=self.directory))
