"""Postfix as in `postfix`, with OpenDKIM as its milter: signs with RSA-2048, relaxed/relaxed."""

from __future__ import annotations

import os
import pwd
import shutil
import time
from typing import ClassVar

from systems import DELIVER, DOMAIN, START_SECONDS
from systems.postfix import Postfix

SETTINGS = """\
Mode s
Domain {domain}
Selector s1
KeyFile {key}
RequireSafeKeys no
Canonicalization relaxed/relaxed
SignatureAlgorithm rsa-sha256
InternalHosts 127.0.0.0/8
Socket local:{socket}
UMask 000
UserID {user}
Syslog no
"""


class PostfixOpenDkim(Postfix):
    name: ClassVar[str] = "postfix-opendkim"
    roles: ClassVar[frozenset[str]] = frozenset({DELIVER})

    @classmethod
    def missing(cls) -> str:
        if not shutil.which("opendkim"):
            return "opendkim is not installed (Debian: opendkim)"
        return super().missing()

    def start(self) -> None:
        self.directory.mkdir(parents=True)
        self._socket = self.directory / "milter"
        settings = SETTINGS.format(
            domain=DOMAIN,
            key=self.site.dkim_key,
            socket=self._socket,
            user=pwd.getpwuid(os.geteuid()).pw_name,
        )
        (self.directory / "opendkim.conf").write_text(settings)
        with (self.directory / "opendkim.log").open("w") as log:
            self._milter = self.group.spawn(
                ["opendkim", "-f", "-x", self.directory / "opendkim.conf"], stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._socket.exists():
            if time.monotonic() > deadline:
                raise RuntimeError(f"OpenDKIM does not listen: {self.log_end()}")
            time.sleep(0.05)
        super().start()

    def stop(self) -> None:
        self._milter.kill()  # told to end, it takes five seconds
        super().stop()

    def settings(self) -> dict[str, object]:
        milter = {"smtpd_milters": f"unix:{self._socket}", "milter_default_action": "tempfail"}
        return super().settings() | milter
