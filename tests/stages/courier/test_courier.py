"""deliver.courier: one message to a scripted server, over loopback."""

import asyncio
import dataclasses
import ssl

import pytest

from postroom.runtime.blobs import BlobMissingError, MemoryBlobs
from postroom.types.envelope import Address
from postroom.types.outcome import Result
from postroom.wire.smtp.client_commands import InjectionError, OneRecipient
from support.courier import ENVELOPE, HEAD, SHORT, courier, message, no, to, transcript, yes
from support.peer import EHLO, Drop, Peer
from support.tls import local_tls


@pytest.mark.parametrize("offers", [EHLO, ()], ids=["pipelining", "bare"])
async def test_delivers_and_keeps_the_connection(tls: ssl.SSLContext | None, offers: tuple[str, ...]) -> None:
    with Peer(tls=tls, offers=offers) as peer:
        one = courier(to(peer))
        for _ in range(3):
            outcome = await one.deliver(ENVELOPE, message(), yes)
            assert outcome.result is Result.DELIVERED
            assert str(outcome.reply) == "250 2.0.0 queued"
            assert one.idle_since is not None
        assert (outcome.host, outcome.address, outcome.reached) == ("localhost", "127.0.0.1", True)
        assert outcome.tls.startswith("TLSv1.3 TLS_") if tls else outcome.tls == ""
        await one.close()
        assert one.idle_since is None or one.idle_since > 0
    assert peer.messages == [HEAD + b"Hello\r\n.\r\nBye\r\n"] * 3
    (conversation,) = peer.connections
    transaction = ["MAIL", "RCPT", "DATA"]
    opening = ["EHLO", "STARTTLS", "EHLO"] if tls else ["EHLO"]
    assert conversation.verbs == [*opening, *transaction * 3, "QUIT"]


async def test_pipelined_commands_are_one_write_and_content_another() -> None:
    with Peer() as peer:
        one = courier(to(peer))
        await one.deliver(ENVELOPE, message(), yes)
        await one.close()
    raw = bytes(peer.connections[0].raw)
    size = message().size
    envelope = b"MAIL FROM:<a@a.test> SIZE=%d\r\nRCPT TO:<bob@b.test>\r\nDATA\r\n" % size
    assert raw == b"EHLO me.test\r\n" + envelope + HEAD + b"Hello\r\n..\r\nBye\r\n.\r\nQUIT\r\n"


async def test_the_transcript_tells_the_story() -> None:
    with Peer(tls=local_tls().server) as peer:
        one = courier(to(peer))
        outcome = await one.deliver(ENVELOPE, message(), yes)
        again = await one.deliver(ENVELOPE, message(), yes)
        await one.close()
    told = transcript(outcome.transcript)
    for part in (
        "* servers: localhost [127.0.0.1]", f"* connecting to localhost [127.0.0.1]:{peer.port}", "* connected",
        "S 220 peer.test ESMTP", "C EHLO me.test", "C STARTTLS", "* TLS: TLSv1.3", "C MAIL FROM:<a@a.test>",
        "S 354 go ahead", f"C ({message().size} octets)", "S 250 2.0.0 queued",
    ):  # fmt: skip
        assert part in told
    assert "Hello" not in told
    assert [line.at for line in outcome.transcript] == sorted(line.at for line in outcome.transcript)
    assert outcome.duration >= outcome.transcript[-1].at
    assert transcript(again.transcript).startswith(
        "* message 2 on the connection to localhost [127.0.0.1]\nC MAIL"
    )


