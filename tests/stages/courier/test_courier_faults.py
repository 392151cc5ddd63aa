"""deliver.courier against servers that misbehave: D03, D05, D06, D08, D11, D24."""

import asyncio
import json

import pytest

from postroom.deliver import connection as connections
from postroom.types.outcome import Result
from support.courier import ENVELOPE, SHORT, courier, message, no, to, transcript, yes
from support.peer import Deaf, Delay, Drip, Drop, Peer, Reset, Silence

TIMEOUTS = ("connect_timeout", "command_timeout", "data_timeout", "block_timeout", "dot_timeout")
HASTY = SHORT.model_copy(update=dict.fromkeys(TIMEOUTS, 0.05))


async def deliver(one, composed=None, before_dot=yes):
    try:
        return await one.deliver(ENVELOPE, composed or message(), before_dot)
    finally:
        await one.close()


DEAD = [
    Drop(), Drop(b"22"), Drop(b"220 half"), Reset(), "554 5.7.1 no", "421 4.3.2 busy", "450 wait", b"HTTP/1.1 400 no\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x0a\x00", b"99 \r\n", "354 odd", b"\r\n",
]  # fmt: skip


@pytest.mark.parametrize("connect", DEAD)
async def test_d05_a_dead_first_host_and_the_next_one_takes_it(connect: object) -> None:
    with Peer({"CONNECT": connect}, host="127.0.0.2") as bad, Peer(port=bad.port) as good:
        outcome = await deliver(courier(to(bad, good)))
    assert outcome.result is Result.DELIVERED
    assert outcome.address == good.address
    assert len(good.messages) == 1


@pytest.mark.parametrize("connect", DEAD)
async def test_d05_dead_hosts_only_are_a_deferral(connect: object) -> None:
    with Peer({"CONNECT": connect}) as bad:
        outcome = await deliver(courier(to(bad)))
    assert outcome.result is Result.DEFERRED
    assert not outcome.reached


@pytest.mark.parametrize("script", [{"EHLO": "451 later"}, {"EHLO": Drop()}, {"EHLO": "550 no", "HELO": "550 no"},
                                    {"MAIL": "450 4.7.1 busy"}, {"MAIL": "421 bye"}, {"MAIL": Drop()}])  # fmt: skip
async def test_the_next_host_while_nothing_was_accepted(script) -> None:
    with Peer(script, host="127.0.0.2") as bad, Peer(port=bad.port) as good:
        outcome = await deliver(courier(to(bad, good)))
    assert (outcome.result, len(good.messages)) == (Result.DELIVERED, 1)


@pytest.mark.parametrize("script", [{"MAIL": "550 no"}, {"RCPT": "450 greylisted"}, {"RCPT": Drop()}, {"RCPT": "550 no"},
                                    {"DATA": Reset()}, {"DOT": "451 later"}, {"DOT": Drop()}])  # fmt: skip
async def test_no_other_host_after_a_final_word_or_an_accepted_mail(script) -> None:
    with Peer(script, host="127.0.0.2") as first, Peer(port=first.port) as second:
        outcome = await deliver(courier(to(first, second)))
    assert outcome.result is not Result.DELIVERED
    assert second.connections == []


async def test_d03_two_sessions_and_five_addresses_at_most() -> None:
    script = {"MAIL": "450 4.7.1 busy"}
    with Peer(script) as peer:
        outcome = await deliver(courier(to(peer, peer, peer, peer)))
        assert len(peer.connections) == 2
    assert (outcome.result, outcome.reply.code) == (Result.DEFERRED, 450)
    assert [conversation.verbs[-1] for conversation in peer.connections] == ["QUIT", "QUIT"]
    with Peer({"CONNECT": "554 5.7.1 no"}) as peer:
        outcome = await deliver(courier(to(peer, peer, peer, peer)))
        assert len(peer.connections) == 2
    assert (outcome.result, outcome.reply.code) == (Result.DEFERRED, 554)
    with Peer() as peer:
        outcome = await deliver(courier(to(1, 2, 3, 4, 5, peer)))
        assert peer.connections == []
    assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.4.1")
    assert transcript(outcome.transcript).count("connecting to") == 5
    assert (outcome.host, outcome.reached) == ("", False)


