"""The scheduling of deliveries under random faults: I1, I3 to I5, Q14, Q18, and that it drains when the faults stop."""

from __future__ import annotations

import os
import random

import pytest

from postroom.deliver.fair import FAST, TURNS, FairQueue
from postroom.store.batches import rows
from sim.world import BrokenError, World

STEPS = int(os.environ.get("SIM_STEPS", "100000"))
SEEDS = [int(seed) for seed in os.environ.get("SIM_SEEDS", "").split(",") if seed]
EVERY = 50
"""Steps between two looks at everything."""


def simulate(seed: int, steps: int) -> World:
    world = World(seed)
    for number in range(steps):
        world.step()
        if number % EVERY == 0:
            world.check()
    world.run_dry(200_000)
    world.check()
    return world


@pytest.mark.parametrize("seed", SEEDS or [1, None])
def test_any_faults_at_any_time(seed: int | None) -> None:
    seed = random.randrange(2**32) if seed is None else seed
    print(f"SIM_SEEDS={seed} SIM_STEPS={STEPS}")
    try:
        world = simulate(seed, STEPS)
    except BrokenError as broken:
        raise AssertionError(f"seed {seed}: {broken}") from broken
    # It has to have been worth it: everything that may happen did.
    assert set(world.ends) >= {"delivered", "bounced"}
    assert all(world.steps[name] for name in ("crash", "sleep", "site", "pause"))
    assert any(row.copies > 1 for row in world.rows.values())


def test_the_simulation_sees_a_forgotten_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    real = rows.claimed

    def forgetful(row, now):
        entry, event = real(row, now)
        entry.possible_duplicate = False
        return entry, event

    monkeypatch.setattr("sim.world.claimed", forgetful)
    with pytest.raises(BrokenError, match="not flagged"):
        simulate(1, 50_000)


def test_the_simulation_sees_outcomes_recorded_over_a_newer_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that does not look at its lease sends what is not its own any more."""
    real = World._dot

    def careless(self, node):
        node.until = self.now + 1
        real(self, node)

    monkeypatch.setattr(World, "_dot", careless)
    with pytest.raises(BrokenError, match=r"Q14|I3|I4"):
        simulate(1, 50_000)


def test_the_simulation_sees_what_a_pause_leaves_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who resumes was cut off, and nobody looks for what is still held."""
    monkeypatch.setattr(World, "_sweep", lambda _: None)
    world = World(1)
    for _ in range(10_000):
        world.step()
    with pytest.raises(BrokenError, match="liveness"):
        world.run_dry(20_000)


@pytest.mark.parametrize("seed", range(20))
def test_q17_turns_are_fair_between_accounts(seed: int) -> None:
    """Nobody waits longer than one turn of everybody else in the lane, and no lane waits for more than TURNS."""
    chance = random.Random(seed)
    queue = FairQueue()
    waiting: dict[tuple[int, str], int] = {}
    served_since: dict[tuple[int, str], int] = {}
    for number in range(2000):
        if chance.random() < 0.52:
            lane, account = chance.choice((0, 1)), f"a{int(chance.expovariate(0.6))}"
            queue.push(entry(number, account, lane))
            waiting[lane, account] = waiting.get((lane, account), 0) + 1
            continue
        taken = queue.pop()
        if taken is None:
            assert not any(waiting.values())
            continue
        key = taken.lane, taken.account_id
        waiting[key] -= 1
        served_since[key] = 0
        others = [one for one, left in waiting.items() if left and one != key]
        for one in others:
            served_since[one] = served_since.get(one, 0) + 1
            lanes = TURNS if one[0] != FAST else 2
            assert served_since[one] <= lanes * (len(others) + 2) * 2
    assert len(queue) == sum(waiting.values())


def entry(number: int, account: str, lane: int) -> rows.Entry:
    return rows.Entry(account, f"{number}", f"{number}", "d", "x.test", lane, 0, 0, 0, 0, "a@x.test", "", "")