@pytest.mark.parametrize("size", [1, 65_536, 1_000_000])
async def test_content_of_any_size_from_memory(tls: ssl.SSLContext | None, size: int) -> None:
    body = b".line\r\n" * (size // 7) + b"x"
    with Peer(tls=tls) as peer:
        one = courier(to(peer))
        assert (await one.deliver(ENVELOPE, message(body), yes)).result is Result.DELIVERED
        await one.close()
    assert peer.messages == [HEAD + body + b"\r\n"]


async def test_large_content_is_streamed_from_the_blob_store(tls: ssl.SSLContext | None) -> None:
    body = b".line\r\n" * 500_000
    blobs = MemoryBlobs()
    key = blobs.store(b"old header\r\n\r\n" + body)
    composed = message(b"", blob=key, offset=14)
    with Peer(tls=tls) as peer:
        one = courier(to(peer), blobs=blobs)
        assert (await one.deliver(ENVELOPE, composed, yes)).result is Result.DELIVERED
        await one.close()
    assert peer.messages == [HEAD + body]


async def test_s02_unsafe_content_never_leaves() -> None:
    blobs = MemoryBlobs()
    contents = [message(b"a\r\n.\nb\r\n"), message(b"a\0"), message(b"a\rb")]
    contents.append(message(b"", blob=blobs.store(b"x\r\n" * 60_000 + b"\n.\r\nMAIL FROM:<>\r\n"), offset=0))
    with Peer() as peer:
        for composed in contents:
            one = courier(to(peer), blobs=blobs)
            outcome = await one.deliver(ENVELOPE, composed, yes)
            assert (outcome.result, outcome.reply.enhanced) == (Result.FAILED, "5.6.0")
            await one.close()
    assert peer.messages == []
    assert all(b"\n.\r\n" not in conversation.raw for conversation in peer.connections)


async def test_content_that_cannot_be_read_is_deferred_and_the_message_never_ends() -> None:
    class Broken(MemoryBlobs):
        async def read(self, key, offset=0):
            yield b"half\r\n"
            raise BlobMissingError("gone")

    with Peer() as peer:
        one = courier(to(peer), blobs=Broken())
        outcome = await one.deliver(ENVELOPE, message(b"", blob="key"), yes)
        await one.close()
    assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.3.0")
    assert peer.messages == []


async def test_nothing_of_the_content_is_sent_when_it_is_held_back(tls: ssl.SSLContext | None) -> None:
    with Peer(tls=tls) as peer:
        one = courier(to(peer))
        outcome = await one.deliver(ENVELOPE, message(), no)
        assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.3.0")
        assert one.idle_since is None
        assert (await one.deliver(ENVELOPE, message(), yes)).result is Result.DELIVERED
        await one.close()
    first, second = peer.connections
    assert first.raw.endswith(b"DATA\r\n")
    assert len(second.messages) == 1


async def test_cancelling_drops_the_connection() -> None:
    async def never() -> bool:
        await asyncio.Event().wait()
        return True

    with Peer() as peer:
        one = courier(to(peer))
        task = asyncio.create_task(one.deliver(ENVELOPE, message(), never))
        while not peer.connections or not peer.connections[0].raw.endswith(b"DATA\r\n"):
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not peer.connections[0].closed:
            await asyncio.sleep(0.001)
        assert (await one.deliver(ENVELOPE, message(), yes)).result is Result.DELIVERED
        await one.close()
    assert len(peer.connections) == 2


async def test_a_connection_takes_so_many_messages() -> None:
    with Peer() as peer:
        one = courier(to(peer, messages_per_connection=2))
        for _ in range(5):
            assert (await one.deliver(ENVELOPE, message(), yes)).result is Result.DELIVERED
        await one.close()
    assert [len(conversation.messages) for conversation in peer.connections] == [2, 2, 1]
    assert [conversation.verbs[-1] for conversation in peer.connections] == ["QUIT"] * 3


@pytest.mark.parametrize(
    ("script", "result", "code", "reached"),
    [
        ({"MAIL": "550 5.7.1 no"}, Result.FAILED, 550, False),
        ({"RCPT": "450 4.7.1 greylisted"}, Result.DEFERRED, 450, True),
        ({"RCPT": "452 4.5.3 too many"}, Result.DEFERRED, 452, True),
        ({"RCPT": "550 5.1.1 unknown"}, Result.FAILED, 550, True),
        ({"RCPT": "450 5.1.1 odd"}, Result.DEFERRED, 450, True),
        ({"DATA": "451 4.3.0 later"}, Result.DEFERRED, 451, True),
        ({"DATA": "554 5.5.1 no valid recipients"}, Result.FAILED, 554, True),
        ({"DOT": "451 4.3.0 later"}, Result.DEFERRED, 451, True),
        ({"DOT": "552 5.2.2 full"}, Result.FAILED, 552, True),
        ({"DOT": "421 4.3.2 later"}, Result.DEFERRED, 421, True),
        ({"RCPT": "421 4.3.2 later"}, Result.DEFERRED, 421, True),
        ({"DOT": "250"}, Result.DELIVERED, 250, True),
    ],
)
async def test_d07_the_first_digit_decides(script, result: Result, code: int, reached: bool) -> None:
    """And the next message on the same connection is none the worse for it."""
    with Peer([script, {}]) as peer:
        one = courier(to(peer))
        outcome = await one.deliver(ENVELOPE, message(), yes)
        assert (outcome.result, outcome.reply.code, outcome.reached) == (result, code, reached)
        assert (await one.deliver(ENVELOPE, message(b"second\r\n"), yes)).result is Result.DELIVERED
        await one.close()
    assert len(peer.connections) == (2 if code == 421 else 1)
    assert peer.messages[-1] == HEAD + b"second\r\n"


async def test_d07_a_refused_recipient_never_sends_content() -> None:
    with Peer({"RCPT": "550 5.1.1 unknown"}) as peer:
        one = courier(to(peer))
        await one.deliver(ENVELOPE, message(), yes)
        await one.close()
    assert b"Hello" not in peer.connections[0].raw
    assert peer.messages == [b""]  # the empty message after a DATA that was pipelined


async def test_d19_too_big_for_the_server_is_never_sent() -> None:
    with Peer(offers=["SIZE 20", "PIPELINING"]) as peer:
        one = courier(to(peer))
        outcome = await one.deliver(ENVELOPE, message(), yes)
        await one.close()
    assert (outcome.result, outcome.reply.enhanced, outcome.reached) == (Result.FAILED, "5.3.4", False)
    assert peer.connections[0].verbs == ["EHLO", "QUIT"]


async def test_smtputf8_is_needed_for_headers_beyond_ascii_only() -> None:
    with Peer(offers=["8BITMIME"]) as peer:
        one = courier(to(peer))
        assert (await one.deliver(ENVELOPE, message(utf8=True), yes)).result is Result.DELIVERED
        foreign = OneRecipient("a@a.test", Address("bøb", "b.test"))
        assert (await one.deliver(foreign, message(), yes)).reply.enhanced == "5.6.7"
        await one.close()


async def test_s25_an_address_that_cannot_be_sent_fails_without_a_command() -> None:
    with Peer() as peer:
        one = courier(to(peer))
        evil = OneRecipient("a@a.test", Address("x>\r\nRCPT TO:<y", "b.test"))
        outcome = await one.deliver(evil, message(), yes)
        assert (outcome.result, outcome.reply.enhanced) == (Result.FAILED, "5.1.3")
        assert (await one.deliver(ENVELOPE, message(), yes)).result is Result.DELIVERED
        await one.close()
        with pytest.raises(InjectionError):
            type(one)(to(peer), SHORT, None, None, "bad name", None)  # type: ignore[arg-type]
    assert peer.connections[0].verbs.count("RCPT") == 1


@pytest.mark.parametrize(
    "ours",
    [{"sender": "b-token@bad host"}, {"envid": "a b"}, {"ret": ""}, {"notify": "\r\n"}, {"orcpt": "a=b"}],
)
async def test_our_own_fault_in_the_envelope_defers(ours: dict[str, str]) -> None:
    with Peer(offers=["DSN", "PIPELINING"]) as peer:
        one = courier(to(peer))
        outcome = await one.deliver(dataclasses.replace(ENVELOPE, **ours), message(), yes)
        assert (outcome.result, outcome.reply.enhanced, outcome.reached) == (Result.DEFERRED, "4.3.5", False)
        assert (await one.deliver(ENVELOPE, message(), yes)).result is Result.DELIVERED
        await one.close()
    assert peer.connections[0].verbs.count("MAIL") == 1


async def test_d12_a_closed_idle_connection_is_replaced_without_a_word() -> None:
    with Peer([{"RSET": Drop()}, {}]) as peer:
        one = courier(to(peer))
        await one.deliver(ENVELOPE, message(), yes)
        peer.drop_all()
        assert (await one.deliver(ENVELOPE, message(), yes)).result is Result.DELIVERED
        await one.close()
    assert len(peer.connections) == 2


@pytest.mark.parametrize(
    "second", ["421 4.7.0 too many", Drop(b"421 bye\r\n"), Drop(), "451 4.7.1 slow down"]
)
async def test_d12_421_on_a_reused_connection_costs_nothing(second: object) -> None:
    with Peer([{"MAIL": ["250 ok", second]}, {}]) as peer:
        one = courier(to(peer))
        first = await one.deliver(ENVELOPE, message(), yes)
        outcome = await one.deliver(ENVELOPE, message(), yes)
        await one.close()
    assert (first.result, outcome.result) == (Result.DELIVERED, Result.DELIVERED)
    assert len(peer.connections) == 2
    assert "connecting anew" in transcript(outcome.transcript)


async def test_d12_a_refused_reset_is_not_held_against_the_message() -> None:
    with Peer([{"DOT": "451 later", "RSET": "500 what?"}, {}]) as peer:
        one = courier(to(peer))
        assert (await one.deliver(ENVELOPE, message(), yes)).result is Result.DEFERRED
        assert (await one.deliver(ENVELOPE, message(), yes)).result is Result.DELIVERED
        await one.close()
    assert len(peer.connections) == 2


async def test_close_does_not_wait_for_a_silent_server() -> None:
    with Peer({"QUIT": Drop(b"22")}) as peer:
        one = courier(to(peer))
        await one.deliver(ENVELOPE, message(), yes)
        async with asyncio.timeout(5):
            await one.close()
            await one.close()
    assert len(peer.connections) == 1