async def test_d05_a_dead_session_does_not_use_up_the_two() -> None:
    with Peer({"CONNECT": Drop()}, host="127.0.0.2") as bad, Peer(port=bad.port) as good:
        outcome = await deliver(courier(to(bad, bad, bad, good)))
    assert outcome.result is Result.DELIVERED


@pytest.mark.parametrize("moment", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_d11_silence_before_the_dot_is_a_deferral(moment: str) -> None:
    with Peer({moment: Silence()}) as peer:
        outcome = await deliver(courier(to(peer), HASTY))
    assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.4.2")
    assert "no reply to" in outcome.reply.text


async def test_d11_each_reply_has_its_own_time_but_a_drip_does_not_prolong_it() -> None:
    slow = {moment: Delay(0.03, reply) for moment, reply in [("CONNECT", "220 hi"), ("EHLO", "250 hi"), ("MAIL", "250 ok"),
                                                            ("RCPT", "250 ok"), ("DATA", "354 go"), ("DOT", "250 ok")]}  # fmt: skip
    patient = HASTY.model_copy(update={"command_timeout": 0.15, "data_timeout": 0.15, "dot_timeout": 0.15})
    with Peer(slow) as peer:
        assert (await deliver(courier(to(peer), patient))).result is Result.DELIVERED
    with Peer({"MAIL": Drip(b"250 " + b"x" * 500, 0.01)}) as peer:
        outcome = await deliver(courier(to(peer), patient))
    assert (outcome.result, outcome.reply.text) == (Result.DEFERRED, "no reply to MAIL within 0.15 s")


@pytest.mark.parametrize(
    "dot", [Silence(), Drop(), Reset(), Drop(b"250 2.0.0 que"), b"what?\r\n", "354 more"]
)
async def test_d06_no_word_after_the_dot_is_uncertain(dot: object) -> None:
    config = SHORT.model_copy(update={"dot_timeout": 0.05})
    with Peer({"DOT": dot}) as peer:
        one = courier(to(peer), config)
        outcome = await deliver(one)
    assert outcome.result is Result.UNCERTAIN
    assert outcome.retry_after is not None
    assert outcome.retry_after >= 900
    assert outcome.reached
    assert len(peer.messages) == 1


async def test_d06_lost_while_content_is_sent_is_not_uncertain() -> None:
    with Peer({"DATA": Drop(b"354 go\r\n")}) as peer:
        outcome = await deliver(courier(to(peer)), message(b"x\r\n" * 2_000_000))
    assert (outcome.result, outcome.retry_after) == (Result.DEFERRED, None)


async def test_d06_lost_while_held_back_is_a_deferral() -> None:
    async def slow() -> bool:
        await asyncio.sleep(0.05)
        return True

    with Peer({"DATA": Drop(b"354 go\r\n")}) as peer:
        outcome = await deliver(courier(to(peer)), before_dot=slow)
    assert outcome.result is Result.DEFERRED
    assert peer.messages == []


async def test_d11_a_server_that_takes_no_content_is_left_before_the_dot() -> None:
    with Peer({"DATA": Deaf("354 go")}) as peer:
        config = SHORT.model_copy(update={"block_timeout": 0.05})
        outcome = await deliver(courier(to(peer), config), message(b"x\r\n" * 10_000_000))
    assert (outcome.result, outcome.reply.text) == (Result.DEFERRED, "the server took no content for 0.05 s")


async def test_a_refusal_while_content_is_sent_is_heard() -> None:
    with Peer({"DATA": b"354 go\r\n552 5.3.4 too much\r\n"}) as peer:
        outcome = await deliver(courier(to(peer)), message(b"x\r\n" * 3_000_000))
    assert (outcome.result, outcome.reply.enhanced) == (Result.FAILED, "5.3.4")
    assert peer.messages == []


async def test_a_refused_recipient_is_final_even_if_the_connection_breaks_then() -> None:
    with Peer({"RCPT": "550 5.1.1 unknown", "DATA": Drop()}) as peer:
        outcome = await deliver(courier(to(peer)))
    assert (outcome.result, outcome.reply.enhanced) == (Result.FAILED, "5.1.1")


ODD_REPLIES = [
    ("250", Result.DELIVERED),
    (b"250 ok\n", Result.DELIVERED),
    (b"250-a\r\n250-b\r\n250 c\r\n", Result.DELIVERED),
    (b"250-a\r\n450 b\r\n", Result.DEFERRED),
    (b"250 \xe4\xf6\xfc\r\n", Result.DELIVERED),
    (b"550 \xff\x00\x01\r\n", Result.FAILED),
    (b"451 5.7.1 odd\r\n", Result.DEFERRED),
    (b"554 4.7.1 odd\r\n", Result.FAILED),
    (Drip(b"250 2.0.0 ok\r\n"), Result.DELIVERED),
    (b"250-" + b"x" * 10_000_000 + b"\r\n250 ok\r\n", Result.DELIVERED),
    (b"99 \r\n", Result.UNCERTAIN),
    (b"2500 ok\r\n", Result.UNCERTAIN),
    (b"\xff\xfe\xfd\xfc\n", Result.UNCERTAIN),
    (b"250_ok\r\n", Result.UNCERTAIN),
]


@pytest.mark.parametrize(("reply", "result"), ODD_REPLIES)
async def test_d08_odd_replies_to_the_dot(reply: object, result: Result) -> None:
    with Peer({"DOT": reply}) as peer:
        outcome = await deliver(courier(to(peer)))
    assert outcome.result is result
    assert len(outcome.reply.text) <= 2100


@pytest.mark.parametrize("reply", [b"99 \r\n", b"garbage\r\n", "250 go"])
async def test_d08_garbage_before_the_dot_is_a_deferral(reply: object) -> None:
    with Peer({"DATA": reply}) as peer:
        outcome = await deliver(courier(to(peer)))
    assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.5.0")


async def test_a_long_story_stays_under_8_kilobytes() -> None:
    with Peer(
        {"CONNECT": f"220 {'x' * 1900}", "EHLO": f"250 {'y' * 1900}", "MAIL": f"450 {'z' * 1900}"}
    ) as peer:
        outcome = await deliver(courier(to(peer, peer, 1, 2, 3)))
    lines = outcome.transcript
    assert len(json.dumps([(line.at, line.who, line.text) for line in lines])) < 8192
    assert "xxx ..." in transcript(lines)
    assert lines[0].text.startswith("servers:")
    assert lines[-1].text.startswith("450 zzz")


async def test_d24_the_peer_must_be_the_one_that_was_vetted(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer() as peer:
        real = asyncio.get_running_loop().create_connection

        async def rebound(factory, host, port, **more):
            return await real(factory, peer.address, port, **more)

        monkeypatch.setattr(connections.asyncio, "get_running_loop", lambda: _Rebinding(rebound))
        outcome = await deliver(courier(to(1, peer, hosts=to(1, peer).hosts[:1])))
        assert all(not conversation.commands for conversation in peer.connections)
    assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.4.1")
    assert "another address" in outcome.reply.text


class _Rebinding:
    """The running loop, but for where it connects."""

    def __init__(self, create_connection) -> None:
        self._loop = asyncio.events.get_running_loop()
        self.create_connection = create_connection

    def __getattr__(self, name: str):
        return getattr(self._loop, name)


async def test_the_source_address_is_ours_to_choose() -> None:
    with Peer() as peer:
        outcome = await deliver(courier(to(peer), SHORT.model_copy(update={"ipv4_source": "127.0.0.7"})))
        assert outcome.result is Result.DELIVERED
        assert peer.connections[0].client == "127.0.0.7"
        outcome = await deliver(courier(to(peer), SHORT.model_copy(update={"ipv4_source": "192.0.2.1"})))
    assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.4.1")


async def test_held_back_means_no_for_every_server() -> None:
    with Peer() as peer:
        outcome = await deliver(courier(to(peer, peer)), before_dot=no)
    assert outcome.result is Result.DEFERRED
    assert len(peer.connections) == 1
