"""deliver.fair: accounts take turns, single transactional mail goes first, nobody starves."""

from postroom.deliver.fair import FAST, SLOW, FairQueue
from postroom.store.batches.rows import Entry


def entry(account: str, number: int, lane: int = SLOW) -> Entry:
    return Entry(account, f"{account}-{number}", "m", "d", "x.test", lane, 0, 0, 0, 0, "a@x.test", "", "")


def drained(queue: FairQueue) -> list[str]:
    return [popped.email_id for _ in range(len(queue)) if (popped := queue.pop())]


def test_accounts_take_turns_in_their_own_order() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.push(entry("bulk", number))
    queue.push(entry("small", 0))
    assert drained(queue) == ["bulk-0", "small-0", "bulk-1", "bulk-2"]


def test_a_flood_of_one_account_delays_another_by_one_turn() -> None:
    queue = FairQueue()
    for number in range(1000):
        queue.push(entry("bulk", number))
    queue.push(entry("reset", 0))
    assert "reset-0" in drained(queue)[:2]


def test_single_transactional_mail_overtakes() -> None:
    queue = FairQueue()
    for number in range(10):
        queue.push(entry("bulk", number))
    queue.push(entry("otp", 0, FAST))
    assert drained(queue)[0] == "otp-0"


def test_the_slow_lane_gets_every_fifth_turn() -> None:
    queue = FairQueue()
    for number in range(20):
        queue.push(entry("otp", number, FAST))
    queue.push(entry("bulk", 0))
    assert drained(queue).index("bulk-0") == 4


def test_an_empty_queue_has_nothing() -> None:
    queue = FairQueue()
    assert queue.pop() is None
    queue.push(entry("a", 0))
    assert [found.email_id for found in queue.drain()] == ["a-0"]
    assert len(queue) == 0
    assert queue.pop() is None
