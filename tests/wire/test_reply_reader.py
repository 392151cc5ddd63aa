"""wire.smtp.reply_reader: what servers answer, however it comes (D08)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.types.reply import Reply
from postroom.wire.smtp.reply_reader import REPLY_OCTETS, TEXT_OCTETS, BadReply, ReplyReader

REPLIES = [
    (b"250 ok\r\n", Reply(250, "", ("ok",))),
    (b"250 2.1.0 Sender ok\r\n", Reply(250, "2.1.0", ("Sender ok",))),
    (b"250\r\n", Reply(250, "", ("",))),
    (b"250 \r\n", Reply(250, "", ("",))),
    (b"250 ok\n", Reply(250, "", ("ok",))),
    (b"250\tok\r\n", Reply(250, "", ("ok",))),
    (b"250 2.0.0\r\n", Reply(250, "2.0.0", ("",))),
    (b"250-a\r\n250-b\r\n250 c\r\n", Reply(250, "", ("a", "b", "c"))),
    (b"250-a\n250 b\n", Reply(250, "", ("a", "b"))),
    (b"250-\r\n250 c\r\n", Reply(250, "", ("", "c"))),
    (b"550-5.1.1 no\r\n550 5.1.1 user\r\n", Reply(550, "5.1.1", ("no", "user"))),
    (b"250-mixed\r\n550 no\r\n", Reply(550, "", ("mixed", "no"))),
    (b"550-mixed\r\n250 yes\r\n", Reply(250, "", ("mixed", "yes"))),
    (b"450 5.7.1 later\r\n", Reply(450, "5.7.1", ("later",))),
    (b"550 5.7.100000 text\r\n", Reply(550, "", ("5.7.100000 text",))),
    (b"550 1.2.3.4 is listed\r\n", Reply(550, "", ("1.2.3.4 is listed",))),
    (b"550 5.7.1.2 is listed\r\n", Reply(550, "", ("5.7.1.2 is listed",))),
    ("550 Größe\r\n".encode(), Reply(550, "", ("Größe",))),
    ("550 Größe\r\n".encode("latin-1"), Reply(550, "", ("Größe",))),
    (b"550 a\x00b\x1b[31m\rc\r\n", Reply(550, "", (r"a\x00b\x1b[31m\rc",))),
]
GARBAGE = [
    b"99 \r\n", b"\r\n", b"ok\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"2500 ok\r\n", b"250ok\r\n", b"150 preliminary\r\n",
    b"600 what\r\n", b"25\r\n", b" 250 ok\r\n", b"250_ok\r\n", b"\x15\x03\x01\x00\x02\x02\x0a", b"\xff\xfe\xfd\xfc\n",
    b"250-first\r\nsecond\r\n", b"SSH-2.0-OpenSSH_9.2\r\n",
]  # fmt: skip


@pytest.mark.parametrize(("data", "reply"), REPLIES)
def test_d08_reads_what_servers_send_whole_and_byte_by_byte(data: bytes, reply: Reply) -> None:
    assert ReplyReader().feed(data) == [reply]
    reader = ReplyReader()
    assert [reply for at in range(len(data)) for reply in reader.feed(data[at : at + 1])] == [reply]
    assert not reader.pending


@pytest.mark.parametrize("data", GARBAGE)
def test_d08_garbage_is_told_once_and_nothing_is_read_after_it(data: bytes) -> None:
    reader = ReplyReader()
    assert [type(reply) for reply in reader.feed(data)] == [BadReply]
    assert reader.feed(b"250 ok\r\n") == []


def test_d08_replies_before_garbage_count() -> None:
    first, second = ReplyReader().feed(b"250 ok\r\nwhat?\r\n250 ok\r\n")
    assert first == Reply(250, "", ("ok",))
    assert second == BadReply("what?")


def test_d08_several_replies_in_one_segment_and_one_in_several() -> None:
    reader = ReplyReader()
    assert [reply.code for reply in reader.feed(b"250 a\r\n250 b\r\n35")] == [250, 250]
    assert reader.pending
    assert reader.feed(b"4 go") == []
    assert reader.feed(b" ahead\r\n") == [Reply(354, "", ("go ahead",))]


def test_d08_ten_megabytes_are_read_to_the_end_and_two_kilobytes_kept() -> None:
    reader = ReplyReader()
    line = b"250-" + b"x" * 96 + b"\r\n"
    for _ in range(100):
        assert reader.feed(line * 1024) == []
    (reply,) = reader.feed(b"550 end\r\n")
    assert isinstance(reply, Reply)
    assert reply.code == 550
    assert len("\n".join(reply.lines)) <= TEXT_OCTETS


def test_d08_one_endless_line_takes_no_memory_and_comes_to_an_end() -> None:
    reader = ReplyReader()
    assert reader.feed(b"250 " + b"x" * 5_000_000) == []
    assert len(reader._rest) <= TEXT_OCTETS
    (reply,) = reader.feed(b"x\r\n")
    assert isinstance(reply, Reply)
    assert TEXT_OCTETS - 10 < len(reply.text) <= TEXT_OCTETS
    chunk = b"x" * (1 << 20)
    reader.feed(b"250 ")
    replies = [reply for _ in range(REPLY_OCTETS // len(chunk) + 1) for reply in reader.feed(chunk)]
    assert [type(reply) for reply in replies] == [BadReply]


def test_d08_split_replies_do_not_add_up_to_an_endless_one() -> None:
    reader = ReplyReader()
    for _ in range(REPLY_OCTETS // 2000 + 10):
        reader.feed(b"250 " + b"x" * 2000)
        assert [type(reply) for reply in reader.feed(b"\r\n")] == [Reply]


def test_d08_escaped_text_is_cut_too() -> None:
    (reply,) = ReplyReader().feed(b"250 " + b"\x00" * 2000 + b"\r\n")
    assert isinstance(reply, Reply)
    assert len(reply.text) == TEXT_OCTETS


CHUNKS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.builds(b"%d%b%b%b".__mod__, st.tuples(
            st.integers(0, 700), st.sampled_from([b" ", b"-", b"\t", b""]), st.binary(max_size=30),
            st.sampled_from([b"\r\n", b"\n", b"\r", b""]),
        )),
    ),
    max_size=12,
)  # fmt: skip


@given(CHUNKS)
def test_d08_never_raises_and_does_not_depend_on_segments(chunks: list[bytes]) -> None:
    whole, split = ReplyReader(), ReplyReader()
    expected = whole.feed(b"".join(chunks))
    got = [reply for chunk in chunks for reply in split.feed(chunk)]
    assert [type(reply) for reply in got] == [type(reply) for reply in expected]
    assert [reply for reply in got if isinstance(reply, Reply)] == [
        reply for reply in expected if isinstance(reply, Reply)
    ]
    for reply in got:
        if isinstance(reply, Reply):
            assert 200 <= reply.code < 600
            assert all(line.isprintable() for line in reply.lines)
