"""S08: somebody tries passwords, from many addresses and over many connections.

Each address has a few tries and then waits, each try at a user under attack takes longer, and the owner gets in. The
exact rules, and IPv6, are in `stages/submission`.
"""

from __future__ import annotations

import base64
import json
import smtplib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.process import Relay, starting
from support.waiting import until
from support.world import Tenant, World

ALLOWED, PER_CONNECTION = 3, 2
SETTINGS = {
    "POSTROOM_SUBMISSION__FAILED_LOGINS": str(ALLOWED),
    "POSTROOM_SUBMISSION__FAILED_LOGINS_PER_CONNECTION": str(PER_CONNECTION),
}
ADDRESSES = [f"127.0.6.{number}" for number in range(1, 9)]
CONNECTIONS = 8
"""From each address: more than it has tries for."""
SECRET = "Tr0ub4dor&3-not-the-one"


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    data = tmp_path_factory.mktemp("brute") / "data"
    with starting(data, "--first-run", settings=SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def world(relay: Relay) -> World:
    return World.of(relay.data)


def connected(relay: Relay, source: str) -> smtplib.SMTP:
    client = smtplib.SMTP("localhost", relay.port(), timeout=30, source_address=(source, 0))
    client.starttls(context=relay.tls())
    return client


def answers(relay: Relay, source: str, username: str, password: str = SECRET) -> list[int]:
    """To one login after another on one connection, until it is closed."""
    codes: list[int] = []
    client = connected(relay, source)
    try:
        client.ehlo()
        while True:
            codes.append(client.docmd("AUTH", "PLAIN " + token(username, password))[0])
    except (smtplib.SMTPException, OSError):
        client.close()
    return codes


def token(username: str, password: str) -> str:
    return base64.b64encode(f"\0{username}\0{password}".encode()).decode()


def log_in(relay: Relay, tenant: Tenant, source: str) -> int:
    client = connected(relay, source)
    try:
        return client.login(*tenant.login)[0]
    finally:
        client.close()


def logged(relay: Relay, event: str, fact: str) -> set[str]:
    """What lines with this event say."""
    lines = [json.loads(line) for line in relay.log.splitlines() if line.startswith("{")]
    return {line[fact] for line in lines if line["event"] == event}


@pytest.mark.slow
def test_s08_wrong_passwords_from_many_addresses(relay: Relay, world: World) -> None:
    tenant, neighbour = world.tenant("attacked.test"), world.tenant("neighbour.test")
    home, elsewhere = ADDRESSES[0], "127.0.7.1"
    assert log_in(relay, tenant, home) == 235
    with ThreadPoolExecutor(len(ADDRESSES)) as pool:
        guesses = [
            (source, name) for _ in range(CONNECTIONS) for source in ADDRESSES for name in guessed(tenant)
        ]
        codes = list(pool.map(lambda guess: (guess[0], answers(relay, *guess)), guesses))
    checked: Counter[str] = Counter()
    for source, said in codes:
        checked[source] += said.count(535)
        assert 235 not in said
    # A failure is counted once for a connection and a name; connections that were open at that moment come on top.
    del checked[home]  # nobody can make him wait there, not even who shares his address
    assert max(checked.values()) <= (ALLOWED + 1) * PER_CONNECTION + len(ADDRESSES)
    until(lambda: answers(relay, ADDRESSES[1], tenant.username)[0] == 421, what="this address has to wait")
    assert log_in(relay, tenant, home) == 235, "his address is one of the attackers', and it is his"
    assert log_in(relay, tenant, elsewhere) == 235
    assert log_in(relay, neighbour, elsewhere) == 235


def guessed(tenant: Tenant) -> tuple[str, ...]:
    return tenant.username, tenant.username.upper()


def test_s08_what_is_written_down_of_it(relay: Relay, world: World) -> None:
    """Whom, from where, how often; in the log and in the list of refusals. And never what was tried."""
    tenant = world.tenant("written.test")
    source = "127.0.8.1"
    for _ in range(4):
        answers(relay, source, tenant.username)

    def mine() -> dict[str, int]:
        return {refusal.rule: refusal.count for refusal in world.refusals() if refusal.client == source}

    until(lambda: mine().get("auth-failed", 0) > ALLOWED, what="they are recorded")
    tried = {refusal.credential for refusal in world.refusals() if refusal.rule == "auth-failed"}
    assert tenant.username in tried
    assert source in logged(relay, "failed logins: this address has to wait", "client")
    everything = relay.log + str(world.refusals())
    for written in (SECRET, token(tenant.username, SECRET)):
        assert written not in everything


def test_s08_the_log_says_whose_password_is_guessed_at(relay: Relay, world: World) -> None:
    tenant = world.tenant("alert.test")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: answers(relay, f"127.0.9.{number}", tenant.username), range(1, 25)))
    assert tenant.username in logged(relay, "a password is guessed at", "username")
    assert log_in(relay, tenant, "127.0.10.1") == 235
