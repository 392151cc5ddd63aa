"""The data scanner: where a message ends, and what is in it (S01, S03, S15, S16, S31)."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.wire.smtp.data import DataScanner
from postroom.wire.smtp.settings import ServerSettings
from support.smtp_owner import owner_in_data

LIMITS = ServerSettings("relay.example.com")
AFTER = b"MAIL FROM:<smuggled@example.com>\r\n"


def scan(pieces: list[bytes], limits: ServerSettings = LIMITS) -> tuple[bytes, DataScanner]:
    scanner = DataScanner(limits)
    clean = b""
    for at, piece in enumerate(pieces):
        clean += scanner.feed(piece)
        if scanner.finished:
            scanner.rest += b"".join(pieces[at + 1 :])
            break
    return clean, scanner


def splits(data: bytes) -> list[list[bytes]]:
    """Whole, in octets, and in two pieces at every offset."""
    return [
        [data],
        [data[at : at + 1] for at in range(len(data))],
        *([data[:at], data[at:]] for at in range(1, len(data))),
    ]


def stuff(content: bytes) -> bytes:
    """What a correct client sends for content whose lines all end in CRLF."""
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


ENDS_NOT = {
    "LF.LF": b"\n.\n",
    "LF.CR": b"\n.\r",
    "CR.LF": b"\r.\n",
    "CR.CR": b"\r.\r",
    "LF.CRLF": b"\n.\r\n",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CRLF.CR": b"\r\n.\r",
    "CRLF.CRCRLF": b"\r\n.\r\r\n",
    "CRCRLF.CRCRLF": b"\r\r\n.\r\r\n",
    "CRLF NUL.CRLF": b"\r\n\0.\r\n",
    "CRLF.NUL CRLF": b"\r\n.\0\r\n",
    "CRLF.CR NUL LF": b"\r\n.\r\0\n",
    "CRLF. CRLF": b"\r\n. \r\n",
    "CRLF.TAB CRLF": b"\r\n.\t\r\n",
    "VT.VT": b"\x0b.\x0b",
    "FF.CRLF": b"\x0c.\r\n",
    "NEL.NEL": b"\x85.\x85",
    "LS.LS": "\u2028.\u2028".encode(),
    "LF CR.CRLF": b"\n\r.\r\n",
    "CRLF..CRLF": b"\r\n..\r\n",
}


@pytest.mark.parametrize("false_end", ENDS_NOT.values(), ids=ENDS_NOT.keys())
def test_s01_only_crlf_dot_crlf_ends_data(false_end: bytes):
    sent = b"Subject: x\r\n\r\nhello" + false_end + AFTER + b"\r\n.\r\nQUIT\r\n"
    has_bare_cr = b"\r" in false_end.replace(b"\r\n", b"")
    for pieces in splits(sent):
        clean, scanner = scan(pieces)
        assert scanner.finished
        assert scanner.rest == b"QUIT\r\n"
        if has_bare_cr or b"\0" in false_end:
            assert scanner.refused is not None
            assert (scanner.refused.rule.code, scanner.refused.rule.enhanced) == (550, "5.5.2")
        else:
            assert scanner.refused is None
            assert AFTER in clean
            assert clean.replace(b"\r\n", b"").count(b"\n") == 0


@pytest.mark.parametrize("false_end", ENDS_NOT.values(), ids=ENDS_NOT.keys())
def test_s01_nothing_smuggled_runs(false_end: bytes):
    owner = owner_in_data()
    owner.feed(b"hello" + false_end + AFTER + b"RCPT TO:<v@example.net>\r\nDATA\r\nsmuggled\r\n.\r\n")
    assert len(owner.ends) == 1
    assert owner.session.envelope is None
    assert len(owner.kept) <= 1
    assert owner.feed(b"NOOP\r\n") == b"250 2.0.0 Ok\r\n"


def test_s01_the_true_end_may_be_split_anywhere():
    for pieces in splits(b"a\r\n.\r\n"):
        assert scan(pieces)[0] == b"a\r\n"


@pytest.mark.parametrize(
    ("sent", "content"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"...\r\n.\r\n", b"..\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),
        (b"a\r\n..\r\n..b\r\n.\r\n", b"a\r\n.\r\n.b\r\n"),
        (b"a\r\n..\r\n..\r\n..\r\n.\r\n", b"a\r\n.\r\n.\r\n.\r\n"),
        (b"a\n.\nb\r\n.\r\n", b"a\r\n.\r\nb\r\n"),
        (b"a\n..\nb\r\n.\r\n", b"a\r\n.\r\nb\r\n"),
        (b"a\n..\n...x\n.y\n..\r\n..\r\n...\n.\r\n.\r\n", b"a\r\n.\r\n..x\r\n.y\r\n.\r\n.\r\n..\r\n.\r\n"),
        (b"\n\n\n\r\n.\r\n", b"\r\n\r\n\r\n\r\n"),
        (b"a\n.\r\n.\r\n", b"a\r\n.\r\n"),
    ],
)
def test_s31_dots_and_line_ends(sent: bytes, content: bytes):
    for pieces in splits(sent + b"NOOP\r\n"):
        clean, scanner = scan(pieces)
        assert clean == content
        assert scanner.size == len(content)
        assert scanner.rest == b"NOOP\r\n"
        assert scanner.refused is None


def test_s31_ten_thousand_random_bodies_come_back():
    chance = random.Random(31)
    words = [b".", b"..", b"\r\n", b"\r\n.", b"a", b"\r\n\r\n", b"text", b"\xff"]
    for _ in range(10_000):
        content = b"".join(chance.choices(words, k=chance.randrange(12)))
        content += b"" if content.endswith(b"\r\n") or not content else b"\r\n"
        sent = stuff(content)
        at = chance.randrange(len(sent) + 1)
        assert scan([sent[:at], sent[at:]])[0] == content, content


@given(
    st.lists(
        st.sampled_from([b"\r", b"\n", b".", b"\0", b"a", b"\n..", b"\r\n.", b"\r\n.\r\n"]), max_size=14
    ),
    st.data(),
)
@settings(max_examples=500, deadline=None)
def test_s31_splits_make_no_difference(words: list[bytes], data: st.DataObject):
    sent = b"".join(words) + b"\r\n.\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    whole, one = scan([sent])
    split, many = scan(pieces)
    assert one.rest == many.rest == sent[(b"\r\n" + sent).index(b"\r\n.\r\n") + 3 :]
    assert (one.refused is None) == (many.refused is None)
    if one.refused is None:
        assert (whole, one.size, one.header_size) == (split, many.size, many.header_size)
        bare = whole.replace(b"\r\n", b"")
        assert b"\r" not in bare
        assert b"\n" not in bare
        assert b"\0" not in bare


@pytest.mark.parametrize(
    ("content", "header_size"),
    [
        (b"A: b\r\nC: d\r\n\r\nbody\r\n", 12),
        (b"A: b\r\nC: d\r\n", 12),
        (b"\r\nbody\r\n", 0),
        (b"", 0),
        (b"A: b\r\n\r\n", 6),
        (b"A: b\r\n\r\n\r\n\r\n", 6),
        (b"A: b\n\nbody\n\n", 6),
    ],
)
def test_header_size(content: bytes, header_size: int):
    for pieces in splits(stuff(content) if b"\r" in content or not content else content + b"\r\n.\r\n"):
        assert scan(pieces)[1].header_size == header_size


def test_eight_bit():
    for pieces in splits(b"A: b\r\n\r\n\xc3\xa4\r\n.\r\n"):
        assert scan(pieces)[1].eight_bit
    assert not scan([b"A: b\r\n.\r\n"])[1].eight_bit


@pytest.mark.parametrize("length", [997, 998, 999, 1000, 1001, 5000])
@pytest.mark.parametrize("before", [b"", b"short\r\n", b"\n" * 3, b"y" * 998 + b"\r\n", b"z" * 990 + b"\n"])
def test_s15_line_length(length: int, before: bytes):
    sent = before + b"x" * length + b"\r\nafter\r\n.\r\nNOOP\r\n"
    for size in (1, 7, 500, 998, 999, 1000, 1001, 65536):
        _, scanner = scan([sent[at : at + size] for at in range(0, len(sent), size)])
        assert scanner.rest == b"NOOP\r\n"
        if length <= 998:
            assert scanner.refused is None
        else:
            assert scanner.refused is not None
            assert scanner.refused.rule.id == "line-too-long"
            assert scanner.refused.facts == {"line": str(before.count(b"\n") + 1), "limit": "998"}


def test_s15_the_limit_of_a_line_that_is_set_is_told():
    _, scanner = scan([b"x" * 81 + b"\r\n.\r\n"], ServerSettings("relay.test", max_line=80))
    assert scanner.refused is not None
    assert scanner.refused.text == "Line 1 is longer than 80 characters."


def test_s15_a_stuffed_dot_is_not_counted():
    assert scan([b"." + b"." * 998 + b"\r\n.\r\n"])[1].refused is None


def test_s15_hundred_megabytes_without_a_line_end_keep_nothing():
    scanner = DataScanner(LIMITS)
    block = b"x" * 65536
    for _ in range(1600):
        assert len(scanner.feed(block)) == 0
    assert scanner.refused is not None
    assert len(scanner._held) <= 4
    scanner.feed(b"\r\n.\r\n")
    assert scanner.finished


def test_s03_what_follows_an_overflow_is_swallowed():
    limits = ServerSettings("relay.example.com", max_size=1024)
    line = b"x" * 98 + b"\r\n"
    sent = line * 20 + b"\n.\nRSET\r\n\n.\r\nMAIL FROM:<a@b>\r\n.\r\nNOOP\r\n"
    for size in (1, 100, 2000, 65536):
        _, scanner = scan([sent[at : at + size] for at in range(0, len(sent), size)], limits)
        assert scanner.rest == b"NOOP\r\n"
        assert scanner.refused is not None
        assert scanner.refused.rule.id == "message-too-big"


def test_s16_exactly_the_largest_message():
    for size, fits in ((1024, True), (1025, False)):
        limits = ServerSettings("relay.example.com", max_size=1024)
        content = (b"x" * 98 + b"\r\n") * 10 + b"y" * (size - 1002) + b"\r\n"
        assert len(content) == size
        _, scanner = scan([stuff(content)], limits)
        assert (scanner.refused is None) == fits


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (b"A: b\r\n" * 10, None),
        (b"A: b\r\n" * 11, "header-too-big"),
        (b"A: b\r\n c\r\n\td\r\n" * 10, None),
        (b"A: " + b"b" * 900 + b"\r\n", None),
        (b"A: b\r\n" + (b" " + b"c" * 98 + b"\r\n") * 12, "header-too-big"),
        (b"Received: x\r\n" * 5, None),
        (b"received: x\r\n" * 6, "too-many-hops"),
        (b"X-Received: x\r\n" * 9, None),
    ],
)
def test_s16_header_limits(header: bytes, rule: str | None):
    limits = ServerSettings("relay.example.com", max_header_size=1024, max_header_fields=10, max_hops=5)
    for tail in (b"\r\nbody\r\n.\r\nNOOP\r\n", b".\r\nNOOP\r\n"):
        sent = header + tail
        for size in (1, 33, 65536):
            _, scanner = scan([sent[at : at + size] for at in range(0, len(sent), size)], limits)
            assert scanner.rest == b"NOOP\r\n"
            assert (scanner.refused and scanner.refused.rule.id) == rule
