"""Postfix on the application's machine, with Postroom as its relayhost.

Postfix keeps a queue: what it makes of an answer shows in its log, a moment later. Logins go by the envelope sender,
connections by the recipient's domain, so one instance serves all cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support import postfix
from support.clients import ClientResult, Mail, Target
from support.postfix import Postfix
from support.waiting import until

SERVICES = {
    # How Postfix calls it: a transport of master.cf for each way to connect.
    "starttls": "starttls unix - - n - - smtp\n",
    "implicit": "implicit unix - - n - - smtp -o smtp_tls_wrappermode=yes\n",
    "none": "none unix - - n - - smtp -o smtp_tls_security_level=none\n",
    "distrustful": "distrustful unix - - n - - smtp -o smtp_tls_CAfile=\n",
}


class PostfixClient:
    def __init__(self, instance: Postfix) -> None:
        self._instance = instance

    def __call__(self, target: Target, mail: Mail) -> ClientResult:
        """The target was settled when the instance started; see `running`."""
        self._instance.submit(mail.sender, mail.recipients, mail.raw())
        outcomes = until(
            lambda: self._complete(mail), what=f"Postfix tries {mail.subject}\n{self._instance.log()}"
        )
        sent = [said for said in outcomes.values() if said.startswith("sent ")]
        other = [said for said in outcomes.values() if not said.startswith("sent ")]
        if other:
            return ClientResult("in part" if sent else other[0].split()[0], f"status={other[0]}")
        queue_id = sent[0].rpartition("queued as ")[2].rstrip(")")
        return ClientResult("accepted", f"status={sent[0]}", queue_id)

    def _complete(self, mail: Mail) -> dict[str, str]:
        outcomes = self._instance.outcomes(mail.message_id)
        return outcomes if len(outcomes) == len(mail.recipients) else {}


@contextmanager
def running(runs: Mapping[str, tuple[Target, Mail]], authority: Path) -> Iterator[PostfixClient]:
    """An instance that knows these: the sender of each decides the login, the recipients' domain the connection."""
    logins = {
        mail.sender: (target.username, target.password) for target, mail in runs.values() if target.username
    }
    routes = {_domain(mail.recipients[0]): _route(target) for target, mail in runs.values()}
    senders = {_domain(mail.sender) for _, mail in runs.values()}
    with postfix.smarthost_client(
        logins, routes, authority=authority, domains=senders, services="".join(SERVICES.values())
    ) as instance:
        yield PostfixClient(instance)


def _route(target: Target) -> str:
    trusting = target.authority is not None or target.encryption == "none"
    return f"{target.encryption if trusting else 'distrustful'}:[{target.host}]:{target.port}"


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
