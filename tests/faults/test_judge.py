"""The judge of the fault tests sees what it is there to see: each broken promise, told by made-up ledgers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults.ledger.check import Disturbance, Verdict, check
from faults.ledger.journal import Journal
from faults.ledger.state import State

OK, SLOW, GONE = "ok-1@sink.test", "slow-1@sink.test", "gone-1@sink.test"


class Story:
    """One message to three recipients that went as it should, with a kill in between. Tests spoil it."""

    def __init__(self) -> None:
        self.client: list[dict[str, Any]] = [{"number": 1, "to": [OK, SLOW, GONE], "id": "m1"}]
        self.sink = [arrived(OK), arrived(SLOW)]
        self.end = state({OK: "delivered", SLOW: "delivered", GONE: "bounced"})
        self.kill = Disturbance("kill", state({OK: "queued", SLOW: "deferred", GONE: "queued"}), Counter())

    def in_the_window(self, to: str, status: str = "queued") -> None:
        """At the kill: the final dot was sent, the outcome not recorded."""
        self.kill.dots[to] += 1
        self.kill.state.status[to] = status
        self.kill.state.queued[to] = 1

    def twice(self, to: str) -> None:
        self.sink.append(arrived(to))

    def flagged(self, to: str, *, why: bool = True) -> None:
        self.end.flagged.add(to)
        if why:
            self.end.events[to].add(("e9", "possible_duplicate"))

    def violations(self, **options: Any) -> list[str]:
        return check(self.client, self.sink, self.end, [self.kill], concurrency=2, **options).violations


def arrived(to: str, message_id: str = "<1@ledger.test>") -> dict[str, Any]:
    return {"to": to, "message_id": message_id, "number": 1, "whole": True}


def state(status: dict[str, str]) -> State:
    ends = {"delivered": "delivered", "bounced": "hard_bounced"}
    made = State(status=dict(status), message_ids=dict.fromkeys(status, "m1"))
    for to, now in status.items():
        made.events[to] = {("e1", "queued")} | ({("e2", ends[now])} if now in ends else set())
        if now not in ends:
            made.queued[to] = 0
    return made


def test_a_good_end_is_good() -> None:
    story = Story()
    assert story.violations() == []
    story.in_the_window(OK)
    story.twice(OK)
    story.flagged(OK)
    assert story.violations() == []


def test_what_a_dead_incarnation_left_counts_for_it() -> None:
    story = Story()
    story.kill.state.queued.update({OK: 1, SLOW: 1, GONE: 1})
    story.kill.state.owners.update({OK: 1, SLOW: 1, GONE: 2})
    assert story.violations() == []


def lost(story: Story) -> None:
    story.sink.remove(arrived(OK))


def lost_with_its_row(story: Story) -> None:
    lost(story)
    del story.end.status[OK], story.end.message_ids[OK]


def never_settled(story: Story) -> None:
    story.end.status[SLOW], story.end.queued[SLOW] = "deferred", 0


def bounced_for_its_neighbour(story: Story) -> None:
    story.end.status[OK] = "bounced"


def content_gone(story: Story) -> None:
    story.end.queued_without_content = 1


def refused_and_delivered(story: Story) -> None:
    story.client[0] = {"number": 1, "to": [OK, SLOW, GONE], "code": 451}


def copied_outside_the_window(story: Story) -> None:
    story.twice(OK)
    story.flagged(OK)


def copied_once_too_often(story: Story) -> None:
    story.in_the_window(OK)
    story.flagged(OK)
    story.twice(OK)
    story.twice(OK)


def copied_and_not_flagged(story: Story) -> None:
    story.in_the_window(OK)
    story.twice(OK)


def recorded_before_the_kill(story: Story) -> None:
    """An uncertain email without a mark: its last dot is accounted for."""
    story.in_the_window(OK, "uncertain")
    story.kill.state.queued[OK] = 0
    copied_outside_the_window(story)


def sent_without_a_mark(story: Story) -> None:
    story.in_the_window(OK)
    story.kill.state.queued[OK] = 0


def too_many_marked(story: Story) -> None:
    story.kill.state.queued.update({OK: 1, SLOW: 1, GONE: 1})


def flagged_for_nothing(story: Story) -> None:
    story.flagged(SLOW)


def flagged_without_a_word(story: Story) -> None:
    story.in_the_window(OK)
    story.flagged(OK, why=False)


def lost_of_a_bulk(story: Story) -> None:
    """The batch was acknowledged, and its objects have become messages but for one."""
    story.client[0] = {"to": [OK, SLOW, GONE], "bulk": "b1"}
    story.client += [{"to": [to], "id": "m1"} for to in (SLOW, GONE)]


def refused_bulk_arrived(story: Story) -> None:
    story.client[0] = {"to": [OK, SLOW, GONE], "code": 503}


def came_from_nowhere(story: Story) -> None:
    story.sink.append(arrived("ok-0@sink.test"))


def two_ends(story: Story) -> None:
    story.end.events[OK].add(("e3", "hard_bounced"))


def lost_an_event(story: Story) -> None:
    story.end.events[OK].discard(("e1", "queued"))


def changed_its_end(story: Story) -> None:
    story.kill.state.status[GONE] = "delivered"


def damaged(story: Story) -> None:
    story.sink[0]["whole"] = False


def another_message_id(story: Story) -> None:
    story.in_the_window(OK)
    story.flagged(OK)
    story.sink.append(arrived(OK, "<2@ledger.test>"))


def two_emails(story: Story) -> None:
    story.end.twice.append(OK)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lost, "I1: ok-1@sink.test has 0 copies"),
        (lost_with_its_row, "I1/I5: ok-1@sink.test is missing"),
        (never_settled, "I1: slow-1@sink.test is in the queue"),
        (bounced_for_its_neighbour, "I1/I5: ok-1@sink.test is bounced"),
        (content_gone, "1 queue rows lost their content"),
        (refused_and_delivered, "I2: ok-1@sink.test was refused and has arrived"),
        (copied_outside_the_window, "I3: ok-1@sink.test has 2 copies; it was 0 times in the window"),
        (copied_once_too_often, "I3: ok-1@sink.test has 3 copies; it was 1 times in the window"),
        (copied_and_not_flagged, "I3: ok-1@sink.test has 2 copies and is not flagged"),
        (recorded_before_the_kill, "I3: ok-1@sink.test has 2 copies; it was 0 times in the window"),
        (sent_without_a_mark, "the final dot for ok-1@sink.test was sent without a mark"),
        (too_many_marked, "marked 3 attempts at once"),
        (flagged_for_nothing, "I3: slow-1@sink.test is flagged for no reason"),
        (flagged_without_a_word, "I3: ok-1@sink.test is flagged and nothing says why"),
        (lost_of_a_bulk, "I1: ok-1@sink.test was acknowledged in the bulk b1 and has no message"),
        (refused_bulk_arrived, "I2: ok-1@sink.test was refused and has arrived"),
        (came_from_nowhere, "I3: ok-0@sink.test was settled before, or is unknown, and has arrived"),
        (two_ends, "I4: ok-1@sink.test has the ends"),
        (lost_an_event, "I4: ok-1@sink.test lost the events"),
        (changed_its_end, "I4: gone-1@sink.test was delivered at kill and is bounced"),
        (damaged, "ok-1@sink.test has arrived damaged"),
        (another_message_id, "I3: ok-1@sink.test has arrived with another Message-ID"),
        (two_emails, "ok-1@sink.test has two emails"),
    ],
)
def test_a_broken_promise_is_seen(spoil: Callable[[Story], None], said: str) -> None:
    story = Story()
    spoil(story)
    assert any(said in one for one in story.violations()), story.violations()


def test_a_bulk_is_judged_by_its_messages() -> None:
    story = Story()
    story.client = [
        {"to": [OK, SLOW, GONE], "bulk": "b1"},
        {"to": [OK, SLOW], "id": "m1"},
        {"to": [GONE], "id": "m1"},
    ]
    assert story.violations() == []


def test_figures_of_several_trials_are_added() -> None:
    one, two = (
        Verdict(acknowledged=3, most_marked=7, violations=["a"]),
        Verdict(acknowledged=4, most_marked=5),
    )
    one.add(two)
    assert (one.acknowledged, one.most_marked, one.violations) == (7, 7, ["a"])


def test_copies_are_not_counted_where_nobody_watched_but_flags_are() -> None:
    story = Story()
    story.twice(OK)
    assert story.violations(uncounted={OK}) == [f"I3: {OK} has 2 copies and is not flagged"]


def test_a_journal_can_be_read_from_where_it_was(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write(number=1)
    behind = journal.size
    journal.write(number=2)
    journal.write(number=3)
    assert [fact["number"] for fact in journal.read()] == [1, 2, 3]
    assert [fact["number"] for fact in journal.read(behind)] == [2, 3]
    journal.close()
