"""deliver.courier and TLS: D13 (downgrade), S05 (injection), logins on routes."""

import asyncio
import base64
import gc
import ssl
import weakref

import pytest

from postroom.deliver.tls import TlsContexts, tls_contexts
from postroom.types.outcome import Result
from postroom.wire.smtp.client_commands import Login
from support.courier import ENVELOPE, courier, message, to, transcript, trusting, yes
from support.peer import EHLO, Drop, Peer
from support.tls import local_tls

LOGIN = Login("user", "s3cret")
SERVER = local_tls().server


async def deliver(one, times: int = 1):
    try:
        for _ in range(times):
            outcome = await one.deliver(ENVELOPE, message(), yes)
        return outcome
    finally:
        await one.close()


def modern_only() -> ssl.SSLContext:
    """A server we have nothing in common with: TLS 1.2 with a suite nobody offers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("PSK")
    return context


async def test_opportunistic_tells_version_cipher_and_verdict() -> None:
    with Peer(tls=SERVER) as peer:
        outcome = await deliver(courier(to(peer)))
    assert outcome.tls.startswith("TLSv1.3 TLS_")
    assert outcome.tls.endswith("(not verified)")
    assert peer.connections[0].tls


async def test_nothing_of_a_connection_is_left_for_the_collector() -> None:
    """With what TLS needs for it, a third of a megabyte would lie about for minutes."""
    gc.disable()
    try:
        with Peer(tls=SERVER) as peer:
            one = courier(to(peer))
            await one.deliver(ENVELOPE, message(), yes)
            assert one._connection is not None
            left = weakref.ref(one._connection)
            await one.close()
            async with asyncio.timeout(5):
                while left() is not None:
                    await asyncio.sleep(0.001)
    finally:
        gc.enable()


async def test_required_verifies_chain_and_name() -> None:
    with Peer(tls=SERVER) as peer:
        outcome = await deliver(courier(to(peer, tls="required")))
        assert (outcome.result, outcome.tls.endswith("(verified)")) == (Result.DELIVERED, True)
        stranger = courier(to(peer, tls="required"), contexts=tls_contexts())
        outcome = await deliver(stranger)
    assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.7.5")
    assert "certificate verify failed" in outcome.reply.text
    assert len(peer.messages) == 1


async def test_required_refuses_a_certificate_of_another_name() -> None:
    with Peer(tls=SERVER) as peer:
        destination = to(peer, tls="required")
        (host,) = destination.hosts
        other = type(host)("mx.other.test", host.addresses)
        outcome = await deliver(courier(to(peer, tls="required", hosts=(other,))))
        assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.7.5")
        outcome = await deliver(courier(to(peer, hosts=(other,))))
    assert outcome.tls.endswith("(not verified: other name)")


@pytest.mark.parametrize(
    "script", [{"STARTTLS": Drop(b"220 go\r\n")}, {}], ids=["closes", "no common cipher"]
)
async def test_d13_a_failed_handshake_means_one_try_in_clear_and_the_transcript_says_so(script) -> None:
    with Peer([script, {}], tls=modern_only()) as peer:
        outcome = await deliver(courier(to(peer)))
    assert outcome.result is Result.DELIVERED
    assert outcome.tls == ""
    assert "handshake" in transcript(outcome.transcript)
    assert "trying once more without TLS" in transcript(outcome.transcript)
    first, second = peer.connections
    assert "MAIL" not in first.verbs
    assert second.verbs[:2] == ["EHLO", "MAIL"]


@pytest.mark.parametrize(
    "script", [{"STARTTLS": Drop(b"220 go\r\n")}, {"STARTTLS": "454 4.7.0 not now"}, {"EHLO": "250 peer"}]
)
async def test_d13_required_never_sends_mail_in_clear(script) -> None:
    with Peer(script, tls=modern_only()) as peer:
        outcome = await deliver(courier(to(peer, tls="required")))
    assert outcome.result is Result.DEFERRED
    assert outcome.reply.enhanced.startswith("4.7.")
    assert "MAIL" not in "".join(peer.commands)


async def test_d13_a_stripped_or_refused_starttls_is_noted() -> None:
    for script, note in [
        ({"EHLO": "250 peer"}, "offers no STARTTLS"),
        ({"STARTTLS": "454 4.7.0 not now"}, "refused STARTTLS"),
    ]:
        with Peer(script, tls=SERVER) as peer:
            outcome = await deliver(courier(to(peer)))
        assert (outcome.result, outcome.tls) == (Result.DELIVERED, "")
        assert note in transcript(outcome.transcript)
        assert len(peer.connections) == 1


async def test_tls_none_ignores_starttls() -> None:
    with Peer(tls=SERVER) as peer:
        outcome = await deliver(courier(to(peer, tls="none")))
    assert (outcome.result, outcome.tls) == (Result.DELIVERED, "")
    assert peer.connections[0].verbs[:2] == ["EHLO", "MAIL"]


@pytest.mark.parametrize("reply", [b"220 go\r\n250 fake\r\n", b"220 go\r\n250", b"220 go\r\n\r\n"])
async def test_s05_a_reply_injected_before_the_handshake_is_a_failure(reply: bytes) -> None:
    with (
        Peer({"STARTTLS": reply}, host="127.0.0.2", tls=SERVER) as evil,
        Peer(port=evil.port, tls=SERVER) as good,
    ):
        outcome = await deliver(courier(to(evil, good)))
    assert "between its reply to STARTTLS and the handshake" in transcript(outcome.transcript)
    assert (outcome.result, outcome.address) == (Result.DELIVERED, good.address)
    assert len(evil.connections) == 1
    assert evil.connections[0].verbs == ["EHLO", "STARTTLS"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_a_route_logs_in_over_tls_and_the_transcript_does_not_tell_how(mechanism: str) -> None:
    script = {"AUTH": ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"]} if mechanism == "LOGIN" else {}
    with Peer(script, tls=SERVER, offers=[*EHLO, f"AUTH {mechanism}"]) as peer:
        outcome = await deliver(courier(to(peer, tls="required", login=LOGIN, is_route=True)), times=2)
    assert outcome.result is Result.DELIVERED
    plain = base64.b64encode(b"\0user\0s3cret").decode()
    password = base64.b64encode(b"s3cret").decode()
    assert (f"AUTH PLAIN {plain}" if mechanism == "PLAIN" else password) in peer.commands
    assert sum(verb == "AUTH" for verb in peer.connections[0].verbs) == 1
    told = transcript(outcome.transcript)
    assert plain not in told
    assert password not in told


async def test_a_login_is_never_sent_in_clear_unless_tls_is_off() -> None:
    offers = [*EHLO, "AUTH PLAIN"]
    with Peer({"STARTTLS": Drop(b"220 go\r\n")}, tls=SERVER, offers=offers) as peer:
        outcome = await deliver(courier(to(peer, login=LOGIN)))
        assert outcome.result is Result.DEFERRED
        assert "AUTH" not in "".join(peer.commands)
    with Peer(offers=offers) as peer:
        assert (await deliver(courier(to(peer, login=LOGIN)))).result is Result.DEFERRED
        assert (await deliver(courier(to(peer, login=LOGIN, tls="none")))).result is Result.DELIVERED
        assert [conversation.verbs.count("AUTH") for conversation in peer.connections] == [0, 1]


async def test_a_wrong_login_is_a_deferral_whatever_the_reply_says() -> None:
    with Peer({"AUTH": "535 5.7.8 wrong"}, tls=SERVER, offers=["AUTH PLAIN"]) as peer:
        outcome = await deliver(courier(to(peer, login=LOGIN)))
    assert (outcome.result, outcome.reply.code) == (Result.DEFERRED, 535)


def test_contexts() -> None:
    contexts = trusting()
    assert isinstance(contexts, TlsContexts)
    assert contexts.opportunistic.verify_mode is ssl.CERT_NONE
    assert contexts.verifying.verify_mode is ssl.CERT_REQUIRED
    assert contexts.verifying.check_hostname
    for context in (contexts.opportunistic, contexts.verifying):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
