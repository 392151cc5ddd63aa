"""deliver.transcript: what is kept of an attempt's conversation."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.deliver.transcript import OCTETS, Transcript, decode, encode
from postroom.runtime.clock import FakeClock
from postroom.types.outcome import TranscriptLine


def test_lines_carry_milliseconds_since_the_attempt_began() -> None:
    clock = FakeClock()
    transcript = Transcript(clock)
    transcript.note("connecting")
    clock.advance(0.25)
    transcript.extend([("S", "220 hi"), ("C", "EHLO me")])
    clock.advance(1)
    transcript.add("S", "250 ok")
    assert transcript.elapsed == 1250
    assert transcript.lines() == (
        TranscriptLine(0, "*", "connecting"), TranscriptLine(250, "S", "220 hi"), TranscriptLine(250, "C", "EHLO me"),
        TranscriptLine(1250, "S", "250 ok"),
    )  # fmt: skip


TEXTS = st.text(st.characters(exclude_categories=["C"]), max_size=2048) | st.just('"\\' * 1000)


@given(st.lists(st.tuples(st.sampled_from("CS*"), TEXTS), max_size=60))
@settings(deadline=None)
def test_any_transcript_stays_under_8_kilobytes_and_keeps_its_ends(said: list[tuple[str, str]]) -> None:
    transcript = Transcript(FakeClock())
    transcript.extend(said)
    lines = transcript.lines()
    rows = [(line.at, line.who, line.text) for line in lines]
    assert len(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()) <= OCTETS
    assert decode(encode(lines)) == lines
    for line, (who, text) in [*zip(lines, said[:1], strict=False), *zip(lines[-1:], said[-1:], strict=False)]:
        assert line.who == who
        assert text.startswith(line.text.removesuffix(" ..."))


def test_the_middle_is_left_out() -> None:
    transcript = Transcript(FakeClock())
    transcript.extend([("S", f"{number} " + "x" * 500) for number in range(100)])
    lines = transcript.lines()
    left_out = [at for at, line in enumerate(lines) if "lines left out" in line.text]
    assert len(left_out) == 1
    numbers = [int(line.text.split()[0]) for line in lines if line.who == "S"]
    assert numbers[: left_out[0]] == list(range(left_out[0]))
    assert numbers[-1] == 99
    assert f"({100 - len(numbers)} lines left out)" == lines[left_out[0]].text
    assert OCTETS * 0.8 < len(json.dumps([(line.at, line.who, line.text) for line in lines])) < 8192


def test_decode_refuses_what_is_no_transcript() -> None:
    with pytest.raises(ValueError, match="not a transcript"):
        decode(b"hello")
